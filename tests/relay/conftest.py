"""A service with nothing but its events."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.postgres.database import Database
    from tests.postgres_fixture import FreshDatabase, MakeFresh

MIGRATIONS = Path(__file__).with_name("migrations")


@pytest.fixture
async def fresh(fresh_database: MakeFresh) -> FreshDatabase:
    return await fresh_database({"cases": MIGRATIONS})


@pytest.fixture
async def cases(fresh: FreshDatabase) -> AsyncIterator[Database]:
    database = fresh.database("cases")
    await database.open()
    yield database
    await database.close()
