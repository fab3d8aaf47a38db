"""Notes: entries that say how far every chain had come, so that a chain cut short is missed.

A chain cannot see its own tail removed. So a writer begins with a note, writes another every hour,
and ends with one: the heads of all chains that moved of late, other writers' too. Whoever removes
the end of a chain, or the whole of it, must then also remove every later note of it, which are
links of other chains, noted in their turn. What no note covers yet (the last hour of a process that
was killed) the running process itself still knows, and each noted head goes to the platform's log,
outside the database.

A note also carries the number of purges and a digest of all checkpoints, so that none can be
forged to explain what somebody removed. Notes are written one at a time, under a lock that no other
entry waits for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.audit.entry import Entry, Kind, Outcome
from shared.audit.tables import CHECKPOINT_HASHED
from shared.events.hashing import row_hash

if TYPE_CHECKING:
    from uuid import UUID

    from shared.audit.chain import Head
    from shared.postgres.database import Connection

MOST_HEADS = 100
OPENED, HOURLY, CLOSED, LOST = "日志开启", "记录各链末端", "日志关闭", "未能写入"
LEFT = "弃用被他人续写的链"


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """How often was purged, and the digest of every chain's checkpoint, in hexadecimal."""

    purge: int
    digest: str


async def take_turn(connection: Connection) -> None:
    """Wait for other notes and purges of this schema; the turn ends with the transaction."""
    await connection.execute(_LOCK)


async def note(connection: Connection, action: str, *, purged: int = 0) -> Entry:
    """The note to write now, in one's turn; `purged` entries were removed in it."""
    heads = await connection.fetch(_HEADS, MOST_HEADS)
    checkpoints = await read_checkpoints(connection)
    details: dict[str, Any] = {
        "heads": [noted(row["writer"], row["number"], row["hash"]) for row in heads],
        "purge": checkpoints.purge,
        "checkpoints": checkpoints.digest,
    }
    if purged:
        details["purged"] = purged
    return Entry(kind=Kind.TRAIL, action=action, details=details)


def left(head: Head) -> Entry:
    """Says that a chain ended at a head, and that whatever follows there is not its writer's."""
    details = {"ended": noted(head.writer, head.number, head.hash or b"")}
    return Entry(kind=Kind.TRAIL, action=LEFT, outcome=Outcome.REFUSED, details=details)


def noted(writer: UUID, number: int, digest: bytes) -> dict[str, Any]:
    """A head as a note carries it."""
    return {"writer": str(writer), "number": number, "hash": digest.hex()}


async def read_checkpoints(connection: Connection) -> Checkpoints:
    """What has been purged until now."""
    columns = ", ".join(CHECKPOINT_HASHED)
    rows = await connection.fetch(f"SELECT {columns} FROM audit_checkpoint ORDER BY writer")
    return digested(dict(row) for row in rows)


def digested(rows: Iterable[Mapping[str, Any]]) -> Checkpoints:
    """The digest of checkpoints in the order of their writers."""
    digest, purge = hashlib.sha256(), 0
    for row in rows:
        digest.update(row_hash(row, CHECKPOINT_HASHED))
        purge = max(purge, row["purge"])
    return Checkpoints(purge, digest.hexdigest())


# The lock's second number is the table's own, so that services in one database don't meet.
_LOCK = "SELECT pg_advisory_xact_lock(7630, 'audit_entry'::regclass::oid::bigint::integer)"
_HEADS = """
WITH RECURSIVE writers AS (
    (SELECT writer FROM audit_entry ORDER BY writer LIMIT 1)
    UNION ALL
    SELECT (SELECT e.writer FROM audit_entry AS e WHERE e.writer > w.writer
            ORDER BY e.writer LIMIT 1)
    FROM writers AS w WHERE w.writer IS NOT NULL
)
SELECT h.writer, h.number, h.hash
FROM writers AS w CROSS JOIN LATERAL (
    SELECT e.writer, e.number, e.hash, e.at FROM audit_entry AS e WHERE e.writer = w.writer
    ORDER BY e.number DESC LIMIT 1
) AS h
WHERE h.at >= (SELECT max(at) - interval '1 day' FROM audit_entry WHERE kind = 'trail')
ORDER BY h.at DESC LIMIT $1
"""
