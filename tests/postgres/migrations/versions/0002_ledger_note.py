"""Give the table a column more."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add it."""
    op.add_column("ledger", sa.Column("note", sa.Text))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("ledger", "note")
