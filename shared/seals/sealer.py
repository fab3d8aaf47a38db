"""Seals a service's events, once a second, on the session of the relay's leader.

What is sealed is settled: every transaction before it has ended, so that nothing can come between.
A seal goes in only where the leader's term still stands and the newest seal is the one it follows;
so a leader that was replaced while it hung can neither fork the chain nor put a seal in it twice.
No command waits for a seal, and a crash between an event and its seal only leaves it to the next.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import asyncpg
import sqlalchemy as sa
import structlog
from prometheus_client import Counter
from sqlalchemy.dialects import postgresql as pg

from shared.relay.leadership import LeadershipLost
from shared.seals.seal import ALGORITHM, COLUMNS, DIGEST_SQL, Seal, seal_hash, seal_of
from shared.seals.table import seal_table

if TYPE_CHECKING:
    from shared.postgres.database import Connection
    from shared.relay.leadership import Leadership
    from shared.seals.sink import SealSink

log = structlog.stdlib.get_logger("ecocase.seals")

SEALED = Counter("ecocase_sealed", "Events sealed.", ["service"])

SEAL_SECONDS = 1.0
SEALED_EVENTS = 10_000
PUBLISHED_AT_ONCE = 1_000

_NEWEST_SEAL = f"SELECT {', '.join(COLUMNS)} FROM seal ORDER BY number DESC LIMIT 1"
_SEAL = f"SELECT {', '.join(COLUMNS)} FROM seal WHERE number = $1"
_SEALS = f"""
SELECT {", ".join(COLUMNS)} FROM seal WHERE number > $1 ORDER BY number LIMIT $2
"""
# An epoch that was never opened holds nothing but forgeries, which must not stop the sealing.
_NEXT = """
SELECT event.epoch, newest.epoch AS newest
FROM (SELECT coalesce(max(number), 1) AS epoch FROM epoch) AS newest, event
WHERE (event.epoch, xid, seq) > ($1, $2, $3) AND event.epoch <= newest.epoch
ORDER BY event.epoch, xid, seq LIMIT 1
"""
_STRETCH = f"""
SELECT count(*) AS events, {DIGEST_SQL} AS digest,
       (array_agg(xid ORDER BY xid, seq))[1] AS first_xid,
       (array_agg(seq ORDER BY xid, seq))[1] AS first_seq,
       (array_agg(xid ORDER BY xid, seq))[count(*)::integer] AS last_xid,
       (array_agg(seq ORDER BY xid, seq))[count(*)::integer] AS last_seq
FROM (
    SELECT xid, seq, id, hash FROM event
    WHERE epoch = $1 AND (xid, seq) > ($2, $3) AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY xid, seq LIMIT $4
) AS stretch
"""
_STRETCH_OF_ENDED_EPOCH = _STRETCH.replace(" AND xid < pg_snapshot_xmin(pg_current_snapshot())", "")
_DIALECT = pg.dialect()  # type: ignore[no-untyped-call]
_TYPES = {
    column.name: column.type.compile(_DIALECT) for column in seal_table(sa.MetaData()).columns
}
_VALUES = {name: f"${number}::{_TYPES[name]}" for number, name in enumerate(COLUMNS, 1)}
# The row lock makes a new leader's term wait, and is taken only where this one still stands.
_APPEND = f"""
INSERT INTO seal ({", ".join(COLUMNS)})
SELECT {", ".join(_VALUES.values())} FROM relay_cursor
WHERE term = {_VALUES["term"]}
  AND (SELECT hash FROM seal ORDER BY number DESC LIMIT 1)
      IS NOT DISTINCT FROM {_VALUES["previous_hash"]}
FOR SHARE OF relay_cursor
RETURNING number
"""


class Sealer:
    """Seals what a service's relay orders; `run` it for as long as the process leads."""

    def __init__(
        self,
        service: str,
        leadership: Leadership,
        sink: SealSink,
        *,
        sealed_events: int = SEALED_EVENTS,
    ) -> None:
        self._service = service
        self._leadership = leadership
        self._sink = sink
        self._sealed_events = sealed_events
        self._newest_known: Seal | None = None
        self._published: int | None = None

    async def run(self) -> None:
        """Seal until cancelled; raises `LeadershipLost`, and what a lost session raises.

        Where a seal cannot be published, the next ones are written all the same, and published
        when that is possible again.
        """
        while True:
            try:
                await self.seal()
                await self._publish()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                if self._leadership.connection.is_closed():
                    raise
                log.exception("sealing interrupted", service=self._service)
                self._published = None
            await asyncio.sleep(SEAL_SECONDS)

    async def seal(self) -> Seal | None:
        """Seal the next settled stretch; None where nothing waits. Raises `LeadershipLost`."""
        async with self._leadership.turn:
            connection = self._leadership.connection
            last = await self._newest(connection)
            end = (0, 0, 0) if last is None else last.end
            found = await connection.fetchrow(_NEXT, *end)
            if found is None:
                return None
            epoch, newest = found
            query = _STRETCH_OF_ENDED_EPOCH if epoch < newest else _STRETCH
            place = end[1:] if epoch == end[0] else (0, 0)
            stretch = await connection.fetchrow(query, epoch, *place, self._sealed_events)
            if stretch is None or not stretch["events"]:
                return None
            seal = self._following(last, epoch, stretch)
            try:
                values = [getattr(seal, name) for name in COLUMNS]
                written = await connection.fetchval(_APPEND, *values)
            except asyncpg.UniqueViolationError:
                raise LeadershipLost from None
        if written is None:
            raise LeadershipLost
        self._newest_known = seal
        SEALED.labels(self._service).inc(seal.events)
        return seal

    def _following(self, last: Seal | None, epoch: int, stretch: asyncpg.Record) -> Seal:
        seal = Seal(
            service=self._service,
            number=1 if last is None else last.number + 1,
            epoch=epoch,
            **stretch,
            previous_hash=None if last is None else last.hash,
            hash_algorithm=ALGORITHM,
            term=self._leadership.term,
            sealed_at=datetime.now(UTC),
        )
        return replace(seal, hash=seal_hash(seal))

    async def _newest(self, connection: Connection) -> Seal | None:
        """The seal to follow: this leader's last, at first whatever the table has."""
        if self._newest_known is None:
            row = await connection.fetchrow(_NEWEST_SEAL)
            self._newest_known = None if row is None else seal_of(self._service, row)
        return self._newest_known

    async def _publish(self) -> None:
        """Publish what the sink lacks of the table."""
        newest = self._newest_known
        if newest is None:
            return
        if self._published is None:
            self._published = await self._agreed()
        while self._published < newest.number:
            async with self._leadership.turn:
                rows = await self._leadership.connection.fetch(
                    _SEALS, self._published, PUBLISHED_AT_ONCE
                )
            if not rows:
                return
            await self._sink.publish([seal_of(self._service, row) for row in rows])
            self._published = rows[-1]["number"]

    async def _agreed(self) -> int:
        """The number up to which the sink holds what the table holds; else it begins anew."""
        published = await self._sink.last()
        if published is None:
            return 0
        async with self._leadership.turn:
            row = await self._leadership.connection.fetchrow(_SEAL, published.number)
        if row is not None and seal_of(self._service, row) == published:
            return published.number
        log.error(
            "the seals published are not those of the table; others are begun",
            service=self._service, number=published.number,
        )  # fmt: skip
        await self._sink.begin_anew()
        return 0
