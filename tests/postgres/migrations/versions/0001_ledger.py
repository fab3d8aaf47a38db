"""Create the table that the tests of migrations write to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create it."""
    op.create_table(
        "ledger",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("data", JSONB, nullable=False),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("ledger")
