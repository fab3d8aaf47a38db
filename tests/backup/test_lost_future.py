"""A service restored from a backup that is older than what the statistics have counted of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import asyncpg
import pytest
from prometheus_client import REGISTRY

from shared.consumer.consumer import Consumer
from shared.consumer.rebuild import Rebuilder
from shared.postgres.database import Database
from shared.postgres.dump import dump, load
from shared.postgres.embedded import EmbeddedPostgres
from shared.postgres.provision import provision
from shared.relay.direct import DirectBus, DirectHistory
from shared.relay.epoch import open_epoch
from shared.relay.relay import Relay
from tests.consumer.conftest import EVENTS, TALLY
from tests.event_history import Story, write
from tests.postgres_fixture import FAST, run
from tests.seals_kept import Kept
from tests.tally import Tally, tallied
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.postgres_fixture import FreshDatabase, MakeFresh

RESTORED = "restored"


@pytest.fixture
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A new cluster, whose transaction numbers begin at the beginning."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("other"), FAST)
    run(server.start())
    yield server
    run(server.stop())


@pytest.fixture
async def before(fresh_database: MakeFresh) -> FreshDatabase:
    return await fresh_database({"cases": EVENTS})


@pytest.fixture
async def reporting(fresh_database: MakeFresh) -> AsyncIterator[Database]:
    database = (await fresh_database({"reporting": TALLY})).database("reporting")
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def consumer(reporting: Database) -> AsyncIterator[Consumer]:
    consumer = Consumer(reporting, Tally())
    await consumer.open()
    yield consumer
    await consumer.close()


@dataclass
class Service:
    """A service as the platform runs it: its events, and its relay to the statistics."""

    database: Database
    history: DirectHistory


@asynccontextmanager
async def running(database: Database, consumer: Consumer) -> AsyncIterator[Service]:
    """Start it as the platform does: first the epoch, then what was lost, then the relay."""
    await database.open()
    await open_epoch(database)
    history = DirectHistory([database], page_events=3)
    bus = DirectBus(history)
    bus.subscribe(consumer)
    await bus.find_lost()
    relay = asyncio.create_task(Relay(database, bus, Kept()).run())
    try:
        yield Service(database, history)
    finally:
        relay.cancel()
        await asyncio.gather(relay, return_exceptions=True)
        history.close()
        await database.close()


async def backup(before: FreshDatabase) -> list[bytes]:
    """The service's database as it stands."""
    connection = await asyncpg.connect(before.url("postgres"))
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
        dumped = [chunk async for chunk in dump(before.url("postgres"), snapshot)]
    await connection.close()
    return dumped


async def restore(dumped: list[bytes], other: EmbeddedPostgres) -> Database:
    """The service's database in another cluster, not yet opened."""
    await provision(other.dsn("postgres", "postgres"), ["cases"], database=RESTORED)

    async def chunks() -> AsyncIterator[bytes]:
        for chunk in dumped:
            yield chunk

    await load(other.dsn("postgres", RESTORED), chunks())
    return Database("cases", other.dsn("cases", RESTORED), migrations=EVENTS)


async def burn_past(url: str, other_url: str) -> None:
    """Use up transaction numbers until they are past the other cluster's."""
    connection, other = await asyncpg.connect(url), await asyncpg.connect(other_url)
    behind = int(await other.fetchval("SELECT pg_current_xact_id()::text")) - int(
        await connection.fetchval("SELECT pg_current_xact_id()::text")
    )
    await connection.execute(
        "DO $$ BEGIN FOR i IN 1.."
        + str(behind + 1_000)
        + " LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
    )
    await connection.close()
    await other.close()


async def counted(reporting: Database, events: int, amount: int) -> None:
    async def so_many() -> bool:
        return await tallied(reporting) == (events, amount)

    await until(so_many, f"{events} events of {amount} are counted")


async def parked(reporting: Database) -> list[tuple[str, int]]:
    async with reporting.connection() as connection:
        rows = await connection.fetch(
            "SELECT reason, version FROM parked"
            " WHERE generation = (SELECT generation FROM serving) ORDER BY version, aggregate_id"
        )
    return [tuple(row) for row in rows]


def metric(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


@pytest.mark.parametrize("restored_numbers", ["lower", "higher"])
async def test_forks_are_parked_and_alarmed_until_a_rebuild_ends_clean(
    before: FreshDatabase,
    other: EmbeddedPostgres,
    reporting: Database,
    consumer: Consumer,
    restored_numbers: str,
) -> None:
    two, three, quiet, gone = (Story("cases") for _ in range(4))
    admin = before.server.dsn("postgres", "postgres"), other.dsn("postgres", "postgres")
    await burn_past(*(admin if restored_numbers == "lower" else admin[::-1]))
    async with running(before.database("cases"), consumer) as service:
        await write(service.database, *(one.tell("filed", {"amount": 1}) for one in (two, three)))
        await write(service.database, quiet.tell("filed", {"amount": 1}))
        await counted(reporting, 3, 3)
        dumped = await backup(before)
        again = [replace(one) for one in (two, three)]  # told on in another way later
        await write(service.database, *(one.tell("noted", {"amount": 10}) for one in (two, three)))
        await write(service.database, gone.tell("filed", {"amount": 100}))
        await counted(reporting, 6, 123)
    assert metric("ecocase_consumer_rebuild_due") == 0

    async with running(await restore(dumped, other), consumer) as service:
        assert metric("ecocase_consumer_rebuild_due") == 1  # before anything has come
        two, three = again
        await write(service.database, quiet.tell("noted", {"amount": 1_000}))
        await write(service.database, *(one.tell("noted", {"amount": 20}) for one in (two, three)))
        await write(service.database, three.tell("decided", {"amount": 20}))

        async def all_seen() -> bool:
            forks = metric("ecocase_consumer_parked", reason="fork")  # set after the commit
            return forks == len(await parked(reporting)) == 3

        await until(all_seen, "the forks are parked and alarmed")
        assert await parked(reporting) == [("fork", 2), ("fork", 2), ("fork", 3)]
        assert await tallied(reporting) == (7, 1_123)
        async with service.database.connection() as connection:
            rows = await connection.fetch("SELECT epoch, xid, seq FROM event ORDER BY seq")
        assert [row["epoch"] for row in rows] == [1, 1, 1, 2, 2, 2, 2]
        old, new = rows[2]["xid"], rows[3]["xid"]
        assert (new < old) is (restored_numbers == "lower")

        rebuilder = Rebuilder(consumer, service.history)
        await rebuilder.start()
        await rebuilder.finished()
        assert await parked(reporting) == []
        assert await tallied(reporting) == (7, 1_063)
        assert metric("ecocase_consumer_rebuild_due") == 0
        assert metric("ecocase_consumer_parked", reason="fork") == 0
        await write(service.database, two.tell("decided", {"amount": 1}))
        await counted(reporting, 8, 1_064)
        assert metric("ecocase_consumer_rebuild_due") == 0
        await rebuilder.close()


async def test_a_log_that_lacks_an_event_before_the_last_one_counted_is_found_out(
    before: FreshDatabase, other: EmbeddedPostgres, reporting: Database, consumer: Consumer
) -> None:
    late, early, new = (Story("cases") for _ in range(3))
    async with running(before.database("cases"), consumer) as service:
        slow = await service.database.connect()
        async with slow.transaction():
            await write(slow, late.tell("filed", {"amount": 1}))  # of the lower number …
            await write(service.database, early.tell("filed", {"amount": 10}))
            dumped = await backup(before)  # … and not committed yet
        await slow.close()
        await counted(reporting, 2, 11)

    async with running(await restore(dumped, other), consumer) as service:
        await write(service.database, new.tell("filed", {"amount": 100}))
        await counted(reporting, 3, 111)
        assert metric("ecocase_consumer_rebuild_due") == 1
        rebuilder = Rebuilder(consumer, service.history)
        await rebuilder.start()
        await rebuilder.finished()
        assert await tallied(reporting) == (2, 110)


async def test_statistics_older_than_the_log_read_on(
    before: FreshDatabase, other: EmbeddedPostgres, reporting: Database, consumer: Consumer
) -> None:
    story = Story("cases")
    async with running(before.database("cases"), consumer) as service:
        await write(service.database, story.tell("filed", {"amount": 1}))
        await counted(reporting, 1, 1)
    untold = before.database("cases")
    await untold.open()
    await write(untold, *(story.tell("noted", {"amount": 1}) for _ in range(5)))
    await untold.close()
    dumped = await backup(before)

    async with running(await restore(dumped, other), consumer) as service:
        await write(service.database, story.tell("decided", {"amount": 1}))
        await counted(reporting, 7, 7)
        assert metric("ecocase_consumer_rebuild_due") == 0
        assert await parked(reporting) == []
