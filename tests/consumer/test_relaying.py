"""From a commit to the projection: late commits, restarts, two leaders, crashes in between."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from shared.relay.relay import Relay
from tests.event_history import Story, write
from tests.seals_kept import Kept
from tests.tally import tallied
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.consumer.consumer import Consumer
    from shared.postgres.database import Database
    from shared.relay.bus import Bus
    from shared.relay.direct import DirectBus
    from shared.relay.log import Page
    from tests.postgres_fixture import FreshDatabase


@asynccontextmanager
async def relaying(database: Database, bus: Bus, page_events: int = 100) -> AsyncIterator[Relay]:
    relay = Relay(database, bus, Kept(), page_events=page_events)
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def applied(reporting: Database, events: int, amount: int) -> None:
    async def all_there() -> bool:
        return await tallied(reporting) == (events, amount)

    await until(all_there, f"{events} events of {amount} applied")


async def cursor(database: Database) -> tuple[int, int]:
    async with database.connection() as connection:
        row = await connection.fetchrow("SELECT term, position FROM relay_cursor")
    assert row is not None
    return row["term"], row["position"]


async def test_what_is_committed_is_soon_applied(
    cases: Database, reporting: Database, bus: DirectBus
) -> None:
    story = Story("cases")
    async with relaying(cases, bus):
        await write(cases, story.tell("filed", {"amount": 1}))
        await applied(reporting, 1, 1)
        await write(cases, story.tell("noted", {"amount": 2}))
        await applied(reporting, 2, 3)


async def test_concurrent_writers_and_a_relay_killed_at_random_lose_and_double_nothing(
    cases: Database, reporting: Database, bus: DirectBus
) -> None:
    dice = random.Random(7)  # noqa: S311 - a repeatable dice
    stories = [Story("cases") for _ in range(50)]
    turns = [asyncio.Lock() for _ in stories]
    written = 0

    async def writer() -> None:
        nonlocal written
        connection = await cases.connect()
        for _ in range(12):
            number = dice.randrange(50)
            async with turns[number], connection.transaction():
                await write(connection, stories[number].tell("noted", {"amount": 1}))
                await asyncio.sleep(dice.random() * 0.02)  # a transaction that dawdles
                written += 1
        await connection.close()

    async def restless_relay() -> None:
        while True:
            async with relaying(cases, bus, page_events=dice.choice([2, 7, 50])):
                await asyncio.sleep(dice.random() * 0.1)

    relay = asyncio.create_task(restless_relay())
    await asyncio.gather(*(writer() for _ in range(32)))
    relay.cancel()
    await asyncio.gather(relay, return_exceptions=True)
    async with relaying(cases, bus):
        await applied(reporting, written, written)
    async with reporting.connection() as connection:
        versions = await connection.fetch("SELECT aggregate_id, version, hash FROM fact")
        assert await connection.fetchval("SELECT count(*) FROM parked") == 0
    assert {row["aggregate_id"]: (row["version"], row["hash"]) for row in versions} == {
        story.id: (story.version, story.hash) for story in stories if story.version
    }


class CrashingBus:
    """Hands pages on, and dies before it can say so."""

    def __init__(self, bus: DirectBus) -> None:
        self.bus = bus
        self.crashed = asyncio.Event()

    async def publish(self, topic: str, page: Page, topic_generation: int) -> None:
        await self.bus.publish(topic, page, topic_generation)
        self.crashed.set()
        raise ConnectionError("gone after the consumer's commit")

    async def resign(self, topic: str) -> None:
        pass


async def test_a_crash_between_the_consumers_commit_and_the_cursor_counts_once(
    cases: Database, reporting: Database, bus: DirectBus
) -> None:
    story = Story("cases")
    await write(cases, story.tell("filed", {"amount": 1}), story.tell("noted", {"amount": 1}))
    crashing = CrashingBus(bus)
    async with relaying(cases, crashing):
        await crashing.crashed.wait()
    assert await tallied(reporting) == (2, 2)
    assert (await cursor(cases))[1] == 0

    await write(cases, story.tell("decided", {"amount": 1}))
    async with relaying(cases, bus):
        await applied(reporting, 3, 3)


class HangingBus:
    """Holds a page until told to go on."""

    def __init__(self, bus: DirectBus) -> None:
        self.bus = bus
        self.holds = asyncio.Event()
        self.go_on = asyncio.Event()

    async def publish(self, topic: str, page: Page, topic_generation: int) -> None:
        self.holds.set()
        await self.go_on.wait()
        await self.bus.publish(topic, page, topic_generation)

    async def resign(self, topic: str) -> None:
        pass


async def test_a_leader_that_was_replaced_does_not_move_the_cursor(
    cases: Database, reporting: Database, bus: DirectBus, fresh: FreshDatabase
) -> None:
    story = Story("cases")
    await write(cases, story.tell("filed", {"amount": 1}))
    hanging = HangingBus(bus)
    async with relaying(cases, hanging) as old:
        await hanging.holds.wait()
        await drop_advisory_locks(fresh)  # as if the old leader's session had been lost unnoticed
        async with relaying(cases, bus):
            await applied(reporting, 1, 1)
            await until(lambda: at(cases, (2, 1)), "the new leader's cursor has moved")
            hanging.go_on.set()
            await until(lambda: stopped(old), "the old leader has given up")
    assert await cursor(cases) == (2, 1)
    assert await tallied(reporting) == (1, 1)


async def at(database: Database, wanted: tuple[int, int]) -> bool:
    return await cursor(database) == wanted


async def stopped(relay: Relay) -> bool:
    return relay.lag_seconds > 0 and relay.published_through is None


async def drop_advisory_locks(fresh: FreshDatabase) -> None:
    """End the sessions that hold a relay's lock; their holders notice at their next statement."""
    import asyncpg  # noqa: PLC0415

    admin = await asyncpg.connect(fresh.url("postgres"))
    await admin.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks"
        " WHERE locktype = 'advisory' AND classid = 7629"
    )
    await admin.close()


async def test_a_second_relay_waits_and_takes_over(
    cases: Database, reporting: Database, bus: DirectBus
) -> None:
    story = Story("cases")
    async with relaying(cases, bus) as first:
        await write(cases, story.tell("filed"))
        await applied(reporting, 1, 0)
        async with relaying(cases, bus) as second:
            await write(cases, story.tell("noted"))
            await applied(reporting, 2, 0)
            assert first.published_through is not None
            assert second.published_through is None
    async with relaying(cases, bus):
        await write(cases, story.tell("decided"))
        await applied(reporting, 3, 0)

        async def moved() -> bool:
            return await cursor(cases) == (2, 3)

        await until(moved, "the cursor has moved under the second term")


async def test_the_relay_goes_on_after_its_database_was_lost(
    cases: Database, reporting: Database, bus: DirectBus, fresh: FreshDatabase
) -> None:
    story = Story("cases")
    async with relaying(cases, bus):
        await write(cases, story.tell("filed"))
        await applied(reporting, 1, 0)
        await drop_advisory_locks(fresh)
        await write(cases, story.tell("noted"))
        await applied(reporting, 2, 0)


async def test_a_consumer_that_joins_later_reads_what_it_missed(
    cases: Database, reporting: Database, bus: DirectBus, consumer: Consumer
) -> None:
    story = Story("cases")
    await write(cases, *(story.tell("noted", {"amount": 1}) for _ in range(8)))
    async with relaying(cases, bus):
        await applied(reporting, 8, 8)
    async with reporting.connection() as connection:  # as a new consumer would stand
        await connection.execute("DELETE FROM position")
        await connection.execute("DELETE FROM fact")
        await connection.execute("DELETE FROM tally")
    await write(cases, story.tell("decided", {"amount": 1}))
    async with relaying(cases, bus):
        await applied(reporting, 9, 9)
    assert await consumer.replay() == 0


async def test_a_log_that_lost_applied_events_is_found_out(
    cases: Database, reporting: Database, bus: DirectBus
) -> None:
    kept, lost = Story("cases"), Story("cases")
    await write(cases, kept.tell("filed", {"amount": 1}))
    async with relaying(cases, bus):
        await applied(reporting, 1, 1)
    async with cases.connection() as connection:
        before = await connection.fetchrow("SELECT * FROM relay_cursor")
    assert before is not None
    forked = Story("cases", id=kept.id, version=1, hash=kept.hash)
    await write(cases, kept.tell("noted", {"amount": 10}), lost.tell("filed", {"amount": 100}))
    async with relaying(cases, bus):
        await applied(reporting, 3, 111)

    async with cases.connection() as connection:  # an older backup is restored, and work goes on
        await connection.execute("DELETE FROM event WHERE seq > 1")
        await connection.execute(
            "UPDATE relay_cursor SET xid = $1, seq = $2, position = $3, event_id = $4",
            *(before[name] for name in ("xid", "seq", "position", "event_id")),
        )
    await write(cases, forked.tell("decided", {"amount": 20}))
    async with relaying(cases, bus):
        await until(lambda: forks(reporting, 1), "the fork is parked")
    assert await tallied(reporting) == (3, 111)


async def forks(database: Database, wanted: int) -> bool:
    async with database.connection() as connection:
        found = await connection.fetchval("SELECT count(*) FROM parked WHERE reason = 'fork'")
    return bool(found == wanted)


@pytest.mark.parametrize("hold_seconds", [1.2])
async def test_the_lag_tells_of_events_that_an_open_transaction_holds_back(
    cases: Database, reporting: Database, bus: DirectBus, hold_seconds: float
) -> None:
    async with relaying(cases, bus) as relay:
        slow = await cases.connect()
        transaction = slow.transaction()
        await transaction.start()
        await slow.fetchval("SELECT pg_current_xact_id()")
        await write(cases, Story("cases").tell("filed"))

        async def lags() -> bool:
            return relay.lag_seconds > hold_seconds

        await until(lags, "the relay says that it lags")
        assert await tallied(reporting) == (0, 0)
        await transaction.rollback()
        await slow.close()
        await applied(reporting, 1, 0)

        async def caught_up() -> bool:
            return relay.lag_seconds == 0

        await until(caught_up, "the lag is over")
