"""A PostgreSQL with the product's own settings, and any number of migrated databases on it."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.launch.storage import MIGRATIONS
from shared.postgres.database import Database
from shared.postgres.embedded import EmbeddedPostgres
from shared.postgres.migrate import ensure
from shared.postgres.provision import provision

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ground:
    """One database with every service's schema."""

    server: EmbeddedPostgres
    name: str

    @property
    def url(self) -> str:
        """A superuser's URL."""
        return self.server.dsn("postgres", self.name)

    @property
    def urls(self) -> dict[str, str]:
        """Each service's URL."""
        return {service: self.server.dsn(service, self.name) for service in MIGRATIONS}

    @asynccontextmanager
    async def open(self, *services: str) -> AsyncIterator[list[Database]]:
        """Open services' databases in this process."""
        async with AsyncExitStack() as stack:
            opened = []
            for service in services:
                database = Database(service, self.urls[service], migrations=MIGRATIONS[service])
                await database.open()
                stack.push_async_callback(database.close)
                opened.append(database)
            yield opened


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[EmbeddedPostgres]:
    """Run a PostgreSQL as the platform runs its own."""
    postgres = EmbeddedPostgres(folder)
    await postgres.start()
    try:
        yield postgres
    finally:
        await postgres.stop()


async def new_ground(postgres: EmbeddedPostgres, name: str) -> Ground:
    """Make a database and migrate every service's schema in it."""
    ground = Ground(postgres, name)
    await provision(postgres.dsn("postgres", "postgres"), list(MIGRATIONS), database=name)
    async with ground.open(*MIGRATIONS) as databases:
        for database in databases:
            await ensure(database, migrate=True)
    return ground
