"""An event table and what relays it, nothing else."""

import sqlalchemy as sa
from alembic import op

from shared.events.table import event_table
from shared.relay.tables import relay_tables

revision = "0001"
down_revision = None

metadata = sa.MetaData()
event_table(metadata)
relay_tables(metadata)


def upgrade() -> None:
    """Create them."""
    metadata.create_all(op.get_bind())
