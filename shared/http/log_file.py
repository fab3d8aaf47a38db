"""Where log lines go when they may not go anywhere: a full disk must not fail a request."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

from prometheus_client import Counter

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

LOST = Counter("ecocase_log_lines_lost", "Log lines that could not be written.")


class LogFile(io.FileIO):
    """Writes each line at once; one that cannot be written is counted and never raised."""

    _cut = False

    def write(self, line: ReadableBuffer) -> int:
        """Write one line, on a line of its own where the one before was cut short."""
        content = bytes(line)
        wanted = b"\n" + content if self._cut else content
        try:
            written = os.write(self.fileno(), wanted)
        except OSError:
            written = 0
        if written:
            self._cut = written < len(wanted)
        if written < len(wanted):
            LOST.inc()
        return len(content)


def open_log_file(path: str | os.PathLike[str]) -> LogFile:
    """Open a log for appending, readable by its owner alone."""
    return LogFile(path, "ab", opener=lambda name, flags: os.open(name, flags, 0o600))
