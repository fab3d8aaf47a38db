"""The tables of the cases service."""

from __future__ import annotations

import sqlalchemy as sa

from services.cases.workflow import CATALOGUE_ITEM, PENALTY_CASE
from shared.relay.tables import relay_tables
from shared.workflow.tables import service_tables

tables = service_tables(
    {
        PENALTY_CASE: (
            sa.Column("cause", sa.Text),
            sa.Column("amount_fen", sa.BigInteger),
        ),
        CATALOGUE_ITEM: (
            sa.Column("kind", sa.Text),
            sa.Column("code", sa.Text),
        ),
    },
    persons=("party",),
)
relay = relay_tables(tables.metadata)
