"""Serving the platform over HTTP until it is told to end."""

from __future__ import annotations

import asyncio
import errno
import logging
import shutil
import signal
import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import uvicorn

from services.launch.platform import Platform
from services.launch.storage import DataFolderUnusableError, private_folder
from shared.http import logs
from shared.http.log_file import log_to_standard_error, open_log_file
from shared.issuer.demo import CredentialsLostError
from shared.issuer.files import ReadableKeyError
from shared.issuer.installation import InstallationError
from shared.postgres.availability import DatabaseUnavailable
from shared.postgres.embedded import DataFolderInUse, PostgresFailed
from shared.postgres.identity import NoIdentity
from shared.postgres.revision import Unmigrated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from services.launch.settings import Settings

DRAIN_SECONDS = 1
ROOM_BYTES = 16 * 1024 * 1024  # a file of PostgreSQL's log of changes
LOG_BYTES = 64 * 1024 * 1024
MENDABLE = (
    CredentialsLostError,
    DataFolderUnusableError,
    DatabaseUnavailable,
    DataFolderInUse,
    InstallationError,
    NoIdentity,
    PermissionError,
    PostgresFailed,
    ReadableKeyError,
    Unmigrated,
)


class StartError(Exception):
    """The platform cannot start; the message says why and what to do."""


def serve(settings: Settings) -> None:
    """Start the platform and serve it until SIGINT or SIGTERM.

    Raises `StartError` for what the operator can mend.
    """
    listening = _bind(settings)
    settings = settings.model_copy(update={"port": listening.getsockname()[1]})
    with listening, logging_to_file(settings), asyncio.Runner(loop_factory=_new_loop) as runner:
        runner.run(_serve(settings, listening))


@contextmanager
def logging_to_file(settings: Settings) -> Iterator[None]:
    """Write the log where the settings say. Raises `StartError`."""
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    with _log(settings) as log:
        logs.configure(level, log)
        yield


@contextmanager
def _log(settings: Settings) -> Iterator[BinaryIO]:
    """Open the log, readable by its owner alone; a long one is set aside first."""
    if settings.log == "-":
        with log_to_standard_error() as log:
            yield log
        return
    path = settings.log_path
    try:
        private_folder(settings.data)
    except DataFolderUnusableError as error:
        raise StartError(str(error)) from error
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    with open_log_file(path) as log:
        yield log


async def _serve(settings: Settings, listening: socket.socket) -> None:
    platform = Platform(settings)
    ending = _Ending(asyncio.current_task())
    try:
        try:
            await platform.start()
        except (*MENDABLE, OSError) as error:
            if _lacks_room(error, settings.data):
                msg = f"数据目录 {settings.data.resolve()} 所在的磁盘已满：请腾出空间后再启动"
                raise StartError(msg) from error
            if not isinstance(error, MENDABLE):
                raise
            raise StartError(str(error)) from error
        server = _Server(
            uvicorn.Config(
                platform.app,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=DRAIN_SECONDS,
                server_header=False,
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=settings.trusted_proxies,
                lifespan="off",
            )
        )
        ending.server = server
        _announce(settings, platform)
        await server.serve(sockets=[listening])
    except asyncio.CancelledError:
        if not ending.asked:
            raise
    finally:
        await platform.stop()


def _lacks_room(error: Exception, data: Path) -> bool:
    """Whether the disk is full; PostgreSQL's log may have had no room to say so itself."""
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    return isinstance(error, PostgresFailed) and shutil.disk_usage(data).free < ROOM_BYTES


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn raises them again, which would cancel our own stopping."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class _Ending:
    """Turns SIGINT, SIGTERM and SIGHUP into an orderly end, while starting too."""

    def __init__(self, task: asyncio.Task[None] | None) -> None:
        self.asked = False
        self.server: uvicorn.Server | None = None
        self._task = task
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._ask)

    def _ask(self) -> None:
        if self.server is not None:
            self.server.force_exit = self.asked
            self.server.should_exit = True
        elif self._task is not None and not self.asked:
            self._task.cancel()
        self.asked = True


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415 - not on every system
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _announce(settings: Settings, platform: Platform) -> None:
    lines = [
        f"环案通已就绪：{settings.url}",
        f"  接口文档  {settings.url}/docs",
        *_accounts(platform),
        f"  日志在  {'标准错误' if settings.log == '-' else settings.log_path}",
        "  按 Ctrl-C 停止",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _accounts(platform: Platform) -> list[str]:
    if platform.credentials is not None:
        return [f"  演示账号的密码在  {platform.credentials}（仅属主可读）"]
    if not platform.has_accounts:
        return ["  尚无账号：请停止后执行 ecocase users init 建立三名管理员"]
    return []


def _bind(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        msg = (
            f"端口 {settings.host}:{settings.port} 不能使用（{error.strerror}）："
            "请停止占用它的程序，或用 ECOCASE_PORT 换一个端口"
        )
        raise StartError(msg) from error
    listening.setblocking(False)  # noqa: FBT003 - the standard library's
    return listening
