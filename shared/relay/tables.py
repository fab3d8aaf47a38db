"""What the relay keeps in each service's schema: its cursor, its epochs, and the seals."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from shared.events.table import Xid8
from shared.seals.table import seal_table


@dataclass(frozen=True, slots=True)
class RelayTables:
    """The relay's tables."""

    cursor: sa.Table
    epoch: sa.Table
    republication: sa.Table
    seal: sa.Table


def relay_tables(metadata: sa.MetaData) -> RelayTables:
    """Define the relay's tables.

    `relay_cursor` is one row: what has been published, and the leader's term, by which it is
    compared and set. `epoch` has a row for each cluster or timeline that the events have lived in.
    `republication` has a row for each request to publish past events again.
    """
    return RelayTables(
        cursor=sa.Table(
            "relay_cursor",
            metadata,
            sa.Column("one", sa.Boolean, primary_key=True, server_default=sa.true()),
            sa.Column("term", sa.BigInteger, nullable=False),
            sa.Column("epoch", sa.Integer, nullable=False),
            sa.Column("xid", Xid8, nullable=False),
            sa.Column("seq", sa.BigInteger, nullable=False),
            sa.Column("position", sa.BigInteger, nullable=False),
            sa.Column("event_id", pg.UUID(as_uuid=True)),
            sa.Column("topic_generation", sa.Integer, nullable=False, server_default="1"),
            sa.CheckConstraint("one", name="relay_cursor_is_one_row"),
        ),
        epoch=sa.Table(
            "epoch",
            metadata,
            sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("system_identifier", sa.BigInteger, nullable=False),
            sa.Column("timeline", sa.BigInteger, nullable=False),
            sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        ),
        republication=sa.Table(
            "republication",
            metadata,
            sa.Column("number", sa.Integer, sa.Identity(), primary_key=True),
            sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("requested_by", sa.Text, nullable=False),
            sa.Column("since", sa.DateTime(timezone=True)),
            sa.Column("into_new_topic", sa.Boolean, nullable=False),
            sa.Column("epoch", sa.Integer),
            sa.Column("xid", Xid8),
            sa.Column("seq", sa.BigInteger),
            sa.Column("events", sa.BigInteger, nullable=False, server_default="0"),
            sa.Column("ended_at", sa.DateTime(timezone=True)),
            sa.Column("error", sa.Text),
        ),
        seal=seal_table(metadata),
    )
