"""What a consumer keeps beside its projection: generations, places, facts, parked events."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg


@dataclass(frozen=True, slots=True)
class ConsumerTables:
    """A consumer's tables."""

    generation: sa.Table
    serving: sa.Table
    position: sa.Table
    fact: sa.Table
    parked: sa.Table
    unreadable: sa.Table


def consumer_tables(metadata: sa.MetaData) -> ConsumerTables:
    """Define a consumer's tables.

    - `generation`: each time the projection was built, how that stands, the folds' shape; of one
      that is live, `error` says why a rebuild is due.
    - `serving`: one row, the generation that is read and kept current; a switch changes it.
    - `position`: how far each partition has been applied.
    - `fact`: one row an aggregate: the last event applied, and what the projection makes of it.
    - `parked`: events that could not be applied, whole, with the reason.
    - `unreadable`: messages that are no event of ours, whole, with their place and the reason.
    """
    return ConsumerTables(
        generation=sa.Table(
            "generation",
            metadata,
            sa.Column("number", sa.Integer, sa.Identity(always=True), primary_key=True),
            sa.Column("state", sa.Text, nullable=False),
            sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("ended_at", sa.DateTime(timezone=True)),
            sa.Column("events", sa.BigInteger, nullable=False, server_default="0"),
            sa.Column("error", sa.Text),
            sa.Column("shape", sa.Text),
            sa.CheckConstraint(
                "state IN ('building', 'live', 'retired', 'failed', 'removed')",
                name="generation_state",
            ),
        ),
        serving=sa.Table(
            "serving",
            metadata,
            sa.Column("one", sa.Boolean, primary_key=True, server_default=sa.true()),
            sa.Column("generation", sa.Integer, nullable=False),
            sa.CheckConstraint("one", name="serving_is_one_row"),
        ),
        position=sa.Table(
            "position",
            metadata,
            sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("topic", sa.Text, primary_key=True),
            sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("topic_generation", sa.Integer, nullable=False),
            sa.Column("next_offset", sa.BigInteger, nullable=False),
            sa.Column("last_event_id", pg.UUID(as_uuid=True)),
        ),
        fact=sa.Table(
            "fact",
            metadata,
            sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("aggregate_id", pg.UUID(as_uuid=True), primary_key=True),
            sa.Column("topic", sa.Text, nullable=False),
            sa.Column("bureau", sa.Text, nullable=False),
            sa.Column("version", sa.Integer, nullable=False),
            sa.Column("hash", sa.LargeBinary, nullable=False),
            sa.Column("state", sa.Text, nullable=False),
            sa.Column("body", pg.JSONB, nullable=False),
        ),
        parked=sa.Table(
            "parked",
            metadata,
            sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
            sa.Column("topic", sa.Text, nullable=False),
            sa.Column("partition", sa.Integer, nullable=False),
            sa.Column("type", sa.Text, nullable=False),
            sa.Column("aggregate_id", pg.UUID(as_uuid=True), nullable=False),
            sa.Column("version", sa.Integer, nullable=False),
            sa.Column("bureau", sa.Text, nullable=False),
            sa.Column("state", sa.Text, nullable=False),
            sa.Column("actor", sa.Text, nullable=False),
            sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("hash", sa.LargeBinary, nullable=False),
            sa.Column("previous_hash", sa.LargeBinary),
            sa.Column("data", sa.LargeBinary, nullable=False),
            sa.Column("traceparent", sa.Text),
            sa.Column("reason", sa.Text, nullable=False),
            sa.Column("error", sa.Text, nullable=False),
            sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False),
            sa.CheckConstraint("reason IN ('gap', 'poison', 'fork')", name="parked_reason"),
            sa.Index("parked_by_aggregate", "generation", "aggregate_id", "version"),
        ),
        unreadable=sa.Table(
            "unreadable",
            metadata,
            sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
            sa.Column("topic", sa.Text, nullable=False),
            sa.Column("partition", sa.Integer, nullable=False),
            sa.Column("topic_generation", sa.Integer, nullable=False),
            sa.Column("place", sa.BigInteger, nullable=False),
            sa.Column("key", sa.LargeBinary),
            sa.Column("headers", sa.LargeBinary, nullable=False),
            sa.Column("value", sa.LargeBinary),
            sa.Column("error", sa.Text, nullable=False),
            sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False),
        ),
    )
