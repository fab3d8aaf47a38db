"""Migrations run once, inside the service's schema, and only when asked."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from shared.postgres import revision
from shared.postgres.database import Database
from shared.postgres.migrate import Migrations, ensure
from shared.postgres.provision import provision
from shared.postgres.revision import Unmigrated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.postgres.embedded import EmbeddedPostgres
    from tests.postgres_fixture import FreshDatabases

MIGRATIONS = Path(__file__).with_name("migrations")


@pytest.fixture
async def empty(
    postgres: EmbeddedPostgres, fresh_databases: FreshDatabases
) -> AsyncIterator[Database]:
    """A provisioned database that no migration has touched."""
    await provision(postgres.dsn("postgres", "postgres"), ["permits"], database="empty")
    database = Database("permits", postgres.dsn("permits", "empty"), migrations=MIGRATIONS)
    await database.open()
    yield database
    await database.close()
    await fresh_databases._administer("DROP DATABASE empty WITH (FORCE)")


async def test_migrations_run_once_and_inside_the_services_schema(empty: Database) -> None:
    migrations = Migrations(empty)
    assert await migrations.current() is None
    await ensure(empty, migrate=True)
    assert await migrations.current() == migrations.head() == "0002"
    async with empty.connection() as connection:
        tables = await connection.fetch(
            "SELECT schemaname, tablename FROM pg_tables WHERE tableowner = 'permits' ORDER BY 2"
        )
        await connection.execute("INSERT INTO ledger (id, data, note) VALUES (1, '{}', 'kept')")
    assert [tuple(row) for row in tables] == [
        ("permits", "alembic_version"),
        ("permits", "ledger"),
    ]

    await ensure(empty, migrate=True)
    await migrations.upgrade()
    async with empty.connection() as connection:
        assert await connection.fetchval("SELECT note FROM ledger") == "kept"


async def test_processes_that_migrate_at_once_take_turns(empty: Database) -> None:
    await asyncio.gather(*(Migrations(empty).upgrade() for _ in range(3)))
    assert await Migrations(empty).current() == "0002"


async def test_an_unmigrated_database_is_refused_with_the_command_to_run(empty: Database) -> None:
    with pytest.raises(
        Unmigrated, match="停在 空库,本程序需要 0002:请先运行 ecocase migrate permits"
    ):
        await ensure(empty, migrate=False)


async def test_a_database_newer_than_the_program_is_refused(empty: Database) -> None:
    await ensure(empty, migrate=True)
    async with empty.connection() as connection:
        await connection.execute("UPDATE alembic_version SET version_num = '0003'")
    with pytest.raises(Unmigrated, match="请换用新版本的程序"):
        await ensure(empty, migrate=True)


async def test_tables_that_differ_from_the_models_are_found(empty: Database) -> None:
    await ensure(empty, migrate=True)
    metadata = sa.MetaData()
    ledger = sa.Table(
        "ledger",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("data", JSONB, nullable=False),
        sa.Column("note", sa.Text),
    )
    assert await Migrations(empty).differences(metadata) == []
    ledger.append_column(sa.Column("signed_by", sa.Text))
    (difference,) = await Migrations(empty).differences(metadata)
    assert difference[0] == "add_column"


async def test_a_database_at_head_is_seen_without_importing_alembic(empty: Database) -> None:
    await ensure(empty, migrate=True)
    script = f"""
import asyncio, sys
from pathlib import Path
from shared.postgres.database import Database
from shared.postgres.migrate import ensure

async def main():
    database = Database("permits", {empty.url!r}, migrations=Path({str(MIGRATIONS)!r}))
    await database.open()
    await ensure(database, migrate=True)
    await database.close()

asyncio.run(main())
assert "alembic" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)  # noqa: S603, ASYNC221 - our own


@pytest.mark.parametrize(
    "names", [[], ["0001_a.py", "0001_b.py"], ["0001_a.py", "a3f0_b.py"]], ids=str
)
def test_migrations_named_against_the_convention_are_refused(
    tmp_path: Path, names: list[str]
) -> None:
    (tmp_path / "versions").mkdir()
    for name in names:
        (tmp_path / "versions" / name).touch()
    with pytest.raises(ValueError, match="0001_what"):
        revision.head(tmp_path)
