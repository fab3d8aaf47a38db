"""Epochs: transaction ids start again in another cluster, so each event says which it lived in.

A cluster is known by its system identifier and timeline. Where either differs from the newest
epoch's, the events come from a restore or a promotion: a new epoch opens before any command is
taken, and the relay drains the old one before it goes on in the new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from shared.postgres.database import Database

log = structlog.stdlib.get_logger("ecocase.relay")

CLUSTER = """
SELECT system_identifier,
       ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint AS timeline
FROM pg_control_system()
"""


async def open_epoch(database: Database) -> int:
    """See that the newest epoch is that of the cluster we are connected to; gives its number.

    Call it before commands are taken. Several processes may: one opens, the others find it open.
    The lock on the event table waits for the writers that would still use the old number.
    """
    async with database.connection() as connection:
        cluster = await connection.fetchrow(CLUSTER)
        assert cluster is not None  # noqa: S101 - a function's single row
        here = (cluster["system_identifier"], cluster["timeline"])
        newest = await connection.fetchrow(_NEWEST)
        if newest is not None and _cluster(newest) == here:
            return int(newest["number"])
        async with connection.transaction():
            await connection.execute("LOCK TABLE event IN ACCESS EXCLUSIVE MODE")
            newest = await connection.fetchrow(_NEWEST)
            if newest is not None and _cluster(newest) == here:
                return int(newest["number"])
            number = 1 if newest is None else int(newest["number"]) + 1
            await connection.execute(
                "INSERT INTO epoch (number, system_identifier, timeline, opened_at)"
                " VALUES ($1, $2, $3, now())",
                number,
                *here,
            )
            await connection.execute(f"ALTER TABLE event ALTER COLUMN epoch SET DEFAULT {number:d}")
    log.info("epoch opened", service=database.service, epoch=number)
    return number


_NEWEST = "SELECT number, system_identifier, timeline FROM epoch ORDER BY number DESC LIMIT 1"


def _cluster(row: object) -> tuple[int, int]:
    return row["system_identifier"], row["timeline"]  # type: ignore[index]  # asyncpg.Record
