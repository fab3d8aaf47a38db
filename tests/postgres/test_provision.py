"""Each service has its own role and schema, bounded in time and closed to the others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

from shared.postgres.provision import provision, quoted

if TYPE_CHECKING:
    from shared.postgres.embedded import EmbeddedPostgres

DATABASE = "provisioned"
SERVICES = ("cases", "permits", 'od"d ; name')


@pytest.fixture
async def provisioned(postgres: EmbeddedPostgres) -> EmbeddedPostgres:
    admin_url = postgres.dsn("postgres", "postgres")
    # Every test finds it provisioned already, but the first; twice at once must do no harm.
    await asyncio.gather(
        provision(admin_url, SERVICES, database=DATABASE),
        provision(admin_url, SERVICES, database=DATABASE),
    )
    return postgres


@pytest.mark.parametrize("service", SERVICES)
async def test_a_role_enters_by_peer_and_owns_its_schema(
    provisioned: EmbeddedPostgres, service: str
) -> None:
    connection = await asyncpg.connect(provisioned.dsn(service, DATABASE))
    try:
        assert await connection.fetchval("SELECT current_user") == service
        assert await connection.fetchval("SELECT current_schema()") == service
        await connection.execute("CREATE TABLE thing (id int); DROP TABLE thing")
    finally:
        await connection.close()


async def test_a_role_cannot_read_another_services_schema(provisioned: EmbeddedPostgres) -> None:
    cases = await asyncpg.connect(provisioned.dsn("cases", DATABASE))
    permits = await asyncpg.connect(provisioned.dsn("permits", DATABASE))
    try:
        await cases.execute("CREATE TABLE secret (id int)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="schema cases"):
            await permits.fetch("SELECT * FROM cases.secret")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="schema public"):
            await permits.execute("CREATE TABLE public.mine (id int)")
        await cases.execute("DROP TABLE secret")
    finally:
        await cases.close()
        await permits.close()


async def test_a_stranger_role_cannot_enter_the_database(provisioned: EmbeddedPostgres) -> None:
    admin = await asyncpg.connect(provisioned.dsn("postgres", "postgres"))
    try:
        await admin.execute("CREATE ROLE stranger LOGIN")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await asyncpg.connect(provisioned.dsn("stranger", DATABASE))
    finally:
        await admin.execute("DROP ROLE stranger")
        await admin.close()


async def test_every_session_of_a_role_is_bounded_in_time(provisioned: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(provisioned.dsn("cases", DATABASE))
    try:
        rows = await connection.fetch(
            "SELECT name, setting, unit FROM pg_settings"
            " WHERE name LIKE '%timeout' AND source = 'user'"
        )
    finally:
        await connection.close()
    assert {(row["name"], row["setting"], row["unit"]) for row in rows} == {
        ("statement_timeout", "30000", "ms"),
        ("transaction_timeout", "30000", "ms"),
        ("idle_in_transaction_session_timeout", "15000", "ms"),
        ("lock_timeout", "10000", "ms"),
    }


@pytest.mark.parametrize("name", ["", "a\0b", "a" * 64, "案" * 22])
def test_a_name_that_postgresql_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not an SQL identifier"):
        quoted(name)
