"""A service's connections: its schema, its JSON, and a plain word when there are none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import orjson
import pytest
from sqlalchemy import column, func, select, table, text
from sqlalchemy import exc as sqlalchemy_errors
from sqlalchemy.dialects.postgresql import JSONB

from shared.postgres.availability import DatabaseUnavailable, is_unavailable
from shared.postgres.database import ANSWER_SECONDS, STATEMENT_SECONDS, Database, NotReady
from shared.postgres.provision import provision

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.postgres.embedded import EmbeddedPostgres
    from tests.postgres_fixture import FreshDatabase, MakeFresh

MIGRATIONS = Path(__file__).with_name("migrations")
STATEMENT = {"案号": "渝潼环罚〔2024〕1号", "n": 1}


@pytest.fixture
async def fresh(fresh_database: MakeFresh) -> FreshDatabase:
    return await fresh_database({"cases": MIGRATIONS})


@pytest.fixture
async def database(fresh: FreshDatabase) -> AsyncIterator[Database]:
    opened = fresh.database("cases")
    await opened.open()
    yield opened
    await opened.close()


async def test_json_passes_through_the_pool_unparsed(database: Database) -> None:
    async with database.connection() as connection:
        for given in (orjson.dumps(STATEMENT), orjson.dumps(STATEMENT).decode()):
            for kind in ("json", "jsonb"):
                got = await connection.fetchval(f"SELECT $1::{kind}", given)
                assert isinstance(got, bytes)
                assert orjson.loads(got) == STATEMENT


async def test_the_engine_gives_json_as_values_in_the_services_schema(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO ledger (id, data) VALUES (1, $1)", orjson.dumps(STATEMENT)
        )
    async with database.engine.connect() as connection:
        ledger = table("ledger", column("data", JSONB))
        row = (await connection.execute(select(ledger.c.data, func.current_schema()))).one()
    assert tuple(row) == (STATEMENT, "cases")


async def test_an_open_transaction_is_rolled_back_on_return(database: Database) -> None:
    async with database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("INSERT INTO ledger (id, data) VALUES (1, '{}')")
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM ledger") == 0


async def test_a_migrated_database_is_ready(database: Database) -> None:
    await database.ready()


async def test_an_unmigrated_database_is_not_ready(postgres: EmbeddedPostgres) -> None:
    admin_url = postgres.dsn("postgres", "postgres")
    await provision(admin_url, ["cases"], database="unmigrated")
    database = Database("cases", postgres.dsn("cases", "unmigrated"), migrations=MIGRATIONS)
    await database.open()
    try:
        with pytest.raises(NotReady, match="ecocase migrate cases"):
            await database.ready()
    finally:
        await database.close()


async def test_a_database_of_ctype_c_is_not_ready(postgres: EmbeddedPostgres) -> None:
    admin_url = postgres.dsn("postgres", "postgres")
    admin = await asyncpg.connect(admin_url)
    try:
        await admin.execute("CREATE DATABASE ctype_c TEMPLATE template0 LOCALE 'C'")
    finally:
        await admin.close()
    await provision(admin_url, ["cases"], database="ctype_c")
    database = Database("cases", postgres.dsn("cases", "ctype_c"), migrations=MIGRATIONS)
    await database.open()
    try:
        with pytest.raises(NotReady, match="LC_CTYPE"):
            await database.ready()
    finally:
        await database.close()


async def end_all(fresh: FreshDatabase) -> None:
    """End every other session of the database."""
    admin = await asyncpg.connect(fresh.url("postgres"))
    await admin.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await admin.close()


async def test_an_idle_connection_that_the_server_ended_is_not_lent(
    database: Database, fresh: FreshDatabase
) -> None:
    async with database.connection() as connection:
        await connection.fetchval("SELECT 1")
    async with database.engine.connect() as session:
        await session.execute(text("SELECT 1"))
    await end_all(fresh)
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    async with database.engine.connect() as session:
        assert (await session.execute(text("SELECT 1"))).scalar() == 1


async def test_a_server_that_does_not_answer_is_given_up_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = database.new_engine(answer_seconds=0.5)
    with pytest.raises(DatabaseUnavailable):
        async with engine.connect() as session:
            await session.execute(text("SELECT pg_sleep(30)"))
    await engine.dispose()
    monkeypatch.setattr("shared.postgres.database.ANSWER_SECONDS", 0.5)
    hasty = Database("cases", database.url, migrations=MIGRATIONS)
    await hasty.open()
    with pytest.raises(DatabaseUnavailable):
        async with hasty.connection() as connection:
            await connection.execute("SELECT pg_sleep(30)")
    assert hasty.lender.in_use == 0
    await hasty.close()


async def test_a_slow_statement_is_ended_by_the_server_before_we_give_up(
    database: Database,
) -> None:
    async with database.connection() as connection:
        assert await connection.fetchval("SHOW statement_timeout") == f"{STATEMENT_SECONDS}s"
    async with database.engine.connect() as session:
        shown = (await session.execute(text("SHOW statement_timeout"))).scalar()
    assert shown == f"{STATEMENT_SECONDS}s"
    assert STATEMENT_SECONDS < ANSWER_SECONDS


async def test_a_connection_that_the_server_ends_is_unavailable_and_the_next_one_works(
    database: Database, fresh: FreshDatabase
) -> None:
    async def by_pool() -> None:
        async with database.connection() as connection:
            await end_all(fresh)
            await connection.fetchval("SELECT 1")

    async def by_engine() -> None:
        async with database.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
            await end_all(fresh)
            await connection.execute(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailable):
        await by_pool()
    with pytest.raises(sqlalchemy_errors.DBAPIError) as refused:
        await by_engine()
    assert is_unavailable(refused.value)
    await database.ready()


async def test_a_statement_past_its_time_is_unavailable(database: Database) -> None:
    connection = await database.connect({"statement_timeout": "10ms"})
    try:
        with pytest.raises(asyncpg.QueryCanceledError) as refused:
            await connection.execute("SELECT pg_sleep(30)")
        assert is_unavailable(refused.value)
    finally:
        await connection.close()


async def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    nowhere = Database(
        "cases", f"postgresql://cases@/ecocase?host={tmp_path}", migrations=MIGRATIONS
    )
    with pytest.raises(DatabaseUnavailable) as by_pool:
        await nowhere.open()
    assert is_unavailable(by_pool.value)
    engine = nowhere.new_engine()
    with pytest.raises(DatabaseUnavailable):
        async with engine.connect():
            pass


async def test_a_pool_whose_connections_are_all_lent_is_unavailable(
    fresh: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.postgres.database.WAIT_SECONDS", 0.05)
    database = Database("cases", fresh.url("cases"), migrations=MIGRATIONS, pool_size=1)
    await database.open()
    try:
        async with database.connection():
            with pytest.raises(DatabaseUnavailable):
                async with database.connection():
                    pass
    finally:
        await database.close()


@pytest.mark.parametrize(
    "fault",
    [
        FileNotFoundError("a missing template"),
        TimeoutError("an outside service"),
        asyncpg.UniqueViolationError("duplicate key"),
        asyncpg.InterfaceError("wrong number of arguments"),
        sqlalchemy_errors.ArgumentError("a bad query"),
    ],
)
def test_a_fault_of_ours_is_not_called_unavailable(fault: Exception) -> None:
    assert not is_unavailable(fault)
