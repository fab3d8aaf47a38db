"""Seals as lines of JSON in a file, each synced to disk, readable by its owner alone."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from shared.seals.seal import NotASealError, Seal, read_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_TAIL_BYTES = 64 * 1024


class SealFile:
    """The file of one service's seals; its folder is made where it is missing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def last(self) -> Seal | None:
        """The newest seal in the file; a line cut short by a crash is cut off first."""
        return await asyncio.to_thread(self._last)

    async def publish(self, seals: Sequence[Seal]) -> None:
        """Append lines; raises OSError, and then the file may end in part of a line."""
        await asyncio.to_thread(self._append, b"".join(seal.line() for seal in seals))

    async def set_aside(self) -> None:
        """Rename the file after its last seal, so that it stays for whoever must look into it."""
        await asyncio.to_thread(self._set_aside)

    def _last(self) -> Seal | None:
        if not self._path.exists():
            return None
        with self._path.open("r+b") as file:
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
            self._set_aside()
            return None

    def _append(self, lines: bytes) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_new = not self._path.exists()
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            _sync_folder(self._path.parent)

    def _set_aside(self) -> None:
        number = 1
        while (aside := self._path.with_suffix(f".{number}.jsonl")).exists():
            number += 1
        self._path.rename(aside)
        _sync_folder(self._path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
