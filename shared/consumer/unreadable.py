"""Messages on a bus that are no events of ours, kept whole: beside what is parked, they wait too.

An event that was garbled leaves a gap in its aggregate, behind which the later ones are parked. It
can be published again by its service; the message itself is tried again by `replay`, since newer
code may be able to read it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

from shared.events.wire import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from shared.postgres.database import Connection

REASON = "unreadable"
TITLE = "不是可读的事件"

_COLUMNS = (
    *("topic", "partition", "topic_generation", "place", "key", "headers", "value", "error"),
    *("generation", "id", "parked_at"),
)
_KEEP = f"""
INSERT INTO unreadable ({", ".join(_COLUMNS)})
VALUES ({", ".join(f"${number + 1}" for number in range(len(_COLUMNS)))}) ON CONFLICT DO NOTHING
"""  # noqa: S608 - the columns are ours
_LOAD = f"""
SELECT {", ".join(_COLUMNS[:8])} FROM unreadable
WHERE generation = (SELECT generation FROM serving) AND ($1::uuid[] IS NULL OR id = ANY ($1))
ORDER BY topic, partition, place
"""  # noqa: S608 - as above


async def keep(connection: Connection, generation: int, messages: Iterable[Unreadable]) -> None:
    """Keep messages; one that is kept already stays as it is."""
    now = datetime.now(UTC)
    rows = [
        (
            *(one.topic, one.partition, one.topic_generation, one.offset, one.key),
            *(_packed(one.headers), one.value, one.error, generation, one.id, now),
        )
        for one in messages
    ]
    await connection.executemany(_KEEP, rows)


async def load(connection: Connection, ids: Sequence[UUID] | None) -> list[Unreadable]:
    """Read those of the generation served, all or some."""
    rows = await connection.fetch(_LOAD, ids)
    return [
        Unreadable(
            topic=row["topic"],
            partition=row["partition"],
            topic_generation=row["topic_generation"],
            offset=row["place"],
            key=row["key"],
            headers=_unpacked(row["headers"]),
            value=row["value"],
            error=row["error"],
        )
        for row in rows
    ]


async def forget(connection: Connection, generation: int, id_: UUID) -> None:
    """Let go of one that was read after all."""
    await connection.execute(
        "DELETE FROM unreadable WHERE generation = $1 AND id = $2", generation, id_
    )


def _packed(headers: Iterable[tuple[str, bytes]]) -> bytes:
    return orjson.dumps([(name, b64encode(held or b"").decode()) for name, held in headers])


def _unpacked(raw: bytes) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, b64decode(held)) for name, held in orjson.loads(raw))
