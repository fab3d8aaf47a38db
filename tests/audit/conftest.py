"""The cases service with its trail, and a look at what the trail holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg
import orjson
import pytest

from services.cases import app as cases
from tests.service_double import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from shared.audit.log import AuditLog
    from shared.postgres.database import Database
    from tests.postgres_fixture import FreshDatabase, MakeFresh
    from tests.service_double import Service


@dataclass
class Trailed:
    """A running service, and the database behind its back."""

    service: Service
    fresh: FreshDatabase

    @property
    def log(self) -> AuditLog:
        """The trail it writes."""
        return self.service.audit

    async def entries(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What the trail holds, in the order of writing."""
        return await entries(self.service.database, kind)

    async def behind_its_back(self, *statements: str) -> None:
        """Change the service's tables as the database's owner, triggers asleep."""
        await tamper(self.fresh, self.service.name, *statements)

    async def findings(self, limit: int = 1000) -> list[dict[str, Any]]:
        """Everything that verification names, page by page."""
        named: list[dict[str, Any]] = []
        params: dict[str, Any] = {"limit": limit}
        while True:
            answer = await self.service.get("/audit-log/verification", "auditadmin1", **params)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            named += page["findings"]
            if page["next"] is None:
                return named
            params["after"] = page["next"]


async def entries(database: Database, kind: str | None = None) -> list[dict[str, Any]]:
    """The entries of a trail, in the order of writing."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT * FROM audit_entry WHERE $1::text IS NULL OR kind = $1 ORDER BY writer, number",
            kind,
        )
    return [{**row, "details": orjson.loads(row["details"])} for row in rows]


async def tamper(fresh: FreshDatabase, schema: str, *statements: str) -> None:
    """Run statements as the superuser, in one transaction in which no trigger fires."""
    connection = await asyncpg.connect(fresh.url("postgres"))
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL search_path = {schema}")
            await connection.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def made() -> list[FreshDatabase]:
    return []


@pytest.fixture
async def trailed(fresh_database: MakeFresh, made: list[FreshDatabase]) -> AsyncIterator[Trailed]:
    async def make(migrations: Mapping[str, Path]) -> FreshDatabase:
        made.append(await fresh_database(migrations))
        return made[-1]

    async with running(cases, make) as service:
        yield Trailed(service, made[-1])
