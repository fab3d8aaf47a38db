"""Taking a backup, while the platform runs or stands still.

The database is read in one snapshot, so that state, events, statistics and cursors of all services
are of one moment. Files that were there before the snapshot are taken as they were before it, so
that a file which is written to from the database is never ahead of it; files that came meanwhile
are added after it, since what the snapshot holds may refer to them.
"""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from services.launch.backup.archive import DUMP, FILES, ArchiveWriter, BackupError
from services.launch.backup.folder import kept, unfinished
from services.launch.backup.manifest import FORMAT, Manifest, cluster, schemas
from services.launch.settings import LOG
from services.launch.storage import MIGRATIONS
from shared.postgres import cluster as postgres_files
from shared.postgres.dump import dump
from shared.postgres.embedded import DataFolderInUse, EmbeddedPostgres
from shared.postgres.provision import DATABASE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from services.launch.backup.progress import Progress
    from services.launch.settings import Settings

CHUNK = 1024 * 1024
POSTGRES = "postgres"
CLUSTER = f"{POSTGRES}/cluster"
_VERSION_NUMBER_OF_A_MAJOR = 10_000


async def take_backup(settings: Settings, target: Path, progress: Progress) -> Manifest:
    """Write a backup of the platform to `target`, a resolved path, whole or not at all.

    Raises BackupError, DumpFailed, or what starting PostgreSQL raises where none runs.
    """
    data = settings.data.resolve()
    _refuse(settings, data, target)
    logs = frozenset({settings.log_path.resolve(), data / LOG})
    async with AsyncExitStack() as stack:
        url = await _reach(data / POSTGRES, stack)
        with ArchiveWriter(target) as archive:
            progress.step("文件")
            _add_files(archive, data, logs, progress)
            manifest = await _add_database(archive, url, progress)
            progress.step("新增文件")
            _add_files(archive, data, logs, progress)
            manifest = manifest.model_copy(update={"members": archive.members})
            archive.finish(manifest)
            progress.step("落盘")
    return manifest


def embedded_only(settings: Settings) -> None:
    """Raise BackupError where a service's database is elsewhere: its own tools back that up."""
    outside = [name for name in MIGRATIONS if settings.database_url_of(name) is not None]
    if outside:
        raise BackupError(
            f"{'、'.join(outside)} 的数据库在外部 PostgreSQL 上，须用它自己的工具备份和恢复："
            "见 docs/restore.md"
        )


def _refuse(settings: Settings, data: Path, target: Path) -> None:
    embedded_only(settings)
    if not (data / CLUSTER).exists():
        raise BackupError(f"{data} 中没有平台的数据：请以 ECOCASE_DATA 指明数据目录")
    if data.stat().st_uid != os.geteuid():
        raise BackupError(f"{data} 属于另一个账户：请以运行平台的账户备份")
    if unfinished(data) is not None:
        raise BackupError(f"{data} 上有一次未完成的恢复：请先再次运行 ecocase restore")
    if target.is_relative_to(data):
        raise BackupError("备份不能放在数据目录之内：磁盘损坏时会与数据一同丢失")


async def _reach(folder: Path, stack: AsyncExitStack) -> str:
    """The URL of the embedded server: of the running platform's, or of one started for this."""
    server = EmbeddedPostgres(folder)
    try:
        await server.start()
    except DataFolderInUse:
        return EmbeddedPostgres.url(postgres_files.socket_folder(folder), "postgres", DATABASE)
    stack.push_async_callback(server.stop)
    return server.dsn("postgres", DATABASE)


async def _add_database(archive: ArchiveWriter, url: str, progress: Progress) -> Manifest:
    """Dump the database, and say how it stood at the dump's snapshot (members left out)."""
    try:
        connection = await asyncpg.connect(url, timeout=60)
    except (OSError, asyncpg.PostgresError) as error:
        raise BackupError("数据库还没有就绪，请稍后再试") from error
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
            created_at = await connection.fetchval("SELECT now()")
            progress.step("数据库")
            with archive.member(DUMP, compressed=True) as member:
                async for chunk in dump(url, snapshot):
                    member.write(chunk)
                    progress.advance(len(chunk))
            system_identifier, timeline = await cluster(connection)
            number = await connection.fetchval("SHOW server_version_num")
            return Manifest(
                format=FORMAT,
                platform=version("ecocase"),
                postgresql=int(number) // _VERSION_NUMBER_OF_A_MAJOR,
                created_at=created_at,
                system_identifier=system_identifier,
                timeline=timeline,
                schemas=await schemas(connection),
                members={},
            )
    finally:
        connection.terminate()


def _add_files(
    archive: ArchiveWriter, data: Path, logs: Collection[Path], progress: Progress
) -> None:
    """Add the data folder's files that the archive does not hold yet."""
    for path in _files(data, logs):
        name = FILES + path.relative_to(data).as_posix()
        if name in archive.names:
            continue
        try:
            file = path.open("rb")
        except FileNotFoundError:
            continue  # gone since it was listed
        with file, archive.member(name) as member:
            while chunk := file.read(CHUNK):
                member.write(chunk)
                progress.advance(len(chunk))


def _files(data: Path, logs: Collection[Path]) -> Iterator[Path]:
    """The data folder's files but the database's, logs, and those still being written."""
    for folder, folders, names in os.walk(data, followlinks=True):
        here = Path(folder)
        if here == data:
            folders[:] = [name for name in folders if name != POSTGRES and not kept(name)]
        for name in names:
            path = here / name
            being_written = name.startswith(".")
            is_log = path in logs or path.with_suffix("") in logs  # the one set aside ends in .1
            if path.is_file() and not being_written and not is_log:
                yield path
