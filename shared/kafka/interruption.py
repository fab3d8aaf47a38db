"""Telling our own cancellation from the library's.

Where a connection closes, aiokafka cancels what waits for its answers, and the waiting task ends as
if somebody had asked it to. It has not been asked, so that is an error like any other.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaConnectionError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def connection_lost_is_an_error() -> Iterator[None]:
    """Raise KafkaConnectionError for a cancellation that nobody asked this task for."""
    try:
        yield
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise KafkaConnectionError("the connection was closed") from None
