"""Which migration a service's code needs and which its database has.

Migrations are files `versions/0001_what_it_does.py`, their revision the leading
number: the newest is the last by name, so that a start at head need not import
Alembic.
"""

from __future__ import annotations

import re
from pathlib import Path

import asyncpg

from shared.postgres.provision import quoted

VERSION_TABLE = "alembic_version"
_FILE = re.compile(r"(\d{4})_\w+\.py")


class Unmigrated(Exception):  # noqa: N818 - a state of the database
    """The database's tables are not those this code was written for."""

    def __init__(self, service: str, applied: str | None, needed: str) -> None:
        if applied is not None and applied > needed:
            does = f"已由更新的版本迁移到 {applied},本程序只认识到 {needed}:请换用新版本的程序"
        else:
            does = (
                f"停在 {applied or '空库'},本程序需要 {needed}:请先运行 ecocase migrate {service}"
            )
        super().__init__(f"服务 {service} 的数据库结构{does}")


def head(migrations: Path) -> str:
    """The newest revision in `migrations/versions`; raises ValueError on a stray name."""
    names = sorted(path.name for path in (migrations / "versions").glob("[!_]*.py"))
    numbers = [found[1] for name in names if (found := _FILE.fullmatch(name))]
    if not numbers or len(numbers) != len(names) or len(set(numbers)) != len(numbers):
        raise ValueError(f"migrations are named 0001_what.py, each number once: {names}")
    return numbers[-1]


async def applied(
    connection: asyncpg.Connection[asyncpg.Record],
    schema: str,
) -> str | None:
    """The revision the schema has, None when it was never migrated."""
    try:
        revision: str | None = await connection.fetchval(
            f"SELECT max(version_num) FROM {quoted(schema)}.{VERSION_TABLE}"  # noqa: S608 - quoted
        )
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        return None
    return revision
