"""A consumer's tables, and the tally that the tests project."""

import sqlalchemy as sa
from alembic import op

from shared.consumer.tables import consumer_tables

revision = "0001"
down_revision = None

metadata = sa.MetaData()
consumer_tables(metadata)
sa.Table(
    "tally",
    metadata,
    sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("events", sa.BigInteger, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
)


def upgrade() -> None:
    """Create them."""
    metadata.create_all(op.get_bind())
