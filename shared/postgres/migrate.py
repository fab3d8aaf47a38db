"""Bring a service's schema to the revision its code needs.

A service keeps `migrations/versions/0001_what.py` and nothing else; `env.py` here
serves all. At head, Alembic is not imported.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.pool import NullPool

from shared.postgres import revision
from shared.postgres.revision import Unmigrated

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData

    from shared.postgres.database import Database

UNBOUNDED = {
    "statement_timeout": "0",
    "transaction_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}


class Migrations:
    """The migrations of one service's open database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def head(self) -> str:
        """The revision this code needs."""
        return revision.head(self._database.migrations)

    async def current(self) -> str | None:
        """The revision the database has, None when empty."""
        async with self._database.connection() as connection:
            return await revision.applied(connection, self._database.schema)

    async def upgrade(self) -> None:
        """Apply what is missing, each revision in a transaction of its own.

        Several processes may call it at once: one applies, the others wait up to 60
        seconds and find nothing to do. The role's limits on time do not apply, except
        `lock_timeout`: a migration must not queue commands up behind it.
        """
        engine = self._database.new_engine(UNBOUNDED, poolclass=NullPool)
        try:
            async with engine.connect() as connection:
                await connection.execute(text("SET LOCAL lock_timeout = '60s'"))
                await connection.execute(
                    text("SELECT pg_advisory_lock(hashtextextended(:what, 0))"),
                    {"what": f"ecocase migrate {self._database.schema}"},
                )
                await connection.commit()  # the lock is the session's and stays
                await connection.run_sync(self._run)
        finally:
            await engine.dispose()

    async def differences(self, metadata: MetaData) -> list[Any]:
        """What the tables in the database and those in `metadata` differ in (for tests)."""
        from alembic.autogenerate import compare_metadata  # noqa: PLC0415 - slow to import
        from alembic.migration import MigrationContext  # noqa: PLC0415

        def compare(connection: Connection) -> list[Any]:
            context = MigrationContext.configure(
                connection, opts={"compare_server_default": True, "compare_type": True}
            )
            return list(compare_metadata(context, metadata))

        async with self._database.engine.connect() as connection:
            return await connection.run_sync(compare)

    def _run(self, connection: Connection) -> None:
        from alembic import command  # noqa: PLC0415 - slow to import, seldom needed
        from alembic.config import Config  # noqa: PLC0415

        config = Config(attributes={"connection": connection, "schema": self._database.schema})
        for name, path in (
            ("script_location", Path(__file__).parent),
            ("version_locations", self._database.migrations / "versions"),
        ):
            config.set_main_option(name, str(path).replace("%", "%%"))
        config.set_main_option("path_separator", "newline")
        command.upgrade(config, "head")


async def ensure(database: Database, *, migrate: bool) -> None:
    """See that the database is at head, by migrating it if `migrate`.

    Raises Unmigrated, whose text names the command to run, if it is not; also when the
    database is newer than this code, which no migration can mend.
    """
    migrations = Migrations(database)
    needed = migrations.head()
    found = await migrations.current()
    if found != needed and migrate and (found or "") < needed:
        await migrations.upgrade()
        found = await migrations.current()
    if found != needed:
        raise Unmigrated(database.service, found, needed)
