"""The event table, one per service: history, audit chain and outbox at once.

Rows are only ever inserted, by the statement that moves the state row they belong to.
The relay reads them in the order (epoch, xid, seq), see `shared.relay`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.types import UserDefinedType

if TYPE_CHECKING:
    from sqlalchemy.sql.type_api import _BindProcessorType


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id, which never wraps within one cluster."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Name the column type."""
        return "xid8"

    def bind_processor(self, dialect: sa.Dialect) -> _BindProcessorType[int] | None:
        """Pass integers through unchanged."""
        del dialect
        return None


PGDialect.ischema_names["xid8"] = Xid8  # so that reflection knows it too

# Every column but the relay's own, in the order in which `shared.events.hashing` reads them.
HASHED = (
    "id",
    "aggregate_id",
    "aggregate_version",
    "type",
    "schema_version",
    "bureau",
    "state",
    "actor",
    "on_behalf_of",
    "occurred_at",
    "recorded_at",
    "data",
    "idempotency_key",
    "correlation_id",
    "causation_id",
    "traceparent",
    "previous_hash",
    "hash_algorithm",
)
WRITTEN = (*HASHED, "hash")


def event_table(metadata: sa.MetaData) -> sa.Table:
    """Define the event table of the service that owns `metadata`."""
    return sa.Table(
        "event",
        metadata,
        sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
        sa.Column("aggregate_id", pg.UUID(as_uuid=True), nullable=False),
        sa.Column("aggregate_version", sa.Integer, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("schema_version", sa.Integer, nullable=False),
        sa.Column("bureau", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("on_behalf_of", sa.Text),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", pg.JSONB, nullable=False),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("correlation_id", pg.UUID(as_uuid=True), nullable=False),
        sa.Column("causation_id", pg.UUID(as_uuid=True)),
        sa.Column("traceparent", sa.Text),
        sa.Column("previous_hash", sa.LargeBinary),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("hash_algorithm", sa.Text, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False, server_default=sa.text("1")),
        sa.Column("xid", Xid8, nullable=False, server_default=sa.text("pg_current_xact_id()")),
        sa.Column("seq", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.UniqueConstraint("aggregate_id", "aggregate_version", name="event_version"),
        sa.Index("event_relay", "epoch", "xid", "seq"),
    )


def idempotency_table(metadata: sa.MetaData) -> sa.Table:
    """Define the record of commands already answered, kept as long as the aggregates.

    A key is its bureau's. `fingerprint` is the SHA-256 of who asked what: the same key with another
    one is refused.
    """
    return sa.Table(
        "idempotency",
        metadata,
        sa.Column("bureau", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("aggregate_id", pg.UUID(as_uuid=True), nullable=False),
        sa.Column("aggregate_version", sa.Integer, nullable=False),
    )
