"""A PostgreSQL of our own, from a wheel: no root, no container, no TCP.

    postgres = EmbeddedPostgres(data / "postgres")
    await postgres.start()
    await asyncpg.connect(postgres.dsn("cases"))
    await postgres.stop()

The server is our child and ends with us, kill -9 included; a restart recovers
what was committed. Only the account that runs the platform can reach it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar
from urllib.parse import quote

import asyncpg
import structlog
from prometheus_client import Counter

from shared.postgres import cluster as files
from shared.postgres.identity import choose_identity, launch
from shared.postgres.leftover import shut_down, stop_leftover

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

    from shared.postgres.identity import Identity

T = TypeVar("T")
log = structlog.stdlib.get_logger("ecocase.postgres")

START_SECONDS = 60  # recovery of a full WAL included
POLL_SECONDS = 0.01
WATCH_SECONDS = 0.1
RESTART_SECONDS = (0.2, 2.0)
STILL_HELD = "shared memory block"  # backends of a killed server have not all gone yet

RESTARTS = Counter("ecocase_postgres_restarts", "Times the embedded PostgreSQL was started again.")


class DataFolderInUse(Exception):  # noqa: N818 - named for what is so
    """Another platform runs on this data folder."""


class PostgresFailed(Exception):  # noqa: N818 - named for what happened
    """The embedded PostgreSQL did not start; the text ends with its log's tail."""


class EmbeddedPostgres:
    """One server on one folder, which belongs to it alone.

    `settings` go over ours (see `cluster.SETTINGS`); tests turn `fsync` off.
    It is bound to no event loop, but the server ends with the thread that starts it.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self._folder = folder.resolve()
        self._cluster = self._folder / "cluster"
        self._log = self._folder / "postgres.log"
        self._settings = settings or {}
        self._identity: Identity | None = None
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._sockets: Path | None = None
        self._system_identifier: int | None = None
        self._started_at = 0.0

    async def start(self) -> None:
        """Start and wait until it accepts connections; makes the cluster the first time.

        Raises DataFolderInUse, NoIdentity, or PostgresFailed after 60 seconds.
        """
        files.private_folder(self._folder)
        self._lock = hold(self._folder)
        try:
            self._sockets = files.socket_folder(self._folder)
            self._identity = identity = choose_identity(self._folder, files.binaries())
            await stop_leftover(self._cluster)
            files.sweep(self._folder, self._sockets)
            files.own(self._folder, identity.owner)
            files.own(self._sockets, identity.owner)
            if not self._cluster.exists():
                await self._create(identity)
            files.configure(self._cluster, self._sockets, identity, self._settings)
            await self._serve()
        except BaseException:
            await self.stop()
            raise

    async def watch(self) -> None:
        """Start the server again whenever it ends by itself, until cancelled.

        It ends when it is killed, and when it cannot recover because the disk is full; tried
        again every two seconds at most, it comes back once the reason is gone.
        """
        delay = RESTART_SECONDS[0]
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            process = self._running(self._process)
            if process.poll() is None:
                if self._started_at + START_SECONDS < time.monotonic():
                    delay = RESTART_SECONDS[0]
                continue
            log.error("postgres ended", code=process.returncode)
            await asyncio.sleep(delay)
            delay = min(2 * delay, RESTART_SECONDS[1])
            try:
                await stop_leftover(self._cluster)
                files.sweep(self._folder, self._running(self._sockets))
                self._launch()
            except OSError:
                log.exception("postgres could not be started again")
            else:
                RESTARTS.inc()

    async def stop(self) -> None:
        """Stop within 4 seconds and let go of the folder; harmless when not running."""
        process, self._process = self._process, None
        if process is not None:
            await shut_down(process.pid, lambda: process.poll() is not None)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def dsn(self, role: str, database: str = "ecocase") -> str:
        """URL for asyncpg or libpq over the socket; role `postgres` administers."""
        return self.url(self._running(self._sockets), role, database)

    @staticmethod
    def url(sockets: Path, role: str, database: str) -> str:
        """`dsn` of a server that another process runs, by its `socket_folder`."""
        return (
            f"postgresql://{quote(role, safe='')}@/{quote(database, safe='')}"
            f"?host={quote(str(sockets), safe='')}&port={files.PORT}"
        )

    @property
    def system_identifier(self) -> int:
        """The cluster's own number: another one means another history of transactions."""
        return self._running(self._system_identifier)

    @property
    def pid(self) -> int:
        """Process number of the server."""
        return self._running(self._process).pid

    async def _create(self, identity: Identity) -> None:
        """Make the cluster under another name first: a kill leaves nothing half-made."""
        half_made = self._folder / f"cluster.new-{secrets.token_hex(4)}"
        command = [
            *(str(files.binaries() / "initdb"), "-D", str(half_made), "-U", "postgres"),
            *("--locale=C.UTF-8", "--encoding=UTF8", "--auth=peer", "--no-instructions"),
            *(["--no-sync"] if self._settings.get("fsync") == "off" else []),
        ]
        with files.open_log(self._log) as output:
            process = launch(identity, command, output)
        try:
            await asyncio.to_thread(process.wait)
        finally:
            if process.poll() is None:
                process.terminate()
        if process.returncode != 0:
            raise self._failure("建立数据库失败")
        files.site_configuration(half_made)
        half_made.rename(self._cluster)
        files.sync_folder(self._folder)

    def _launch(self) -> int:
        """Start the server's process; gives where in the log it begins to write."""
        command = [str(files.binaries() / "postgres"), "-D", str(self._cluster)]
        with files.open_log(self._log) as output:
            self._process = launch(self._running(self._identity), command, output)
            self._started_at = time.monotonic()
            return output.tell()

    async def _serve(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            started = self._launch()
            process = self._running(self._process)
            while process.poll() is None:
                if await self._accepts():
                    return
                if time.monotonic() > deadline:
                    raise self._failure(f"{START_SECONDS} 秒内没有就绪")
                await asyncio.sleep(POLL_SECONDS)
            said = self._log.read_bytes()[started:].decode(errors="replace")
            if STILL_HELD not in said or time.monotonic() > deadline:
                raise self._failure("启动后退出")
            await asyncio.sleep(POLL_SECONDS)

    async def _accepts(self) -> bool:
        if not (self._running(self._sockets) / f".s.PGSQL.{files.PORT}").exists():
            return False
        try:
            connection = await asyncpg.connect(self.dsn("postgres", "postgres"), timeout=5)
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError):
            return False
        except asyncpg.InvalidAuthorizationSpecificationError as error:
            raise self._failure("不认识本账户") from error
        try:
            self._system_identifier = await connection.fetchval(
                "SELECT system_identifier FROM pg_control_system()"
            )
        finally:
            await connection.close()
        return True

    def _failure(self, what: str) -> PostgresFailed:
        return PostgresFailed(
            f"内置 PostgreSQL {what}。日志 {self._log} 的末尾:\n{files.log_tail(self._log)}"
        )

    @staticmethod
    def _running(value: T | None) -> T:
        if value is None:
            msg = "the embedded PostgreSQL has not been started"
            raise RuntimeError(msg)
        return value


def hold(folder: Path) -> IO[str]:
    """Take the folder's lock, which the system lets go of when we die; raises DataFolderInUse."""
    file = (folder / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "未知"
        file.close()
        msg = f"数据目录 {folder} 正由另一个平台进程(进程号 {holder})使用:请先停止它,或换一个目录"
        raise DataFolderInUse(msg) from None
    file.truncate(0)
    with suppress(OSError):  # a full disk: the number only serves the message above
        os.write(file.fileno(), f"{os.getpid()}\n".encode())
    return file
