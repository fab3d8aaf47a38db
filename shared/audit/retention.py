"""The purge of what is older than the trail is kept.

The least time (`shared.audit.period`) is held by a trigger of the database too. Only whole
beginnings of chains go: through the entry before the first that must stay. A checkpoint keeps that
entry's hash, so that the rest still joins on, and the note written with the purge
(`shared.audit.notes`) vouches for the checkpoint.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.audit.notes import read_checkpoints
from shared.events.hashing import ALGORITHM

if TYPE_CHECKING:
    from datetime import datetime

    from shared.postgres.database import Connection

BETWEEN_PURGES = timedelta(days=1)


async def purge(connection: Connection, now: datetime, days: int) -> int:
    """Remove what is older than `days`, at most once a day; gives how many entries went.

    Runs in one's turn, see `notes.take_turn`. `now` is aware.
    """
    last = await connection.fetchval("SELECT max(at) FROM audit_checkpoint")
    if last is not None and now - last < BETWEEN_PURGES:
        return 0
    number = (await read_checkpoints(connection)).purge + 1
    moved = await connection.fetch(_MOVE, now - timedelta(days=days), number, now, ALGORITHM)
    if not moved:
        return 0
    await connection.execute("SET LOCAL ecocase.audit_purge = 'on'")
    removed: int = await connection.fetchval(_REMOVE, number)
    await connection.execute("SET LOCAL ecocase.audit_purge = 'off'")
    return removed


_MOVE = """
WITH old AS (SELECT DISTINCT writer FROM audit_entry WHERE at < $1),
through AS (
    SELECT old.writer, coalesce(
        (SELECT min(number) - 1 FROM audit_entry WHERE writer = old.writer AND at >= $1),
        (SELECT max(number) FROM audit_entry WHERE writer = old.writer)
    ) AS number FROM old
)
INSERT INTO audit_checkpoint (writer, number, hash, purge, at, hash_algorithm)
SELECT e.writer, e.number, e.hash, $2, $3, $4
FROM through AS t JOIN audit_entry AS e ON e.writer = t.writer AND e.number = t.number
ON CONFLICT (writer) DO UPDATE SET number = excluded.number, hash = excluded.hash,
    purge = excluded.purge, at = excluded.at, hash_algorithm = excluded.hash_algorithm
RETURNING writer
"""
_REMOVE = """
WITH removed AS (
    DELETE FROM audit_entry AS e USING audit_checkpoint AS c
    WHERE c.purge = $1 AND e.writer = c.writer AND e.number <= c.number
    RETURNING 1
)
SELECT count(*) FROM removed
"""
