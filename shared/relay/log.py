"""A service's events in the order in which they may be published.

A cursor on `seq` alone would lose events: a number drawn early may be committed late. So events
are read by transaction, (epoch, xid, seq), and only those of transactions older than every one
still running: what lies before that line can never change, and an event's place in it, its
offset, is the same whoever reads it and whenever.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.events.envelope import Envelope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from shared.postgres.database import Connection, Database


@dataclass(frozen=True, slots=True)
class Position:
    """Where a reader stands: after the event `event_id`, which `offset - 1` others precede."""

    epoch: int
    xid: int
    seq: int
    offset: int
    event_id: UUID | None


START = Position(0, 0, 0, 0, None)


@dataclass(frozen=True, slots=True)
class Page:
    """Events in order, from after `start` up to and with `end`."""

    start: Position
    events: Sequence[Envelope]
    end: Position


@dataclass(frozen=True, slots=True)
class Window:
    """Transactions at one moment: the oldest still running, and the next number to be drawn."""

    oldest: int
    next: int


_COLUMNS = (
    "id, type, aggregate_id, aggregate_version, bureau, state, actor,"
    # As bytes from the server: a decoder of ours, called for every row, would cost more.
    " occurred_at, recorded_at, hash, previous_hash, convert_to(data::text, 'UTF8'), traceparent"
)
_FIELDS = len(Envelope._fields)
_NEWEST_EPOCH = "SELECT coalesce(max(number), 1) FROM epoch"
# One statement, hence one snapshot: what it reads and the line it stops at belong together.
# Row comparison, because it uses the whole index and can stop within one large transaction.
_PAGE = f"""
SELECT $1::text, {_COLUMNS}, xid, seq FROM event
WHERE epoch = $2 AND (xid, seq) > ($3, $4) AND xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xid, seq LIMIT $5
"""  # noqa: S608 - the columns are ours
# In an epoch that has ended every transaction is settled, whatever its number is next to ours.
_PAGE_OF_ENDED_EPOCH = _PAGE.replace(" AND xid < pg_snapshot_xmin(pg_current_snapshot())", "")
_FIND = "SELECT epoch, xid, seq FROM event WHERE id = $1"
_WAITING_SINCE = (
    "SELECT recorded_at FROM event WHERE (epoch, xid, seq) > ($1, $2, $3)"
    " ORDER BY epoch, xid, seq LIMIT 1"
)
_WINDOW = (
    "SELECT pg_snapshot_xmin(now) AS oldest, pg_snapshot_xmax(now) AS next"
    " FROM pg_current_snapshot() AS now"
)
# On a table without statistics the planner would sort a bitmap of everything that is left.
SETTINGS = {"enable_bitmapscan": "off", "plan_cache_mode": "force_custom_plan"}


class EventLog:
    """Reads one service's events, on a connection of its own that it reopens when lost."""

    def __init__(self, database: Database) -> None:
        self.topic = database.service
        self._database = database
        self._connection: Connection | None = None
        self._newest_epoch = 1
        self._one_at_a_time = asyncio.Lock()

    async def page(self, start: Position, limit: int) -> Page:
        """Read up to `limit` settled events after `start`; no events where there are none yet."""
        async with self._one_at_a_time:
            connection = await self._connected()
            epoch, xid, seq = start.epoch, start.xid, start.seq
            while True:
                query = _PAGE_OF_ENDED_EPOCH if epoch < self._newest_epoch else _PAGE
                rows = await connection.fetch(query, self.topic, epoch, xid, seq, limit)
                if rows:
                    break
                ended = epoch < self._newest_epoch
                self._newest_epoch = await connection.fetchval(_NEWEST_EPOCH)
                if ended:
                    epoch, xid, seq = epoch + 1, 0, 0
                elif epoch >= self._newest_epoch:
                    break
        if not rows:
            return Page(start, (), start)
        make = Envelope._make
        events = [make(row[:_FIELDS]) for row in rows]
        last = rows[-1]
        end = Position(epoch, last["xid"], last["seq"], start.offset + len(rows), last["id"])
        return Page(start, events, end)

    async def find(self, event_id: UUID | None, offset: int) -> Position | None:
        """The position after an event, or None where the log does not hold it (any more).

        `offset` is what the caller knows the event's to be, plus one; 0 without an event is the
        start.
        """
        if event_id is None:
            return START if offset == 0 else None
        async with self._one_at_a_time:
            row = await (await self._connected()).fetchrow(_FIND, event_id)
        if row is None:
            return None
        return Position(row["epoch"], row["xid"], row["seq"], offset, event_id)

    async def waiting_since(self, start: Position) -> datetime | None:
        """When the first event after `start`, settled or not, was recorded; None without one."""
        async with self._one_at_a_time:
            connection = await self._connected()
            since: datetime | None = await connection.fetchval(
                _WAITING_SINCE, start.epoch, start.xid, start.seq
            )
        return since

    async def window(self) -> Window:
        """Which transactions hold events back right now; equal numbers where none does."""
        async with self._one_at_a_time:
            row = await (await self._connected()).fetchrow(_WINDOW)
        assert row is not None  # noqa: S101 - a function's single row
        return Window(row["oldest"], row["next"])

    def close(self) -> None:
        """Drop the connection; at once, so that a cancellation cannot leave it open."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._database.connect(SETTINGS)
        return self._connection
