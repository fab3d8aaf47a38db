"""The table of seals, one per service; rows are only ever appended, by the relay's leader."""

from __future__ import annotations

import sqlalchemy as sa

from shared.events.table import Xid8


def seal_table(metadata: sa.MetaData) -> sa.Table:
    """Define the table of seals; what the columns say stands with `shared.seals.seal.Seal`."""
    return sa.Table(
        "seal",
        metadata,
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("first_xid", Xid8, nullable=False),
        sa.Column("first_seq", sa.BigInteger, nullable=False),
        sa.Column("last_xid", Xid8, nullable=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("previous_hash", sa.LargeBinary),
        sa.Column("hash_algorithm", sa.Text, nullable=False),
        sa.Column("term", sa.BigInteger, nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
