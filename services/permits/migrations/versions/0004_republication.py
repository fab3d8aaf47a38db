"""Generations of the topic, and requests to publish past events again."""

import sqlalchemy as sa
from alembic import op

from shared.events.table import Xid8

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column(
        "relay_cursor",
        sa.Column("topic_generation", sa.Integer(), server_default="1", nullable=False),
    )
    op.create_table(
        "republication",
        sa.Column("number", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("into_new_topic", sa.Boolean(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=True),
        sa.Column("xid", Xid8(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("events", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )


def downgrade() -> None:
    op.drop_table("republication")
    op.drop_column("relay_cursor", "topic_generation")
