"""The tables that every service has: its aggregates, persons, free texts and claims.

Tables stand unqualified: each service's connections search its own schema alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from shared.audit.tables import audit_tables
from shared.events.table import event_table, idempotency_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.workflow.table import Procedure


def aggregate_table(name: str, metadata: sa.MetaData, *extra: sa.Column[object]) -> sa.Table:
    """Define a procedure's state table.

    `facts` is what the rules know of the aggregate, `clocks` its legal clocks, `words` the bigrams
    that searches look for, `hash` that of its last event, `stepped_at` when its last step lay.
    """
    return sa.Table(
        name,
        metadata,
        sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
        sa.Column("bureau", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stepped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("party_id", pg.UUID(as_uuid=True)),
        sa.Column("party_name", sa.Text),
        sa.Column("words", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("facts", pg.JSONB, nullable=False),
        sa.Column("clocks", pg.JSONB, nullable=False),
        *extra,
        sa.Index(f"{name}_by_bureau", "bureau", "id"),
        sa.Index(f"{name}_by_state", "bureau", "state", "id"),
        sa.Index(
            f"{name}_by_party", "party_id", "id", postgresql_where=sa.text("party_id IS NOT NULL")
        ),
        sa.Index(f"{name}_words", "words", postgresql_using="gin"),
    )


def person_table(name: str, metadata: sa.MetaData) -> sa.Table:
    """Define a table of persons; its rows can be erased, events only carry their ids."""
    return sa.Table(
        name,
        metadata,
        sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
        sa.Column("bureau", sa.Text, nullable=False),
        sa.Column("aggregate_id", pg.UUID(as_uuid=True), nullable=False, index=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("code", sa.Text, index=True),
        sa.Column("id_number", sa.Text),
        sa.Column("phone", sa.Text),
        sa.Column("address", sa.Text),
    )


def particulars_table(metadata: sa.MetaData) -> sa.Table:
    """Define the table of free texts, by the id that their event carries."""
    return sa.Table(
        "particulars",
        metadata,
        sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
        sa.Column("bureau", sa.Text, nullable=False),
        sa.Column("aggregate_id", pg.UUID(as_uuid=True), nullable=False, index=True),
        sa.Column("content", pg.JSONB, nullable=False),
    )


def claim_table(metadata: sa.MetaData) -> sa.Table:
    """Define what only one aggregate of a bureau may hold: a document number, a punished act."""
    return sa.Table(
        "claim",
        metadata,
        sa.Column("bureau", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("aggregate_id", pg.UUID(as_uuid=True), nullable=False),
    )


@dataclass(frozen=True, slots=True)
class ServiceTables:
    """A service's tables: the kit's, its persons by table name, its aggregates by procedure."""

    metadata: sa.MetaData
    event: sa.Table
    idempotency: sa.Table
    particulars: sa.Table
    claim: sa.Table
    persons: Mapping[str, sa.Table]
    aggregates: Mapping[str, sa.Table]


def service_tables(
    aggregates: Mapping[Procedure, tuple[sa.Column[object], ...]], persons: tuple[str, ...]
) -> ServiceTables:
    """Define a service's tables; a procedure's columns beside the usual stand with it."""
    metadata = sa.MetaData()
    audit_tables(metadata)
    return ServiceTables(
        metadata=metadata,
        event=event_table(metadata),
        idempotency=idempotency_table(metadata),
        particulars=particulars_table(metadata),
        claim=claim_table(metadata),
        persons={name: person_table(name, metadata) for name in persons},
        aggregates={
            procedure.name: aggregate_table(procedure.name.replace("-", "_"), metadata, *columns)
            for procedure, columns in aggregates.items()
        },
    )
