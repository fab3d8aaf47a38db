"""The shape of the folds that made a generation."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("generation", sa.Column("shape", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("generation", "shape")
