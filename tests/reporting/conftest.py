"""Reporting on its own database, and events told to it as a bus would bring them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from services.reporting.app import MIGRATIONS
from services.reporting.projection import Statistics
from services.reporting.queries import Queries
from shared.clock.law_time import parse_instant
from shared.consumer.consumer import Consumer
from shared.consumer.slice import Slice
from tests.event_history import BUREAU, Story, envelope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from shared.postgres.database import Database
    from tests.postgres_fixture import MakeFresh


class Told:
    """Reporting that is told events, one slice a call."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.consumer = Consumer(database, Statistics())
        self.offsets: dict[str, int] = {}
        self.rows: list[dict[str, Any]] = []

    async def tell(self, story: Story, *told: tuple[str, str, dict[str, Any]]) -> None:
        """Tell events of one aggregate: type, day or time, data."""
        await self.bring(
            story.topic, *(story.tell(f"{name}.v1", data, at=on(at)) for name, at, data in told)
        )

    async def bring(self, topic: str, *rows: dict[str, Any]) -> None:
        """Bring rows as a slice of a topic."""
        start = self.offsets.get(topic, 0)
        events = [envelope(topic, row) for row in rows]
        await self.consumer.apply([Slice(topic, 0, 1, start, start + len(rows), events)])
        self.offsets[topic] = start + len(rows)
        self.rows += [{**row, "topic": topic} for row in rows]

    async def figures(self, year: int = 2024, bureau: str = BUREAU) -> dict[str, str | None]:
        """The figures of a year by id."""
        found = await Queries(self.database, lambda: 0.0).figures(bureau, year)
        return {figure.id: value for figure, value in found}

    async def parked(self) -> list[str]:
        """The errors of what is parked."""
        async with self.database.connection() as connection:
            rows = await connection.fetch("SELECT error FROM parked ORDER BY parked_at, version")
        return [row["error"] for row in rows]


def on(text: str) -> datetime:
    """A day, or an instant."""
    return parse_instant(text)


@pytest.fixture
async def database(fresh_database: MakeFresh) -> AsyncIterator[Database]:
    fresh = await fresh_database({"reporting": MIGRATIONS})
    database = fresh.database("reporting")
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def told(database: Database) -> AsyncIterator[Told]:
    told = Told(database)
    await told.consumer.open()
    yield told
    await told.consumer.close()
