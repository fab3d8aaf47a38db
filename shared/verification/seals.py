"""A service's seals: read for whoever keeps a copy, and reckoned again from the events.

A seal answers for everything after the one before it, so that an event put between two is found
as surely as one within.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from shared.seals.seal import COLUMNS, DIGEST_SQL, Seal, seal_hash, seal_of
from shared.verification.findings import Finding, SealVerification

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import asyncpg

    from shared.postgres.database import Connection, Database

EVENTS_A_PAGE = 50_000
SEALS_A_PAGE = 200
MOST_EVENTS = 100_000
NAMED = 50

_SEAL = ", ".join(f"seal.{name}" for name in COLUMNS)
_SEALS = f"SELECT {_SEAL} FROM seal WHERE number > $1 ORDER BY number LIMIT $2"
# Up to and with the seal that the walk has come to; where it was removed, the one before it.
_BEFORE = f"SELECT {_SEAL} FROM seal WHERE number <= $1 ORDER BY number DESC LIMIT 1"
# One event more than sealed tells that there are more; a seal may have been made to claim any
# number, so that is bounded too.
_RECKONED = f"""
SELECT count(*) AS events, {DIGEST_SQL} AS digest, count(DISTINCT epoch) AS epochs
FROM (
    SELECT epoch, xid, seq, id, hash FROM event
    WHERE (epoch, xid, seq) > ($1, $2, $3) AND (epoch, xid, seq) <= ($4, $5, $6)
    ORDER BY epoch, xid, seq LIMIT greatest(least($7::bigint, {MOST_EVENTS}), 0) + 1
) AS stretch
"""
_LEAST_SEQ = -(2**63)
_EVERYTHING_BEFORE = (-(2**31), 0, _LEAST_SEQ)
_UNSEALED = """
SELECT id FROM event
WHERE (epoch, xid, seq) > ($1, $2, $3)
  AND (epoch < $4 OR epoch = $4 AND xid < pg_snapshot_xmin(pg_current_snapshot()))
ORDER BY epoch, xid, seq LIMIT 1
"""
_NOT_YET_DRAWN = """
SELECT id, aggregate_id, aggregate_version FROM event
WHERE (epoch, xid) >= ($1, pg_snapshot_xmax(pg_current_snapshot()))
ORDER BY epoch, xid, seq LIMIT $2
"""
_NEWEST_EPOCH = "SELECT coalesce(max(number), 1) FROM epoch"


class SealAudit:
    """Reads and verifies a service's seals."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, after: int, limit: int) -> list[Seal]:
        """The seals after a number, in their order."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_SEALS, after, limit)
        return [seal_of(self._database.service, row) for row in rows]

    async def verify(self, after: int) -> SealVerification:
        """Reckon the seals after a number again, in one snapshot; at the end, what follows them."""
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            service = self._database.service
            found = await connection.fetchrow(_BEFORE, after)
            before = None if found is None else seal_of(service, found)
            rows = await connection.fetch(_SEALS, after, SEALS_A_PAGE)
            seals = _bounded([seal_of(service, row) for row in rows])
            verified = SealVerification(
                seals=len(seals),
                events=0,
                findings=[],
                last=seals[-1].number if seals else after,
                more=len(seals) < len(rows) or len(rows) == SEALS_A_PAGE,
            )
            for seal in seals:
                reckoned = await self._reckoned(connection, before, seal)
                verified.events += reckoned["events"]
                verified.findings += _faults(before, seal, reckoned)
                before = seal
            if not verified.more:
                verified.findings += await _not_yet_drawn(connection)
                verified.unsealed = await _unsealed(connection, before)
        return verified

    async def _reckoned(
        self, connection: Connection, before: Seal | None, seal: Seal
    ) -> asyncpg.Record:
        begins = _EVERYTHING_BEFORE
        if before is not None and seal.number == before.number + 1:
            begins = before.end
        elif seal.number != 1:  # those between were removed; what they held, they held
            begins = (seal.epoch, seal.first_xid, max(seal.first_seq - 1, _LEAST_SEQ))
        reckoned = await connection.fetchrow(_RECKONED, *begins, *seal.end, seal.events)
        assert reckoned is not None  # noqa: S101 - an aggregate's single row
        return reckoned


def _bounded(seals: Sequence[Seal]) -> Sequence[Seal]:
    """As many seals as hold `EVENTS_A_PAGE` events together, and at least one."""
    events = 0
    for number, seal in enumerate(seals):
        events += seal.events
        if number and events > EVENTS_A_PAGE:
            return seals[:number]
    return seals


def _faults(before: Seal | None, seal: Seal, reckoned: asyncpg.Record) -> Iterable[Finding]:
    """Name what is wrong with one seal: by itself, after the one before, against the events."""
    expected = 1 if before is None else before.number + 1
    if seal.number != expected:
        yield Finding(
            seal=seal.number,
            what="seal-removed",
            reason=f"缺少第 {numbers(expected, seal.number - 1)} 号封签",
        )
    elif seal.previous_hash != (None if before is None else before.hash):
        yield Finding(seal=seal.number, what="seal-forked", reason="与前一封签的散列不相连")
    if seal.hash != _rehash(seal):
        yield Finding(seal=seal.number, what="seal-edited", reason="封签内容与其散列不符")
    if reckoned["events"] != seal.events:
        yield Finding(
            seal=seal.number,
            what="seal-differs",
            reason=f"封签所含事件应为 {seal.events} 个，事件表中"
            + (f"有 {reckoned['events']} 个" if reckoned["events"] < seal.events else "更多"),
        )
    elif reckoned["digest"] != seal.digest or reckoned["epochs"] != 1:
        reason = "封签所含事件的编号、散列或次序与事件表不符"
        yield Finding(seal=seal.number, what="seal-differs", reason=reason)


def numbers(first: int, last: int) -> str:
    """Numbers from one to another, in Chinese."""
    return str(first) if first == last else f"{first} 至 {last}"


def _rehash(seal: Seal) -> bytes:
    try:
        return seal_hash(seal)
    except (TypeError, ValueError, OverflowError):
        return b""  # what no seal of ours can hold, such as an endless time


async def _not_yet_drawn(connection: Connection) -> list[Finding]:
    """Name events of transactions that have not begun: nobody but a forger can write them."""
    newest = await connection.fetchval(_NEWEST_EPOCH)
    return [
        Finding(
            aggregate_id=row["aggregate_id"],
            version=row["aggregate_version"],
            event_id=row["id"],
            what="not-yet-drawn",
            reason="次序（epoch、xid）在尚未发生的事务之后",
        )
        for row in await connection.fetch(_NOT_YET_DRAWN, newest, NAMED)
    ]


async def _unsealed(connection: Connection, last: Seal | None) -> UUID | None:
    end = _EVERYTHING_BEFORE if last is None else last.end
    newest = await connection.fetchval(_NEWEST_EPOCH)
    unsealed: UUID | None = await connection.fetchval(_UNSEALED, *end, newest)
    return unsealed
