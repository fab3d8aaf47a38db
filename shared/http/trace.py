"""Which request is being served: its id and its place in a distributed trace (W3C Trace Context).

Every log line, problem document and event written while a request is served carries these.
"""

import os
import re
from contextvars import ContextVar
from typing import NamedTuple

# A caller's own request id goes to the logs, so it must look like an id and not like a person's:
# a letter other than X keeps out phone and identity card numbers.
_REQUEST_ID = re.compile(r"(?=.*[A-WYZa-wyz])[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


class Trace(NamedTuple):
    """The request being served: ids in lower-case hexadecimal."""

    request_id: str
    trace_id: str
    span_id: str
    flags: str = "01"

    @property
    def traceparent(self) -> str:
        """The header to pass on: our span as the parent of what follows."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


_current: ContextVar[Trace | None] = ContextVar("ecocase_trace", default=None)


def current_trace() -> Trace | None:
    """The request being served, or None outside one."""
    return _current.get()


def _draw() -> str:
    """24 random bytes in hexadecimal; the kernel is asked for many at once, a call costs more."""
    if not _drawn:
        pool = os.urandom(24 * 256).hex()
        _drawn.extend(pool[start : start + 48] for start in range(0, len(pool), 48))
    return _drawn.pop()


_drawn: list[str] = []


def begin_trace(request_id: str | None, traceparent: str | None) -> Trace:
    """Continue the caller's trace, or start one; unusable headers are treated as absent."""
    drawn = _draw()
    span_id = drawn[:16]
    parent = _parse(traceparent) if traceparent else None
    trace_id, flags = parent or (drawn[16:], "01")
    if request_id is None or not _REQUEST_ID.fullmatch(request_id):
        request_id = trace_id if parent is None else drawn[16:]
    trace = Trace(request_id, trace_id, span_id, flags)
    _current.set(trace)
    return trace


def _parse(traceparent: str) -> tuple[str, str] | None:
    """Trace id and flags of a `traceparent`, or None where the standard says to ignore it."""
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return None
    version, trace_id, parent_id, flags, more = match.groups()
    if (
        version == "ff"
        or (version == "00" and more)
        or not int(trace_id, 16)
        or not int(parent_id, 16)
    ):
        return None
    return trace_id, flags
