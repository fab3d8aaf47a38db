"""Telling all who listen that the statistics have changed, by one look at the database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from services.reporting.queries import Queries
    from shared.consumer.consumer import Consumer
    from shared.consumer.slice import Place, Slice
    from shared.consumer.store import PlaceKey

log = structlog.stdlib.get_logger("ecocase.reporting")

WATCH_SECONDS = 1.0
COALESCE_SECONDS = 0.2


class Changes:
    """Wakes its listeners when the statistics have changed, at most five times a second.

    What this process applies is known at once; what another instance applied, within a second.
    """

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._applied = asyncio.Event()
        self._changed = asyncio.Event()
        self._listeners = 0

    def applied(self) -> None:
        """Note that something was applied here."""
        self._applied.set()

    async def watch(self) -> None:
        """Look for changes until cancelled, while anybody listens."""
        seen = None
        while True:
            try:
                async with asyncio.timeout(WATCH_SECONDS):
                    await self._applied.wait()
            except TimeoutError:
                pass
            self._applied.clear()
            if not self._listeners:
                continue
            try:
                stamp = await self._queries.stamp()
            except Exception:
                log.exception("the statistics could not be looked at")
                continue
            if stamp != seen:
                seen = stamp
                self._changed.set()
                self._changed = asyncio.Event()
                await asyncio.sleep(COALESCE_SECONDS)

    async def listen(self) -> AsyncIterator[None]:
        """Yield at once, then after every change."""
        self._listeners += 1
        try:
            while True:
                changed = self._changed
                yield
                await changed.wait()
        finally:
            self._listeners -= 1


class Notifying:
    """A consumer that tells `Changes` of what it applied."""

    def __init__(self, consumer: Consumer, changes: Changes) -> None:
        self._consumer = consumer
        self._changes = changes

    async def apply(self, slices: Sequence[Slice]) -> None:
        """Apply slices; see `Consumer.apply`."""
        await self._consumer.apply(slices)
        self._changes.applied()

    async def begin_anew(self, topic: str, partition: int, lost: Place, generation: int) -> Place:
        """See `Consumer.begin_anew`."""
        return await self._consumer.begin_anew(topic, partition, lost, generation)

    async def places(self) -> Mapping[PlaceKey, Place]:
        """See `Consumer.places`."""
        return await self._consumer.places()
