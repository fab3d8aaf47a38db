"""What a backup holds and what it was taken of: the archive's last member, `manifest.json`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from shared.postgres.provision import quoted
from shared.postgres.revision import VERSION_TABLE
from shared.relay.epoch import CLUSTER

if TYPE_CHECKING:
    import asyncpg

    Connection = asyncpg.Connection[asyncpg.Record]

FORMAT = 1

_SCHEMAS = """
SELECT nspname, EXISTS (
    SELECT FROM pg_class AS event WHERE event.relnamespace = n.oid AND event.relname = 'event'
) AS has_events
FROM pg_namespace AS n JOIN pg_class AS c ON c.relnamespace = n.oid
WHERE c.relname = $1 ORDER BY nspname
"""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Member(_Part):
    """One member of the archive; `sha256` in hexadecimal."""

    bytes: int
    sha256: str


class Events(_Part):
    """How far a service's events had come: how many, and the last in (epoch, xid, seq)."""

    count: int
    last_id: str | None = None
    epoch: int = 0
    xid: int = 0
    seq: int = 0


class Schema(_Part):
    """A service's schema: its migration, and its events where it has any."""

    revision: str
    events: Events | None = None


class Manifest(_Part):
    """The whole backup. `created_at` is the instant of the snapshot, by the database's clock."""

    format: int
    platform: str
    postgresql: int
    created_at: datetime
    system_identifier: int
    timeline: int
    schemas: dict[str, Schema]
    members: dict[str, Member]


async def schemas(connection: Connection) -> dict[str, Schema]:
    """How every service's schema stands, as the connection's transaction sees it."""
    found = {}
    for name, has_events in await connection.fetch(_SCHEMAS, VERSION_TABLE):
        schema = quoted(name)
        revision = await connection.fetchval(
            f"SELECT max(version_num) FROM {schema}.{VERSION_TABLE}"  # noqa: S608 - quoted
        )
        events = await _events(connection, schema) if has_events else None
        found[name] = Schema(revision=revision, events=events)
    return found


async def cluster(connection: Connection) -> tuple[int, int]:
    """The cluster's system identifier and timeline."""
    row = await connection.fetchrow(CLUSTER)
    assert row is not None  # noqa: S101 - a function's single row
    return row["system_identifier"], row["timeline"]


async def _events(connection: Connection, schema: str) -> Events:
    count = await connection.fetchval(f"SELECT count(*) FROM {schema}.event")  # noqa: S608 - quoted
    last = await connection.fetchrow(
        f"SELECT id, epoch, xid, seq FROM {schema}.event"  # noqa: S608 - quoted
        " ORDER BY epoch DESC, xid DESC, seq DESC LIMIT 1"
    )
    if last is None:
        return Events(count=0)
    return Events(
        count=count, last_id=str(last["id"]), epoch=last["epoch"], xid=last["xid"], seq=last["seq"]
    )
