"""The tables of the audit trail, in each service's schema: its entries, and what was purged."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

# Every column but the hash itself and `words`, which follow from them; in the order of hashing.
HASHED = (
    "id",
    "writer",
    "number",
    "at",
    "bureau",
    "account",
    "on_behalf_of",
    "kind",
    "action",
    "object_type",
    "object_id",
    "outcome",
    "status",
    "problem",
    "article",
    "reason",
    "address",
    "request_id",
    "trace_id",
    "count",
    "details",
    "previous_hash",
    "hash_algorithm",
)
WRITTEN = (*HASHED, "hash", "words")
CHECKPOINT_HASHED = ("writer", "number", "hash", "purge", "at", "hash_algorithm")


@dataclass(frozen=True, slots=True)
class AuditTables:
    """The trail's two tables."""

    entry: sa.Table
    checkpoint: sa.Table


def audit_tables(metadata: sa.MetaData) -> AuditTables:
    """Define the trail's tables.

    `audit_entry` is only ever inserted into, but for the purge of what is old enough; a trigger
    holds it. `audit_checkpoint` says of each chain through which number, with which hash, it was
    purged, and in which run.
    """
    return AuditTables(
        entry=sa.Table(
            "audit_entry",
            metadata,
            sa.Column("id", pg.UUID(as_uuid=True), nullable=False),
            sa.Column("writer", pg.UUID(as_uuid=True), nullable=False),
            sa.Column("number", sa.BigInteger, nullable=False),
            sa.Column("at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("bureau", sa.Text),
            sa.Column("account", sa.Text),
            sa.Column("on_behalf_of", sa.Text),
            sa.Column("kind", sa.Text, nullable=False),
            sa.Column("action", sa.Text, nullable=False),
            sa.Column("object_type", sa.Text),
            sa.Column("object_id", sa.Text),
            sa.Column("outcome", sa.Text, nullable=False),
            sa.Column("status", sa.Integer),
            sa.Column("problem", sa.Text),
            sa.Column("article", sa.Text),
            sa.Column("reason", sa.Text),
            sa.Column("address", sa.Text),
            sa.Column("request_id", sa.Text),
            sa.Column("trace_id", sa.Text),
            sa.Column("count", sa.Integer, nullable=False),
            sa.Column("details", pg.JSONB, nullable=False),
            sa.Column("previous_hash", sa.LargeBinary),
            sa.Column("hash_algorithm", sa.Text, nullable=False),
            sa.Column("hash", sa.LargeBinary, nullable=False),
            sa.Column("words", pg.ARRAY(sa.Text), nullable=False),
            sa.PrimaryKeyConstraint("id", name="audit_entry_pkey"),
            sa.UniqueConstraint("writer", "number", name="audit_entry_chain"),
            sa.Index("audit_entry_by_time", "at", "id"),
            sa.Index("audit_entry_by_account", "account", "at", "id"),
            sa.Index("audit_entry_by_kind", "kind", "at", "id"),
            sa.Index(
                "audit_entry_by_object",
                "object_id",
                "at",
                "id",
                postgresql_where=sa.text("object_id IS NOT NULL"),
            ),
            sa.Index("audit_entry_words", "words", postgresql_using="gin"),
        ),
        checkpoint=sa.Table(
            "audit_checkpoint",
            metadata,
            sa.Column("writer", pg.UUID(as_uuid=True), nullable=False),
            sa.Column("number", sa.BigInteger, nullable=False),
            sa.Column("hash", sa.LargeBinary, nullable=False),
            sa.Column("purge", sa.Integer, nullable=False),
            sa.Column("at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("hash_algorithm", sa.Text, nullable=False),
            sa.PrimaryKeyConstraint("writer", name="audit_checkpoint_pkey"),
        ),
    )
