"""The rollups by combination first: a bureau's year lies together, whatever others there are."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _key("combination", "day")


def downgrade() -> None:
    _key("day", "combination")


def _key(*columns: str) -> None:
    op.drop_constraint("rollup_pkey", "rollup", type_="primary")
    op.create_primary_key("rollup_pkey", "rollup", ["generation", *columns, "partition"])
