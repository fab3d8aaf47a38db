"""Where log lines go when they may not go anywhere: a full disk must not fail a request."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, BinaryIO

from prometheus_client import Counter

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_BUFFER_BYTES = 64 * 1024

LOST = Counter("ecocase_log_lines_lost", "Log lines that could not be written.")


class LogFile(io.FileIO):
    """Writes whole lines; those that cannot be written are counted and nothing is raised."""

    _cut = False

    def write(self, lines: ReadableBuffer) -> int:
        """Write lines, on a line of their own where the one before was cut short."""
        content = bytes(lines)
        wanted = b"\n" + content if self._cut else content
        try:
            written = os.write(self.fileno(), wanted)
        except OSError:
            written = 0
        if written:
            self._cut = written < len(wanted)
        if written < len(wanted):
            LOST.inc(wanted.count(b"\n", max(written, 1)))  # a line has its break at its end
        return len(content)


def open_log_file(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a log for appending, readable by its owner alone; lines go to disk when flushed."""
    return _buffered(LogFile(path, "ab", opener=lambda name, flags: os.open(name, flags, 0o600)))


def log_to_standard_error() -> BinaryIO:
    """The same on standard error."""
    return _buffered(LogFile(sys.stderr.fileno(), "wb", closefd=False))


def _buffered(file: LogFile) -> BinaryIO:
    return io.BufferedWriter(file, _BUFFER_BYTES)
