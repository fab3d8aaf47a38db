"""Seals as lines of JSON in a file, each synced to disk, readable by its owner alone.

Where the table no longer agrees with the file, another one is begun: `cases.jsonl`,
`cases.2.jsonl` and so on. No file is renamed or written over, so that a copy made by appending
what has come since stays a true one.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from prometheus_client import Gauge

from shared.seals.seal import NotASealError, Seal, read_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_TAIL_BYTES = 64 * 1024
SET_ASIDE = Gauge(
    "ecocase_seal_files_set_aside",
    "Files of seals that the table no longer agreed with, so that another was begun.",
    ["service"],
)


class SealFile:
    """The files of one service's seals, the newest of which grows; `path` is the first.

    The folder is made where it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tell()

    async def last(self) -> Seal | None:
        """The newest seal in the file; a line cut short by a crash is cut off first."""
        return await asyncio.to_thread(self._last)

    async def publish(self, seals: Sequence[Seal]) -> None:
        """Append lines; raises OSError, and then the file may end in part of a line."""
        await asyncio.to_thread(self._append, b"".join(seal.line() for seal in seals))

    async def begin_anew(self) -> None:
        """Begin another file; the one before stays for whoever must look into it."""
        await asyncio.to_thread(self._begin_anew)

    def _last(self) -> Seal | None:
        newest = newest_file(self._path)
        if not newest.exists():
            return None
        with newest.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            begins = max(0, size - _TAIL_BYTES)
            file.seek(begins)
            tail = file.read()
            whole = tail[: tail.rfind(b"\n") + 1]
            if len(whole) < len(tail):
                file.truncate(begins + len(whole))
        lines = whole.splitlines()
        try:
            return read_line(lines[-1]) if lines else None
        except NotASealError:
            self._begin_anew()
            return None

    def _append(self, lines: bytes) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        newest = newest_file(self._path)
        is_new = not newest.exists()
        descriptor = os.open(newest, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            _sync_folder(self._path.parent)

    def _begin_anew(self) -> None:
        following = _numbered(self._path, _number(self._path) + 1)
        following.touch(mode=0o600, exist_ok=True)
        _sync_folder(self._path.parent)
        self._tell()

    def _tell(self) -> None:
        SET_ASIDE.labels(self._path.stem).set(_number(self._path) - 1)


def newest_file(first: Path) -> Path:
    """The file that grows, of those that begin with `first`."""
    return _numbered(first, _number(first))


def files_of(first: Path) -> list[Path]:
    """All files that begin with `first`, the oldest first."""
    return [_numbered(first, number) for number in range(1, _number(first) + 1)]


def _numbered(first: Path, number: int) -> Path:
    return first if number == 1 else first.with_suffix(f".{number}.jsonl")


def _number(first: Path) -> int:
    """The newest file's number; they follow each other without a gap."""
    number = 1
    while _numbered(first, number + 1).exists():
        number += 1
    return number


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
