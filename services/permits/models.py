"""The tables of the permits service."""

from __future__ import annotations

import sqlalchemy as sa

from services.permits.limits import TIME_LIMIT
from services.permits.workflow import PERMIT_APPLICATION
from shared.relay.tables import relay_tables
from shared.workflow.tables import service_tables

tables = service_tables(
    {
        PERMIT_APPLICATION: (
            sa.Column("item", sa.Text),
            sa.Column("kind", sa.Text),
            sa.Column("channel", sa.Text),
        ),
        TIME_LIMIT: (
            sa.Column("item", sa.Text),
            sa.Column("kind", sa.Text),
            sa.Column("statutory_days", sa.Integer),
            sa.Column("committed_days", sa.Integer),
        ),
    },
    persons=("party",),
)
relay = relay_tables(tables.metadata)
