"""Restoring a backup into a data folder: laid out, loaded, verified, and only then put in place.

The database goes into a cluster of its own, whose transaction numbers begin anew; the platform's
first start on it opens a new epoch. That start is private: in this process, answering nobody but
the verification. Every session ends: what was revoked after the backup must not come back.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

from services.launch.backup import folder
from services.launch.backup.archive import DUMP, Archive, BackupError
from services.launch.backup.inside import verify_inside
from services.launch.backup.manifest import Manifest, schemas
from services.launch.backup.taking import CLUSTER, POSTGRES, embedded_only
from services.launch.storage import MIGRATIONS
from shared.postgres.cluster import private_folder, sync_folder
from shared.postgres.dump import load
from shared.postgres.embedded import EmbeddedPostgres, hold
from shared.postgres.leftover import stop_leftover
from shared.postgres.provision import DATABASE, provision
from shared.postgres.revision import head

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from services.launch.auditing import Reconciled
    from services.launch.backup.progress import Progress
    from services.launch.settings import Settings
    from services.launch.verifying import Verified


@dataclass(frozen=True, slots=True)
class Restored:
    """A restore that came to its end; the findings are of what was backed up, not of the restore.

    `aside` is where the data lie that it replaced.
    """

    manifest: Manifest
    verified: Verified
    reconciled: Reconciled
    aside: Path | None


async def restore(
    settings: Settings, source: Path, progress: Progress, *, replace: bool
) -> Restored:
    """Restore the backup `source` into the data folder, replacing what is in it only where told.

    Raises BackupError, DataFolderInUse, DumpFailed or PostgresFailed; the folder is then as before.
    """
    embedded_only(settings)
    data = settings.data.resolve()
    with Archive(source) as archive, _alone(data):
        _refuse_newer(archive.manifest)
        if folder.needs_resuming(data):
            folder.resume(data)
            raise BackupError(
                f"{data} 上的前一次恢复已校验完毕，现已就位：可以启动平台；"
                "要改用这份备份，请再次运行并加 --replace"
            )
        if folder.used(data) and not replace:
            raise BackupError(
                f"{data} 中已有数据：请以 ECOCASE_DATA 指明空目录，"
                "或加 --replace（原有数据移到一旁）"
            )
        async with _nobody_on(data):
            progress.step("检查备份", sum(it.bytes for it in archive.manifest.members.values()))
            for count in archive.check():
                progress.advance(count)
            await stop_leftover(data / folder.RESTORING / CLUSTER)
            building = folder.begin(data)
            try:
                await _lay_out(archive, building, progress)
                progress.step("校验")
                inside = settings.model_copy(update={"data": building})
                verified, reconciled = await verify_inside(inside)
            except BaseException:
                folder.give_up(data)
                raise
            aside = folder.complete(data)
    return Restored(archive.manifest, verified, reconciled, aside)


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """See that one restore works on a data folder at a time; the system lets go when we die."""
    try:
        descriptor = os.open(private_folder(data), os.O_RDONLY)
    except OSError as error:
        raise BackupError(f"数据目录 {data} 不能使用（{error.strerror}）") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupError(f"另一次恢复正在使用 {data}") from error
        yield
    finally:
        os.close(descriptor)


@asynccontextmanager
async def _nobody_on(data: Path) -> AsyncIterator[None]:
    """See that no platform runs on the data folder; raises DataFolderInUse."""
    if not (data / POSTGRES).exists():
        yield
        return
    with hold(data / POSTGRES):
        await stop_leftover(data / CLUSTER)
        yield


def _refuse_newer(manifest: Manifest) -> None:
    for name, schema in manifest.schemas.items():
        if name not in MIGRATIONS or schema.revision > head(MIGRATIONS[name]):
            raise BackupError(
                f"备份出自更新的版本 {manifest.platform}（{name} 的数据库结构为 "
                f"{schema.revision}）：请换用不旧于它的程序"
            )


async def _lay_out(archive: Archive, building: Path, progress: Progress) -> None:
    progress.step("文件")
    for name, path in archive.files.items():
        target = building / path
        private_folder(target.parent)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in archive.chunks(name):
                file.write(chunk)
                progress.advance(len(chunk))
            file.flush()
            os.fsync(file.fileno())
        sync_folder(target.parent)
    async with AsyncExitStack() as stack:
        server = EmbeddedPostgres(building / POSTGRES)
        await server.start()
        stack.push_async_callback(server.stop)
        await provision(server.dsn("postgres", "postgres"), list(MIGRATIONS))
        url = server.dsn("postgres", DATABASE)
        progress.step("数据库", archive.manifest.members[DUMP].bytes)
        await load(url, _dumped(archive, progress))
        progress.step("核对")
        await _compare(archive.manifest, url)


async def _dumped(archive: Archive, progress: Progress) -> AsyncIterator[bytes]:
    for chunk in archive.chunks(DUMP):
        yield chunk
        progress.advance(len(chunk))


async def _compare(manifest: Manifest, url: str) -> None:
    """See that what was loaded is what was dumped; then let the planner know it."""
    connection = await asyncpg.connect(url)
    try:
        if await schemas(connection) != manifest.schemas:
            raise BackupError("导入后的事件与清单不符，恢复没有完成：请换用另一份备份")
        await connection.execute("ANALYZE")
    finally:
        connection.terminate()
