"""The consumer's tables in SQL: a handful of statements over sets, whatever the batch's size.

Rows go in by COPY into a temporary table and one merge: twice as fast as arrays of parameters.
Merges are sorted by key, so that two instances never wait for each other in a circle.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

from shared.consumer.slice import Place
from shared.consumer.working_set import Fact, Parked, Reason
from shared.events.envelope import Envelope

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any
    from uuid import UUID

    from shared.postgres.database import Connection

PlaceKey = tuple[str, int]

FACT = ("aggregate_id", "topic", "bureau", "version", "hash", "state", "body")
PARKED = (
    *("topic", "id", "type", "aggregate_id", "version", "bureau", "state", "actor"),
    *("occurred_at", "recorded_at", "hash", "previous_hash", "data", "traceparent"),
    *("generation", "partition", "reason", "error", "parked_at"),
)
_EVENT = len(Envelope._fields)
_PREPARE = """
CREATE TEMPORARY TABLE incoming_fact (
    aggregate_id uuid, topic text, bureau text, version integer, hash bytea, state text, body jsonb
) ON COMMIT DELETE ROWS
"""
_MERGE = f"""
INSERT INTO fact (generation, {", ".join(FACT)})
SELECT $1, {", ".join(FACT)} FROM incoming_fact ORDER BY aggregate_id
ON CONFLICT (generation, aggregate_id) DO UPDATE SET
    version = excluded.version, hash = excluded.hash, state = excluded.state, body = excluded.body
"""  # noqa: S608 - the columns are ours
_PARK = f"""
INSERT INTO parked ({", ".join(PARKED)})
VALUES ({", ".join(f"${number + 1}" for number in range(len(PARKED)))})
ON CONFLICT (generation, id) DO UPDATE SET reason = excluded.reason, error = excluded.error
"""  # noqa: S608 - the columns are ours
_PLACES = """
SELECT topic, partition, topic_generation, next_offset, last_event_id
FROM position JOIN unnest($2::text[], $3::integer[]) AS wanted (topic, partition)
     USING (topic, partition)
WHERE generation = $1 ORDER BY topic, partition FOR UPDATE OF position
"""
_PLACE = """
INSERT INTO position (generation, topic, partition, topic_generation, next_offset, last_event_id)
SELECT $1, * FROM unnest($2::text[], $3::integer[], $4::integer[], $5::bigint[], $6::uuid[])
ON CONFLICT (generation, topic, partition) DO UPDATE SET
    topic_generation = excluded.topic_generation, next_offset = excluded.next_offset,
    last_event_id = excluded.last_event_id
"""
_FIRST_PLACE = """
INSERT INTO position (generation, topic, partition, topic_generation, next_offset)
SELECT $1, *, 1, 0 FROM unnest($2::text[], $3::integer[]) ORDER BY 2, 3
ON CONFLICT DO NOTHING
"""


async def prepare(connection: Connection) -> None:
    """Make the temporary table that `write_facts` uses."""
    await connection.execute(_PREPARE)


async def lock_places(
    connection: Connection, generation: int, keys: Collection[PlaceKey]
) -> dict[PlaceKey, Place]:
    """Lock the places of partitions until the transaction ends, in order; new ones are made."""
    topics, partitions = [key[0] for key in keys], [key[1] for key in keys]
    rows = await connection.fetch(_PLACES, generation, topics, partitions)
    if len(rows) < len(keys):
        await connection.execute(_FIRST_PLACE, generation, topics, partitions)
        rows = await connection.fetch(_PLACES, generation, topics, partitions)
    return {(row[0], row[1]): Place(*row[2:]) for row in rows}


async def places(connection: Connection, generation: int | None) -> dict[PlaceKey, Place]:
    """Where each partition stands in a generation, None for the one served."""
    rows = await connection.fetch(_ALL_PLACES, generation)
    return {(row[0], row[1]): Place(*row[2:]) for row in rows}


_ALL_PLACES = """
SELECT topic, partition, topic_generation, next_offset, last_event_id FROM position
WHERE generation = coalesce($1, (SELECT generation FROM serving))
"""


async def set_places(
    connection: Connection, generation: int, places: Mapping[PlaceKey, Place]
) -> None:
    """Write how far partitions have been applied."""
    rows = [(*key, *place) for key, place in sorted(places.items())]
    await connection.execute(
        _PLACE, generation, *(list(column) for column in zip(*rows, strict=True))
    )


async def load_facts(
    connection: Connection, generation: int, partitions: Mapping[UUID, int]
) -> dict[UUID, Fact]:
    """Read the facts of aggregates, given with the partition that each came by."""
    rows = await connection.fetch(_FACTS, generation, list(partitions))
    facts = {}
    for aggregate_id, topic, bureau, version, hash_, state, raw in rows:
        body = orjson.loads(raw)
        facts[aggregate_id] = Fact(
            aggregate_id, topic, partitions[aggregate_id], bureau, version, hash_, state, body,
            stored_version=version, stored_body=body,
        )  # fmt: skip
    return facts


_FACTS = (
    "SELECT aggregate_id, topic, bureau, version, hash, state, body FROM fact"
    " WHERE generation = $1 AND aggregate_id = ANY ($2)"
)
_WAITING = (
    f"SELECT {', '.join(PARKED[:_EVENT])}, partition, reason, error FROM parked"  # noqa: S608 - as above
    " WHERE generation = $1 AND aggregate_id = ANY ($2)"
)


async def load_waiting(
    connection: Connection, generation: int, aggregate_ids: Collection[UUID]
) -> dict[UUID, dict[UUID, Parked]]:
    """Read what is parked of aggregates."""
    waiting: dict[UUID, dict[UUID, Parked]] = {}
    for row in await connection.fetch(_WAITING, generation, list(aggregate_ids)):
        event = Envelope._make(row[:_EVENT])
        parked = Parked(event, row["partition"], Reason(row["reason"]), row["error"])
        waiting.setdefault(event.aggregate_id, {})[event.id] = parked
    return waiting


async def write_facts(
    connection: Connection, generation: int, facts: Iterable[Fact], *, fresh: bool
) -> None:
    """Write facts; into a `fresh` generation, which has none of them yet, without a merge."""
    rows: list[tuple[Any, ...]] = [
        (
            fact.aggregate_id, fact.topic, fact.bureau, fact.version, fact.hash, fact.state,
            orjson.dumps(fact.body),
        )
        for fact in facts
    ]  # fmt: skip
    if fresh:
        records = ((generation, *row) for row in rows)
        await connection.copy_records_to_table(
            "fact", records=records, columns=("generation", *FACT)
        )
        return
    await connection.copy_records_to_table("incoming_fact", records=rows, columns=FACT)
    await connection.execute(_MERGE, generation)


async def write_parked(
    connection: Connection, generation: int, parked: Iterable[Parked], released: Collection[UUID]
) -> None:
    """Park events, and let go of those that were applied after all."""
    now = datetime.now(UTC)
    rows = [
        (*each.event, generation, each.partition, each.reason.value, each.error, now)
        for each in parked
    ]
    if rows:
        await connection.executemany(_PARK, rows)
    if released:
        await connection.execute(
            "DELETE FROM parked WHERE generation = $1 AND id = ANY ($2)", generation, list(released)
        )
