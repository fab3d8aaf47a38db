"""The tables of the complaints service; `reporter` holds who reported, and is read by few."""

from __future__ import annotations

import sqlalchemy as sa

from services.complaints.workflow import COMPLAINT, CROSS_EVENT, MEDIATOR
from shared.relay.tables import relay_tables
from shared.workflow.tables import service_tables

tables = service_tables(
    {
        COMPLAINT: (
            sa.Column("channel", sa.Text),
            sa.Column("pollution", sa.Text),
            sa.Column("urgent", sa.Boolean),
        ),
        MEDIATOR: (sa.Column("account", sa.Text),),
        CROSS_EVENT: (sa.Column("code", sa.Text),),
    },
    persons=("party", "reporter", "staff"),
)
relay = relay_tables(tables.metadata)
