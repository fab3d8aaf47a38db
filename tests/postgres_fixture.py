"""A real PostgreSQL for the tests: one server a session, a fresh database a test.

Fixtures hand out URLs, never pools: those belong to the event loop of the test.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, TypeVar

import asyncpg
import pytest

from shared.postgres.database import Database
from shared.postgres.embedded import EmbeddedPostgres
from shared.postgres.migrate import ensure
from shared.postgres.provision import provision, quoted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
    from pathlib import Path
    from typing import Any

    MakeFresh = Callable[[Mapping[str, Path]], Awaitable["FreshDatabase"]]

T = TypeVar("T")

# The cluster is thrown away: nothing need survive a power cut.
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@dataclass(frozen=True, slots=True)
class FreshDatabase:
    """A database of one test, provisioned and migrated for its services."""

    server: EmbeddedPostgres
    name: str
    migrations: Mapping[str, Path]

    def url(self, role: str) -> str:
        """URL for a service's role, or for `postgres`."""
        return self.server.dsn(role, self.name)

    def database(self, service: str) -> Database:
        """Make the service's `Database`, not yet opened; the test closes it."""
        return Database(service, self.url(service), migrations=self.migrations[service])


class FreshDatabases:
    """Makes databases by copying a template, itself provisioned and migrated once."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._templates: dict[tuple[tuple[str, Path], ...], str] = {}
        self._numbers = count(1)

    async def create(self, migrations: Mapping[str, Path]) -> FreshDatabase:
        """Make a database for services, given as name → migrations folder; about 30 ms."""
        key = tuple(sorted(migrations.items()))
        if key not in self._templates:
            template = f"template_{next(self._numbers)}"
            await self._migrated(template, migrations)
            self._templates[key] = template
        name = f"fresh_{next(self._numbers)}"
        await self._administer(
            f"CREATE DATABASE {quoted(name)} TEMPLATE {quoted(self._templates[key])}"
            " STRATEGY file_copy"
        )
        return FreshDatabase(self._server, name, migrations)

    async def drop(self, fresh: FreshDatabase) -> None:
        """Drop it, whoever is still connected."""
        await self._administer(f"DROP DATABASE {quoted(fresh.name)} WITH (FORCE)")

    async def _migrated(self, template: str, migrations: Mapping[str, Path]) -> None:
        admin_url = self._server.dsn("postgres", "postgres")
        await provision(admin_url, list(migrations), database=template)
        for service, folder in migrations.items():
            database = Database(service, self._server.dsn(service, template), migrations=folder)
            await database.open()
            try:
                await ensure(database, migrate=True)
            finally:
                await database.close()

    async def _administer(self, statement: str) -> None:
        connection = await asyncpg.connect(self._server.dsn("postgres", "postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run it on a loop of its own, leaving the tests' current loop alone."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(work)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """The session's server. Give its `dsn(role, database)` to whatever needs one."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), FAST)
    run(server.start())
    yield server
    run(server.stop())


@pytest.fixture(scope="session")
def fresh_databases(postgres: EmbeddedPostgres) -> FreshDatabases:
    """Makes databases that live longer than a test; who creates one drops it."""
    return FreshDatabases(postgres)


@pytest.fixture
def fresh_database(
    fresh_databases: FreshDatabases,
) -> Iterator[MakeFresh]:
    """Make a database of one test, given each service's migrations folder."""
    made: list[FreshDatabase] = []

    async def make(migrations: Mapping[str, Path]) -> FreshDatabase:
        made.append(await fresh_databases.create(migrations))
        return made[-1]

    yield make
    for fresh in made:
        run(fresh_databases.drop(fresh))
