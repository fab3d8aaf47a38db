"""Publishing past events again at an operator's request: a topic lost some, or a new one is made.

The leader works requests off beside its own publishing, a page at a time, and notes how far it has
come. Whoever has an event already knows it by its version, so nothing changes downstream. Into a
new generation of the topic everything is published from the start; once it has caught up, the
relay goes over to it within one page.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from shared.relay.leadership import LeadershipLost
from shared.relay.log import START, EventLog, Position

if TYPE_CHECKING:
    import asyncpg

    from shared.postgres.database import Database
    from shared.relay.bus import Bus
    from shared.relay.cursor import Cursor

log = structlog.stdlib.get_logger("ecocase.relay")

LOOK_SECONDS = 1.0
PAGE_EVENTS = 2_000
_NEXT = """
SELECT number, since, into_new_topic, epoch, xid, seq, events FROM republication
WHERE ended_at IS NULL ORDER BY number LIMIT 1
"""
_FIRST_SINCE = """
SELECT epoch, xid, seq FROM event WHERE recorded_at >= $1 ORDER BY epoch, xid, seq LIMIT 1
"""
# Under the leader's term, so that one that was replaced notes nothing over its successor.
_LED = "EXISTS (SELECT FROM relay_cursor WHERE term = $1)"
_NOTE = f"""
UPDATE republication SET epoch = $3, xid = $4, seq = $5, events = $6
WHERE number = $2 AND {_LED} RETURNING true
"""  # noqa: S608 - a constant
_END = f"""
UPDATE republication SET ended_at = now(), error = $3 WHERE number = $2 AND {_LED} RETURNING true
"""  # noqa: S608 - a constant


class Republisher:
    """Works requests off for as long as this process leads the service's relay."""

    def __init__(
        self, database: Database, bus: Bus, cursor: Cursor, publishing: asyncio.Lock
    ) -> None:
        self._database = database
        self._bus = bus
        self._cursor = cursor
        self._publishing = publishing

    async def run(self) -> None:
        """Look for requests until cancelled; raises `LeadershipLost` and database errors."""
        while True:
            request = await self._fetchrow(_NEXT)
            if request is None:
                await asyncio.sleep(LOOK_SECONDS)
                continue
            reader = EventLog(self._database)
            try:
                await self._work_off(request, reader)
            finally:
                reader.close()

    async def _work_off(self, request: asyncpg.Record, reader: EventLog) -> None:
        number, into_new = request["number"], request["into_new_topic"]
        generation = self._cursor.topic_generation + into_new
        position = await self._begin(request)
        events = request["events"]
        try:
            while position is not None and _before(position, self._cursor.position):
                page = await reader.page(position, PAGE_EVENTS)
                if not page.events:
                    break
                await self._bus.publish(self._database.service, page, generation)
                position, events = page.end, events + len(page.events)
                await self._write(_NOTE, number, position.epoch, position.xid, position.seq, events)
            if into_new and position is not None:
                await self._go_over(reader, position, generation)
        except LeadershipLost:
            raise
        except Exception as error:
            log.exception("republishing failed", service=self._database.service)
            await self._write(_END, number, f"{type(error).__name__}: {error}")
            return
        await self._write(_END, number, None)
        log.info("republished", service=self._database.service, events=events, topic=generation)

    async def _begin(self, request: asyncpg.Record) -> Position | None:
        """Where to begin or to go on; None where there is nothing as young as asked for."""
        if request["epoch"] is not None:
            return Position(request["epoch"], request["xid"], request["seq"], 0, None)
        if request["since"] is None:
            return START
        row = await self._fetchrow(_FIRST_SINCE, request["since"])
        if row is None:
            return None
        return Position(row["epoch"], row["xid"], row["seq"] - 1, 0, None)

    async def _go_over(self, reader: EventLog, position: Position, generation: int) -> None:
        """Publish what is left, while the relay itself waits, and have it go over."""
        async with self._publishing:
            while _before(position, self._cursor.position):
                page = await reader.page(position, PAGE_EVENTS)
                await self._bus.publish(self._database.service, page, generation)
                position = page.end
            await self._cursor.go_over(generation)

    async def _fetchrow(self, statement: str, *values: object) -> asyncpg.Record | None:
        leadership = self._cursor.leadership
        async with leadership.turn:
            row: asyncpg.Record | None = await leadership.connection.fetchrow(statement, *values)
        return row

    async def _write(self, statement: str, *values: object) -> None:
        if await self._fetchrow(statement, self._cursor.leadership.term, *values) is None:
            raise LeadershipLost


def _before(one: Position, other: Position) -> bool:
    return (one.epoch, one.xid, one.seq) < (other.epoch, other.xid, other.seq)
