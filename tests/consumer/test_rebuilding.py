"""Building anew while the old is served, and going over."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from shared.consumer import rebuild
from shared.consumer.consumer import Consumer
from shared.consumer.rebuild import AlreadyRebuilding, Rebuilder
from shared.consumer.slice import Slice
from shared.relay.direct import DirectBus
from shared.relay.relay import Relay
from tests.event_history import Story, envelope, write
from tests.seals_kept import Kept
from tests.tally import Tally, tallied
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from shared.consumer.slice import Place
    from shared.consumer.working_set import Body
    from shared.events.envelope import Envelope
    from shared.postgres.database import Database
    from shared.relay.direct import DirectHistory


@pytest.fixture
async def rebuilder(consumer: Consumer, history: DirectHistory) -> AsyncIterator[Rebuilder]:
    rebuilder = Rebuilder(consumer, history)
    yield rebuilder
    await rebuilder.close()


@pytest.fixture
async def relays(cases: Database, permits: Database, bus: DirectBus) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(Relay(each, bus, Kept()).run()) for each in (cases, permits)]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def generations(database: Database) -> list[str]:
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT state FROM generation ORDER BY number")
    return [row["state"] for row in rows]


async def everything(database: Database) -> dict[str, Any]:
    """All that is served, whatever its generation's number."""
    async with database.connection() as connection:
        served = await connection.fetchval("SELECT generation FROM serving")
        return {
            table: [
                tuple(row)
                for row in await connection.fetch(
                    f"SELECT {columns} FROM {table} WHERE generation = $1 ORDER BY 1, 2",
                    served,
                )
            ]
            for table, columns in (
                ("fact", "aggregate_id, version, hash, state, body, bureau, topic"),
                ("tally", "topic, events, amount"),
                ("position", "topic, partition, next_offset, last_event_id"),
                ("parked", "id, reason, version, error"),
            )
        }


@pytest.mark.usefixtures("relays")
async def test_a_rebuild_gives_what_was_there(
    cases: Database,
    permits: Database,
    reporting: Database,
    rebuilder: Rebuilder,
) -> None:
    stories = [Story(topic) for topic in ("cases", "permits") for _ in range(4)]
    for story in stories:
        database = cases if story.topic == "cases" else permits
        await write(database, *(story.tell("noted", {"amount": n}) for n in range(4)))
    poisoned = Story("cases")
    await write(cases, poisoned.tell("filed"), poisoned.tell("adjourned"), poisoned.tell("noted"))

    async def all_applied() -> bool:
        permitted = await tallied(reporting, "permits")
        return await tallied(reporting) == (17, 24) and permitted == (16, 24)

    await until(all_applied, "all is applied")
    before = await everything(reporting)
    number = await rebuilder.start()
    await rebuilder.finished()

    assert await everything(reporting) == before
    assert len(before["parked"]) == 2
    assert await generations(reporting) == ["removed", "live"]
    async with reporting.connection() as connection:
        old = [
            await connection.fetchval(
                f"SELECT count(*) FROM {table} WHERE generation <> $1",
                number,
            )
            for table in ("fact", "tally", "position", "parked")
        ]
        folded = await connection.fetchval(
            "SELECT events FROM generation WHERE number = $1", number
        )
    assert old == [0, 0, 0, 0]
    assert folded == 33


@pytest.mark.usefixtures("relays")
async def test_a_rebuild_while_events_go_on_misses_and_doubles_none(
    cases: Database,
    reporting: Database,
    rebuilder: Rebuilder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Small enough that working memory is written, and facts are read back, many times.
    monkeypatch.setattr(rebuild, "FACTS_IN_MEMORY", 5)
    monkeypatch.setattr(rebuild, "FACTS_A_CHUNK", 2)
    dice = random.Random(3)  # noqa: S311 - a repeatable dice
    stories = [Story("cases") for _ in range(15)]

    async def go_on_writing() -> None:
        for _ in range(300):
            await write(cases, dice.choice(stories).tell("noted", {"amount": 1}))

    async def rebuild_again_and_again() -> None:
        for _ in range(4):
            await rebuilder.start()
            await rebuilder.finished()

    for story in stories * 3:
        await write(cases, story.tell("noted", {"amount": 1}))
    await asyncio.gather(go_on_writing(), rebuild_again_and_again())

    async def caught_up() -> bool:
        return await tallied(reporting) == (345, 345)

    await until(caught_up, "all is applied")
    assert await generations(reporting) == ["removed"] * 4 + ["live"]
    async with reporting.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM parked") == 0


class HeldHistory:
    """A history that gives nothing until it is let go."""

    def __init__(self, history: DirectHistory) -> None:
        self._history = history
        self.topics = history.topics
        self.let_go = asyncio.Event()

    async def read(self, topic: str, since: Mapping[int, Place]) -> AsyncIterator[Slice]:
        await self.let_go.wait()
        async for each in self._history.read(topic, since):
            yield each


async def test_only_one_rebuild_runs_at_a_time(
    consumer: Consumer, history: DirectHistory, cases: Database, reporting: Database
) -> None:
    await write(cases, *(Story("cases").tell("filed") for _ in range(30)))
    held = HeldHistory(history)
    first, second = Rebuilder(consumer, held), Rebuilder(consumer, history)
    await first.start()
    with pytest.raises(AlreadyRebuilding):
        await second.start()
    held.let_go.set()
    await first.finished()
    await second.start()
    await second.finished()
    assert await generations(reporting) == ["removed", "removed", "live"]


class Recounted(Tally):
    """Counts every amount twice, and keeps it under another name."""

    shape = "a tally of twice the amount"

    def fold(self, body: Body | None, event: Envelope) -> Body:
        before = 0 if body is None else body["twice"]
        counted = super().fold(None, event)
        return {
            **counted,
            "amount": before + 2 * counted["amount"],
            "twice": before + 2 * counted["amount"],
        }


async def test_what_older_code_folded_is_built_anew_and_nothing_is_added_to_it_before(
    cases: Database,
    reporting: Database,
    consumer: Consumer,
    bus: DirectBus,
    history: DirectHistory,
) -> None:
    story = Story("cases")
    await write(cases, story.tell("filed", {"amount": 1}), story.tell("noted", {"amount": 2}))
    relay = asyncio.create_task(Relay(cases, bus, Kept()).run())

    async def applied() -> bool:
        return await tallied(reporting) == (2, 3)

    await until(applied, "all is applied by the older code")
    relay.cancel()
    await asyncio.gather(relay, return_exceptions=True)
    assert consumer.is_current

    newer = Consumer(reporting, Recounted())
    await newer.open()
    assert not newer.is_current
    decided = story.tell("decided", {"amount": 3})
    with pytest.raises(TimeoutError):  # it waits, as nothing has renewed what is served
        async with asyncio.timeout(0.2):
            await newer.apply([Slice("cases", 0, 1, 2, 3, [envelope("cases", decided)])])
    newer_bus = DirectBus(history)
    newer_bus.subscribe(newer)
    relay = asyncio.create_task(Relay(cases, newer_bus, Kept()).run())
    await write(cases, decided)
    held = HeldHistory(history)
    rebuilder = Rebuilder(newer, held)
    renewing = asyncio.create_task(rebuilder.renew())
    await until(lambda: building(reporting), "the new generation is being built")
    assert await tallied(reporting) == (2, 3)
    held.let_go.set()
    await renewing
    assert newer.is_current

    async def recounted() -> bool:
        async with reporting.connection() as connection:
            body = await connection.fetchval(
                "SELECT body FROM fact WHERE generation = (SELECT generation FROM serving)"
            )
        return bool(orjson.loads(body)["twice"] == 12)

    await until(recounted, "the new code has counted every event")
    relay.cancel()
    await asyncio.gather(relay, return_exceptions=True)
    async with reporting.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM parked") == 0
    await rebuilder.close()
    await newer.close()


async def building(database: Database) -> bool:
    return "building" in await generations(database)


@pytest.mark.usefixtures("consumer")
async def test_a_renewal_that_fails_is_tried_again(
    reporting: Database, history: DirectHistory
) -> None:
    async with reporting.connection() as connection:
        await connection.execute("UPDATE generation SET shape = 'older'")
    newer = Consumer(reporting, Tally())
    await newer.open()

    class Failing(HeldHistory):
        async def read(self, topic: str, since: Mapping[int, Place]) -> AsyncIterator[Slice]:
            if not self.let_go.is_set():
                self.let_go.set()
                raise ConnectionError("the bus is away")
            async for each in history.read(topic, since):
                yield each

    rebuilder = Rebuilder(newer, Failing(history))
    await rebuilder.renew()
    assert newer.is_current
    assert await generations(reporting) == ["removed", "failed", "live"]
    await rebuilder.close()
    await newer.close()


async def test_a_rebuild_cut_short_leaves_the_old_served_and_is_cleared(
    cases: Database, reporting: Database, rebuilder: Rebuilder
) -> None:
    await write(cases, *(Story("cases").tell("filed") for _ in range(30)))
    number = await rebuilder.start()
    async with reporting.connection() as connection:  # as a process killed meanwhile leaves it
        await rebuilder.close()
        await connection.execute(
            "UPDATE generation SET state = 'building' WHERE number = $1", number
        )
        await connection.execute("INSERT INTO tally VALUES ($1, 'cases', 1, 1)", number)
    await rebuilder.clear()

    assert await generations(reporting) == ["live", "failed"]
    async with reporting.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM tally") == 0


async def test_a_history_that_lost_applied_events_is_what_counts_after_a_rebuild(
    cases: Database, reporting: Database, bus: DirectBus, rebuilder: Rebuilder
) -> None:
    story = Story("cases")
    await write(cases, story.tell("filed", {"amount": 1}), story.tell("noted", {"amount": 9}))
    relay = asyncio.create_task(Relay(cases, bus, Kept()).run())

    async def applied() -> bool:
        return await tallied(reporting) == (2, 10)

    await until(applied, "all is applied")
    relay.cancel()
    await asyncio.gather(relay, return_exceptions=True)
    async with cases.connection() as connection:
        await connection.execute("DELETE FROM event WHERE aggregate_version = 2")
    await rebuilder.start()
    await rebuilder.finished()
    assert await tallied(reporting) == (1, 1)
