"""Each event once: duplicates, gaps, poison, forks, and batches that come twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from shared.consumer.consumer import Consumer
from shared.consumer.slice import Displaced, Place, Slice
from tests.event_history import Story, envelope
from tests.tally import Tally, tallied

if TYPE_CHECKING:
    from shared.postgres.database import Database


class Partition:
    """A partition of a topic, as some bus would bring it."""

    def __init__(self, consumer: Consumer, topic: str = "cases", number: int = 0) -> None:
        self.consumer = consumer
        self.topic = topic
        self.number = number
        self.offset = 0

    def slice(self, *rows: dict[str, Any], start: int | None = None) -> Slice:
        begin = self.offset if start is None else start
        events = [envelope(self.topic, row) for row in rows]
        return Slice(self.topic, self.number, 1, begin, begin + len(rows), events)

    async def bring(self, *rows: dict[str, Any]) -> None:
        await self.consumer.apply([self.slice(*rows)])
        self.offset += len(rows)


@pytest.fixture
def partition(consumer: Consumer) -> Partition:
    return Partition(consumer)


async def parked(database: Database) -> list[tuple[str, int]]:
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT reason, version FROM parked"
            " WHERE generation = (SELECT generation FROM serving) ORDER BY version, reason"
        )
    return [(row["reason"], row["version"]) for row in rows]


async def test_projection_and_place_move_together(
    partition: Partition, reporting: Database
) -> None:
    story = Story("cases")
    await partition.bring(story.tell("filed", {"amount": 2}), story.tell("decided", {"amount": 3}))

    assert await tallied(reporting) == (2, 5)
    async with reporting.connection() as connection:
        place = await connection.fetchrow("SELECT next_offset, last_event_id FROM position")
        fact = await connection.fetchrow("SELECT version, hash, state, bureau FROM fact")
    assert place is not None
    assert fact is not None
    assert place["next_offset"] == 2
    assert dict(fact) == {"version": 2, "hash": story.hash, "state": "open", "bureau": "500152"}


async def test_a_batch_that_begins_elsewhere_changes_nothing(
    partition: Partition, reporting: Database
) -> None:
    story = Story("cases")
    await partition.bring(story.tell("filed"))
    again = partition.slice(story.tell("noted"), start=0)

    with pytest.raises(Displaced) as displaced:
        await partition.consumer.apply([again])
    place = displaced.value.places["cases", 0]
    assert (place.topic_generation, place.next_offset) == (1, 1)
    assert await tallied(reporting) == (1, 0)


async def test_a_batch_after_another_event_than_the_last_applied_is_refused(
    partition: Partition, consumer: Consumer
) -> None:
    story, other = Story("cases"), Story("cases")
    await partition.bring(story.tell("filed"))
    stranger = Slice("cases", 0, 1, 1, 2, [envelope("cases", story.tell("noted"))], after=other.id)
    with pytest.raises(Displaced):
        await consumer.apply([stranger])


async def test_two_instances_on_one_partition_count_once(
    partition: Partition, consumer: Consumer, reporting: Database
) -> None:
    second = Consumer(reporting, Tally())
    await second.open()
    stories = [Story("cases") for _ in range(20)]
    batch = partition.slice(*(story.tell("filed", {"amount": 1}) for story in stories))
    outcomes = await asyncio.gather(
        consumer.apply([batch]), second.apply([batch]), return_exceptions=True
    )
    await second.close()
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Displaced", "NoneType"]
    assert await tallied(reporting) == (20, 20)


async def test_a_duplicate_is_passed_over(partition: Partition, reporting: Database) -> None:
    story = Story("cases")
    rows = [story.tell("filed", {"amount": 1}), story.tell("noted", {"amount": 1})]
    await partition.bring(*rows)
    await partition.bring(rows[0], rows[1], rows[1])
    assert await tallied(reporting) == (2, 2)
    assert await parked(reporting) == []


async def test_a_gap_holds_back_its_own_aggregate_only(
    partition: Partition, reporting: Database
) -> None:
    story, other = Story("cases"), Story("cases")
    first, second, third, fourth = (story.tell("noted", {"amount": 1}) for _ in range(4))
    await partition.bring(first, third, other.tell("filed", {"amount": 10}), fourth)
    assert await tallied(reporting) == (2, 11)
    assert await parked(reporting) == [("gap", 3), ("gap", 4)]

    await partition.bring(second)
    assert await tallied(reporting) == (5, 14)
    assert await parked(reporting) == []


async def test_an_aggregate_whose_first_event_comes_last_is_drained(
    partition: Partition, reporting: Database
) -> None:
    story = Story("cases")
    first, second = story.tell("filed"), story.tell("noted")
    await partition.bring(second)
    await partition.bring(first)
    assert await tallied(reporting) == (2, 0)
    assert await parked(reporting) == []


async def test_poison_is_parked_and_later_events_wait_behind_it(
    partition: Partition, reporting: Database
) -> None:
    story, other = Story("cases"), Story("cases")
    await partition.bring(
        story.tell("filed", {"amount": 1}),
        story.tell("adjourned", {"amount": 1}),
        story.tell("decided", {"amount": 1}),
        other.tell("filed", {"amount": 1}),
    )
    assert await parked(reporting) == [("poison", 2), ("gap", 3)]
    assert await tallied(reporting) == (2, 2)


async def test_replay_applies_poison_once_its_cause_is_mended(
    partition: Partition, consumer: Consumer, reporting: Database
) -> None:
    story = Story("cases")
    poison = story.tell("adjourned", {"amount": 1})
    await partition.bring(poison, story.tell("noted", {"amount": 1}))
    assert await consumer.replay() == 0
    assert await parked(reporting) == [("poison", 1), ("gap", 2)]

    assert isinstance(consumer.projection, Tally)
    consumer.projection.known.add("adjourned")
    assert await consumer.replay([poison["id"]]) == 2
    assert await parked(reporting) == []
    assert await tallied(reporting) == (2, 2)


async def test_a_second_event_of_one_version_is_a_fork(
    partition: Partition, reporting: Database
) -> None:
    story = Story("cases")
    first = story.tell("filed")
    twin = Story("cases", id=story.id, version=1, hash=story.hash)
    await partition.bring(first, story.tell("noted", {"amount": 1}))
    await partition.bring(twin.tell("decided", {"amount": 5}))
    await partition.bring(twin.tell("decided", {"amount": 5}))  # on top of the other history
    await partition.bring(story.tell("decided", {"amount": 1}))

    assert await parked(reporting) == [("fork", 2), ("fork", 3)]
    assert await tallied(reporting) == (3, 2)


async def test_a_fork_stays_parked_when_replayed(
    partition: Partition, consumer: Consumer, reporting: Database
) -> None:
    story = Story("cases")
    first = story.tell("filed")
    twin = Story("cases", id=story.id)
    await partition.bring(first, twin.tell("filed"), story.tell("noted"))
    assert await consumer.replay() == 0
    assert await parked(reporting) == [("fork", 1)]


async def test_the_sweep_drains_a_gap_that_was_filled_unseen(
    partition: Partition, consumer: Consumer, reporting: Database
) -> None:
    story = Story("cases")
    first, second, third = (story.tell("noted", {"amount": 1}) for _ in range(3))
    await partition.bring(first, third)
    async with reporting.connection() as connection:  # another instance applied the second
        await connection.execute("UPDATE fact SET version = 2, hash = $1", second["hash"])
    await consumer.sweep()
    assert await parked(reporting) == []
    assert await tallied(reporting) == (2, 2)


async def test_going_back_to_the_start_recognises_what_it_knows(
    partition: Partition, consumer: Consumer, reporting: Database
) -> None:
    story = Story("cases")
    rows = [story.tell("filed", {"amount": 1}), story.tell("noted", {"amount": 1})]
    await partition.bring(*rows)
    stands = (await consumer.places())["cases", 0]
    assert await consumer.begin_anew("cases", 0, stands, 2) == Place(2, 0, None)
    # Whoever finds the same loss later changes nothing.
    assert await consumer.begin_anew("cases", 0, stands, 3) == Place(2, 0, None)

    with pytest.raises(Displaced):
        await partition.bring(story.tell("noted"))
    events = [envelope("cases", row) for row in rows]
    await consumer.apply([Slice("cases", 0, 2, 0, 2, events)])
    assert await tallied(reporting) == (2, 2)


async def test_slices_of_several_partitions_are_one_commit(
    consumer: Consumer, reporting: Database
) -> None:
    one, two = Partition(consumer, number=1), Partition(consumer, number=7)
    stale = two.slice(Story("cases").tell("filed"), start=3)
    with pytest.raises(Displaced):
        await consumer.apply([one.slice(Story("cases").tell("filed")), stale])
    assert await tallied(reporting) == (0, 0)
    await consumer.apply(
        [two.slice(Story("cases").tell("filed")), one.slice(Story("cases").tell("filed"))]
    )
    assert await tallied(reporting) == (2, 0)
