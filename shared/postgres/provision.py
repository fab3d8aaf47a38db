"""Lay out a PostgreSQL server for the platform: database, roles, schemas.

Each service has a role that owns one schema, both named after it, and sees no
other's. Every session of a role is bounded in time: a writing transaction left open
anywhere in the server holds back every service's events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DATABASE = "ecocase"
ROLE_SETTINGS: Mapping[str, str] = {
    "statement_timeout": "30s",
    "transaction_timeout": "30s",
    "idle_in_transaction_session_timeout": "15s",
    "lock_timeout": "10s",
    "timezone": "UTC",
}
ONE_AT_A_TIME = 0x65636F63617365  # advisory lock: «ecocase» in ASCII


async def provision(admin_url: str, services: Sequence[str], *, database: str = DATABASE) -> None:
    """Create what is missing of `database` and of each service's role and schema.

    `admin_url` leads to any database of the server as a superuser. Running it again, or
    twice at once, changes nothing; what the roles are granted and limited to is set anew.
    """
    server = await asyncpg.connect(admin_url)
    try:
        await server.execute("SELECT pg_advisory_lock($1)", ONE_AT_A_TIME)
        await _create_database(server, database)
        for service in services:
            await _create_role(server, service)
        inside = await asyncpg.connect(admin_url, database=database)
        try:
            async with inside.transaction():
                await _grant(inside, database, services)
        finally:
            await inside.close()
    finally:
        await server.close()


def quoted(identifier: str) -> str:
    """Quote an SQL identifier; raises ValueError for one PostgreSQL cannot hold."""
    longest = 63  # NAMEDATALEN; PostgreSQL would cut a longer one short
    if not identifier or "\0" in identifier or len(identifier.encode()) > longest:
        raise ValueError(f"not an SQL identifier: {identifier!r}")
    return '"' + identifier.replace('"', '""') + '"'


async def _create_database(server: asyncpg.Connection[asyncpg.Record], database: str) -> None:
    if not await server.fetchval("SELECT true FROM pg_database WHERE datname = $1", database):
        # From template0 and by name, since a server's default may be ctype C.
        await server.execute(
            f"CREATE DATABASE {quoted(database)}"
            " TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
        )


async def _create_role(server: asyncpg.Connection[asyncpg.Record], service: str) -> None:
    role = quoted(service)
    if not await server.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", service):
        await server.execute(f"CREATE ROLE {role} LOGIN")
    await server.execute(f"ALTER ROLE {role} SET search_path = {role}")
    for name, value in ROLE_SETTINGS.items():
        await server.execute(f"ALTER ROLE {role} SET {name} = '{value}'")


async def _grant(
    inside: asyncpg.Connection[asyncpg.Record], database: str, services: Sequence[str]
) -> None:
    await inside.execute(f"REVOKE ALL ON DATABASE {quoted(database)} FROM PUBLIC")
    await inside.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    for service in services:
        role = quoted(service)
        await inside.execute(f"CREATE SCHEMA IF NOT EXISTS {role} AUTHORIZATION {role}")
        # TEMPORARY: statistics are loaded by way of temporary tables.
        await inside.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {quoted(database)} TO {role}")
