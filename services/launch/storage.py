"""The services' databases: on the embedded PostgreSQL, or wherever the settings say.

The embedded one is laid out and migrated at every start. One elsewhere is not touched by `serve`,
which refuses it unless `ecocase migrate` has brought it to what this code needs.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

import shared.clock
import shared.issuer
from services.cases import app as cases
from services.complaints import app as complaints
from services.launch.backup.folder import RESTORING, unfinished
from services.permits import app as permits
from services.reporting import app as reporting
from shared.postgres.availability import DatabaseUnavailable, is_unavailable
from shared.postgres.database import Database
from shared.postgres.embedded import EmbeddedPostgres
from shared.postgres.migrate import ensure
from shared.postgres.provision import provision, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AsyncExitStack

    from services.launch.settings import Settings


class DataFolderUnusableError(Exception):
    """The data folder cannot be made or written; the message says what to do."""


MIGRATIONS = {
    "identity": Path(shared.issuer.__file__).parent / "migrations",
    "clock": Path(shared.clock.__file__).parent / "migrations",
    **{service.NAME: service.MIGRATIONS for service in (cases, permits, complaints, reporting)},
}
"""Every schema, with its migrations."""
PUBLISHING = tuple(service.NAME for service in (cases, permits, complaints))
"""The services that publish events."""


async def open_databases(
    settings: Settings, stack: AsyncExitStack, services: Iterable[str] = tuple(MIGRATIONS)
) -> dict[str, Database]:
    """Open the databases of services; `stack` closes them, and the embedded server after them.

    Raises what the embedded PostgreSQL's start raises, `DatabaseUnavailable`, or `Unmigrated`.
    """
    names = list(services)
    urls = {name: settings.database_url_of(name) for name in names}
    embedded = [name for name, url in urls.items() if url is None]
    if embedded:
        postgres = EmbeddedPostgres(private_folder(settings.data) / "postgres")
        await postgres.start()
        stack.push_async_callback(postgres.stop)
        stack.callback(asyncio.create_task(postgres.watch()).cancel)
        await provision(postgres.dsn("postgres", "postgres"), embedded)
        urls |= {name: postgres.dsn(name) for name in embedded}
    opened = await asyncio.gather(*(_open(name, urls[name] or "", stack) for name in names))
    for database in opened:  # one by one: Alembic's context is the process's
        await ensure(database, migrate=database.service in embedded)
    return {database.service: database for database in opened}


async def migrate(settings: Settings, stack: AsyncExitStack, services: Iterable[str]) -> None:
    """Make the schemas of services, where they are missing, and bring them to head."""
    for name in services:
        url = settings.database_url_of(name)
        if url is None:
            await open_databases(settings, stack, [name])
            await stack.aclose()
            continue
        await _make_schema(url, name)
        await ensure(await _open(name, url, stack), migrate=True)


async def _make_schema(url: str, name: str) -> None:
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, asyncpg.PostgresError) as error:
        if isinstance(error, OSError) or is_unavailable(error):
            raise DatabaseUnavailable from error
        raise
    try:
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(name)}")
    finally:
        await connection.close()


async def _open(service: str, url: str, stack: AsyncExitStack) -> Database:
    database = Database(service, url, migrations=MIGRATIONS[service])
    await database.open()
    stack.push_async_callback(database.close)
    return database


def private_folder(path: Path) -> Path:
    """Make the data folder, readable by its owner alone; raises `DataFolderUnusableError`."""
    path = path.resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
    except OSError as error:
        msg = f"数据目录 {path} 不能使用（{error.strerror}）：请用 ECOCASE_DATA 换一个目录"
        raise DataFolderUnusableError(msg) from error
    if (found := unfinished(path)) is not None:
        msg = f"数据目录 {path} 上有一次未完成的恢复：请再次运行 ecocase restore"
        if found.name == RESTORING:
            msg += f"；删除 {found} 即放弃那次恢复"
        raise DataFolderUnusableError(msg)
    return path
