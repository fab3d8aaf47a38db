"""Starting what is measured: one PostgreSQL, the platform's services on it, and the baseline."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import httpx
import orjson

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

START_SECONDS = 60.0


class NotStartedError(RuntimeError):
    """A server did not answer in time."""


def free_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def platform(
    data: Path, databases: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[str, int, float]]:
    """Run the whole platform on a folder; gives its address, process id and seconds to ready.

    `databases` are URLs by service, where it is not to use a PostgreSQL of its own.
    """
    port = free_port()
    environment = {**os.environ, "ECOCASE_DATA": str(data), "ECOCASE_PORT": str(port)}
    if databases is not None:
        environment["ECOCASE_DATABASE_URLS"] = orjson.dumps(databases).decode()
    command = [sys.executable, "-m", "services.launch.cli", "serve"]
    log = data.with_suffix(".log")
    async with _running(command, environment, log, f"{port}", "/readyz") as up:
        yield up


@asynccontextmanager
async def baseline(database_url: str, log: Path) -> AsyncIterator[tuple[str, int, float]]:
    """Run the bare endpoint on a database."""
    port = free_port()
    environment = {**os.environ, "BENCH_URL": database_url}
    command = [
        *(sys.executable, "-m", "uvicorn", "bench.baseline:app", "--port", str(port)),
        *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
    ]
    async with _running(command, environment, log, f"{port}", "/openapi.json") as up:
        yield up


@asynccontextmanager
async def _running(
    command: list[str], environment: dict[str, str], log: Path, port: str, ready: str
) -> AsyncIterator[tuple[str, int, float]]:
    url = f"http://127.0.0.1:{port}"
    began = time.perf_counter()
    with log.open("ab") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)  # noqa: ASYNC220, S603
    try:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            while True:
                try:
                    if (await client.get(ready)).is_success:
                        break
                except httpx.TransportError:
                    pass
                if process.poll() is not None or time.perf_counter() - began > START_SECONDS:
                    raise NotStartedError(f"{command} did not start, see {log}")
                await asyncio.sleep(0.02)
        yield url, process.pid, time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
