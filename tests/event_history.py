"""Events written as a service writes them: versions, hashes and all, without its procedures."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from uuid_utils.compat import uuid7

from shared.events.envelope import Envelope
from shared.events.hashing import ALGORITHM, canonical, event_hash
from shared.events.table import WRITTEN
from shared.postgres.database import Database

if TYPE_CHECKING:
    from uuid import UUID

    from shared.postgres.database import Connection

BUREAU = "500152"
INSERT = (
    f"INSERT INTO event ({', '.join(WRITTEN)})"
    f" VALUES ({', '.join(f'${n + 1}' for n in range(len(WRITTEN)))})"
)


@dataclass(slots=True)
class Story:
    """An aggregate's chain of events, made in memory."""

    topic: str
    bureau: str = BUREAU
    id: UUID = field(default_factory=uuid7)
    version: int = 0
    hash: bytes | None = None

    def tell(
        self,
        type_: str,
        data: Any = None,
        *,
        at: datetime | None = None,
        state: str = "open",
    ) -> dict[str, Any]:
        """Make the next event's row."""
        now = datetime.now(UTC)
        row: dict[str, Any] = {
            "id": uuid7(),
            "aggregate_id": self.id,
            "aggregate_version": self.version + 1,
            "type": f"cn.ecocase.{self.topic}.{type_}",
            "schema_version": 1,
            "bureau": self.bureau,
            "state": state,
            "actor": "officer1",
            "on_behalf_of": None,
            "occurred_at": at or now,
            "recorded_at": now,
            "data": canonical(data or {}),
            "idempotency_key": str(uuid7()),
            "correlation_id": self.id,
            "causation_id": None,
            "traceparent": None,
            "previous_hash": self.hash,
            "hash_algorithm": ALGORITHM,
        }
        row["hash"] = event_hash(row)
        self.version, self.hash = row["aggregate_version"], row["hash"]
        return row


async def write(place: Database | Connection, *rows: dict[str, Any]) -> None:
    """Commit rows, each in a transaction of its own unless the connection is in one."""
    if isinstance(place, Database):
        async with place.connection() as connection:
            await write(connection, *rows)
        return
    await place.executemany(INSERT, [[row[name] for name in WRITTEN] for row in rows])


def envelope(topic: str, row: dict[str, Any]) -> Envelope:
    """A row as a bus brings it."""
    return Envelope(
        topic=topic,
        version=row["aggregate_version"],
        **{name: row[name] for name in Envelope._fields if name not in {"topic", "version"}},
    )
