"""A service with nothing but its events, and a leader's session to seal them on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shared.relay.epoch import open_epoch
from shared.relay.leadership import Leadership
from shared.relay.log import SETTINGS
from shared.seals.sealer import Sealer
from tests.seals_kept import Kept, begin_term

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.postgres.database import Database
    from tests.postgres_fixture import FreshDatabase, MakeFresh

EVENTS = Path(__file__).parent.with_name("relay") / "migrations"


@pytest.fixture
async def fresh(fresh_database: MakeFresh) -> FreshDatabase:
    return await fresh_database({"cases": EVENTS})


@pytest.fixture
async def cases(fresh: FreshDatabase) -> AsyncIterator[Database]:
    database = fresh.database("cases")
    await database.open()
    await open_epoch(database)
    yield database
    await database.close()


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
async def leadership(cases: Database) -> AsyncIterator[Leadership]:
    session = await cases.connect(SETTINGS)
    yield Leadership(session, await begin_term(cases))
    session.terminate()


@pytest.fixture
def sealer(leadership: Leadership, kept: Kept) -> Sealer:
    return Sealer("cases", leadership, kept)
