"""One JSON line per event on standard error, each with the request and trace it belongs to.

No log line may carry a person's data, so an error is logged by its type and the places it passed,
never by its message: a database's message quotes the row.
"""

import asyncio
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, BinaryIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.http.trace import Trace, current_trace

_DEEPEST_FRAMES = 20
_MOMENT_SECONDS = 0.2


class Lines:
    """Where log lines go; nowhere until `configure` says."""

    stream: BinaryIO | None = None
    _written_out: asyncio.TimerHandle | None = None

    def write(self, line: bytes) -> None:
        """Write one line at once."""
        if self.stream is not None:
            self.stream.write(line + b"\n")
            self.stream.flush()

    def write_access(self, trace: Trace, **fields: str | float) -> None:
        """Write the line of one answered request: cheaply, and out of the process a moment later.

        A system call for each would cost more than all else that is done for a request here; a
        process that is killed loses the lines of its last moment, never an error's.
        """
        if self.stream is None:
            return
        event = {
            "event": "request",
            **fields,
            "request_id": trace.request_id,
            "trace_id": trace.trace_id,
            "level": "info",
            "timestamp": datetime.now(UTC),
        }
        self.stream.write(orjson.dumps(event, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE))
        if self._written_out is None:
            loop = asyncio.get_running_loop()
            self._written_out = loop.call_later(_MOMENT_SECONDS, self._write_out)

    def _write_out(self) -> None:
        self._written_out = None
        if self.stream is not None:
            self.stream.flush()


lines = Lines()


def configure(level: int = logging.INFO, stream: BinaryIO | None = None) -> None:
    """Send structlog's and the standard library's logs to `stream` (standard error) as JSON.

    Start uvicorn with `log_config=None`; its access log is silenced, ours stands for it.
    """
    out = lines.stream = stream or sys.stderr.buffer
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _describe_error,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = _LineHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(
                    serializer=lambda *a, **k: _dumps(*a, **k).decode()
                ),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    logging.getLogger("uvicorn.error").setLevel(level)
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False


class _LineHandler(logging.Handler):
    """Writes standard-library records to the same stream as structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        lines.write(self.format(record).encode())


def _dumps(event: Any, **_options: Any) -> bytes:
    return orjson.dumps(event, default=repr)


def _add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if trace := current_trace():
        event["request_id"], event["trace_id"] = trace.request_id, trace.trace_id
    return event


def _describe_error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by the error's type, where it came from, and what caused it."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    elif isinstance(error, tuple):
        error = error[1]
    while isinstance(error, BaseExceptionGroup):  # what went wrong is the group's first
        error = error.exceptions[0]
    if isinstance(error, BaseException):
        event["error"] = _kind(error)
        event["at"] = _places(error.__traceback__)
        if cause := error.__cause__ or error.__context__:
            event["cause"], event["cause_at"] = _kind(cause), _places(cause.__traceback__)
    return event


def _kind(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _places(trail: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trail)[-_DEEPEST_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
