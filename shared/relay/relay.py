"""Publishes one service's events, each once its place in the order is settled.

One process leads per service: it holds a session's advisory lock and has raised the cursor's term.
The cursor moves, and a seal is written, only under the leader's own term, so a leader that was
replaced while it hung notices and stops. Between publishing a page and moving the cursor a crash
may come, so a page can be published twice; consumers know what they have.

The relay polls: NOTIFY would serialise every commit of the database.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog
from prometheus_client import Counter, Gauge

from shared.relay.cursor import Cursor
from shared.relay.epoch import open_epoch
from shared.relay.leadership import LeadershipLost
from shared.relay.log import SETTINGS, EventLog, Page, Position
from shared.relay.republishing import Republisher
from shared.seals.sealer import Sealer

if TYPE_CHECKING:
    from shared.postgres.database import Database
    from shared.relay.bus import Bus
    from shared.seals.sink import SealSink

log = structlog.stdlib.get_logger("ecocase.relay")

PAGE_EVENTS = 5_000
BUSY_SECONDS = 0.02
IDLE_SECONDS = 0.05
IDLE_AFTER_POLLS = 50
WATCH_SECONDS = 1.0
RETRY_SECONDS = (0.1, 2.0)
STANDBY_SECONDS = 1.0

LAG = Gauge("ecocase_relay_lag_seconds", "Age of the oldest event not yet published.", ["service"])
OLDEST_WRITER = Gauge(
    "ecocase_relay_oldest_writer_seconds",
    "How long the oldest open transaction has been seen to hold events back.",
    ["service"],
)
PUBLISHED = Counter("ecocase_relay_published", "Events published.", ["service"])
POSITION = Gauge("ecocase_relay_position", "Offset published up to.", ["service"])
LEADS = Gauge("ecocase_relay_leads", "1 where this process leads the service's relay.", ["service"])


class Relay:
    """One service's relay; `run` it in a task for as long as the process lives."""

    def __init__(
        self, database: Database, bus: Bus, seals: SealSink, *, page_events: int = PAGE_EVENTS
    ) -> None:
        self.service = database.service
        self._database = database
        self._bus = bus
        self._seals = seals
        self._page_events = page_events
        self._publishing = asyncio.Lock()
        self._behind_since: datetime | None = None
        self._published_through: Position | None = None
        # Reckoned when asked: a slow consumer keeps the relay from saying so itself.
        LAG.labels(self.service).set_function(lambda: self.lag_seconds)

    @property
    def lag_seconds(self) -> float:
        """Age of the oldest event that is known to wait; 0 where none does."""
        if self._behind_since is None:
            return 0.0
        return max(0.0, (datetime.now(UTC) - self._behind_since).total_seconds())

    @property
    def published_through(self) -> Position | None:
        """What this process, leading, has published so far."""
        return self._published_through

    async def run(self) -> None:
        """Lead whenever it can, until cancelled; whatever fails is logged and tried again."""
        delay = RETRY_SECONDS[0]
        while True:
            published_before = self._published_through
            try:
                await self._lead()
                delay = STANDBY_SECONDS
            except LeadershipLost:
                log.warning("relay lost its leadership", service=self.service)
            except Exception:
                log.exception("relay interrupted", service=self.service)
                self._behind_since = self._behind_since or datetime.now(UTC)
                if self._published_through != published_before:
                    delay = RETRY_SECONDS[0]
            finally:
                LEADS.labels(self.service).set(0)
            await asyncio.sleep(delay)
            delay = min(delay * 2, RETRY_SECONDS[1])

    async def _lead(self) -> None:
        """Publish and seal until either fails; return at once where another process leads."""
        session = await self._database.connect(SETTINGS)
        reader = EventLog(self._database)
        work: list[asyncio.Task[None]] = []
        try:
            if not await session.fetchval(_LOCK):
                return
            await open_epoch(self._database)
            cursor = await Cursor.take(session)
            log.info("relay leads", service=self.service, term=cursor.leadership.term)
            LEADS.labels(self.service).set(1)
            sealer = Sealer(self.service, cursor.leadership, self._seals)
            republisher = Republisher(self._database, self._bus, cursor, self._publishing)
            work = [
                asyncio.create_task(self._publish_on(cursor, reader)),
                asyncio.create_task(sealer.run()),
                asyncio.create_task(republisher.run()),
            ]
            await next(asyncio.as_completed(work))
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            reader.close()
            session.terminate()  # at once: a cancelled close would go on holding the lock
            await self._bus.resign(self.service)

    async def _publish_on(self, cursor: Cursor, reader: EventLog) -> None:
        watch = _OldestWriter(self.service, reader)
        page = await reader.page(cursor.position, self._page_events)
        idle = 0
        while True:
            full = len(page.events) == self._page_events
            if page.events:
                self._behind_since = page.events[0].recorded_at
                page = await self._publish(cursor, reader, page, read_on=full)
                idle = 0
            if page.events:
                continue
            idle += 1
            if watch.due():
                self._behind_since = await watch.look(cursor.position)
            elif idle == 1:
                self._behind_since = None
            await asyncio.sleep(BUSY_SECONDS if idle < IDLE_AFTER_POLLS else IDLE_SECONDS)
            page = await reader.page(cursor.position, self._page_events)

    async def _publish(
        self, cursor: Cursor, reader: EventLog, page: Page, *, read_on: bool
    ) -> Page:
        """Publish a page and move the cursor; gives the next, read meanwhile where more waits."""
        next_page = (
            asyncio.create_task(reader.page(page.end, self._page_events)) if read_on else None
        )
        try:
            async with self._publishing:
                await self._bus.publish(self.service, page, cursor.topic_generation)
                await cursor.move(page.end)
        except BaseException:
            if next_page is not None:
                next_page.cancel()
                await asyncio.gather(next_page, return_exceptions=True)
            raise
        self._published_through = page.end
        PUBLISHED.labels(self.service).inc(len(page.events))
        POSITION.labels(self.service).set(page.end.offset)
        return Page(page.end, (), page.end) if next_page is None else await next_page


# The lock's second number is the cursor table's own, so that services in one database don't meet.
_LOCK = "SELECT pg_try_advisory_lock(7629, 'relay_cursor'::regclass::oid::bigint::integer)"


class _OldestWriter:
    """Watches, once a second, what an open transaction holds back, and for how long."""

    def __init__(self, service: str, reader: EventLog) -> None:
        self._gauge = OLDEST_WRITER.labels(service)
        self._reader = reader
        self._looked = 0.0
        self._oldest = 0
        self._since = 0.0

    def due(self) -> bool:
        """Whether it is time to look again."""
        return time.monotonic() - self._looked >= WATCH_SECONDS

    async def look(self, position: Position) -> datetime | None:
        """Look; gives when the first event was recorded that is committed and yet held back."""
        now = self._looked = time.monotonic()
        window = await self._reader.window()
        if window.oldest != self._oldest:
            self._oldest, self._since = window.oldest, now
        if window.oldest == window.next:
            self._gauge.set(0.0)
            return None
        self._gauge.set(now - self._since)
        return await self._reader.waiting_since(position)
