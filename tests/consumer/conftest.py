"""Two services with nothing but events, and a consumer that tallies them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shared.consumer.consumer import Consumer
from shared.relay.direct import DirectBus, DirectHistory
from tests.tally import Tally

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.postgres.database import Database
    from tests.postgres_fixture import FreshDatabase, MakeFresh

EVENTS = Path(__file__).parent.with_name("relay") / "migrations"
TALLY = Path(__file__).with_name("migrations")


@pytest.fixture
async def fresh(fresh_database: MakeFresh) -> FreshDatabase:
    return await fresh_database({"cases": EVENTS, "permits": EVENTS, "reporting": TALLY})


@pytest.fixture
async def cases(fresh: FreshDatabase) -> AsyncIterator[Database]:
    database = fresh.database("cases")
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def permits(fresh: FreshDatabase) -> AsyncIterator[Database]:
    database = fresh.database("permits")
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def reporting(fresh: FreshDatabase) -> AsyncIterator[Database]:
    database = fresh.database("reporting")
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def consumer(reporting: Database) -> AsyncIterator[Consumer]:
    consumer = Consumer(reporting, Tally())
    await consumer.open()
    yield consumer
    await consumer.close()


@pytest.fixture
async def history(cases: Database, permits: Database) -> AsyncIterator[DirectHistory]:
    history = DirectHistory([cases, permits], page_events=3)
    yield history
    history.close()


@pytest.fixture
def bus(history: DirectHistory, consumer: Consumer) -> DirectBus:
    bus = DirectBus(history)
    bus.subscribe(consumer)
    return bus
