"""Acts that take two administrators, notices to owners, and sources that failures are counted by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_DECISIONS = "'open', 'expired', 'confirmed', 'refused', 'withdrawn', 'replaced'"


def upgrade() -> None:
    """Add the tables, and the source of each sign-in."""
    op.create_table(
        "proposal",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("bureau", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("wanted", postgresql.JSONB, nullable=False),
        sa.Column("before", postgresql.JSONB, nullable=False),
        sa.Column("after", postgresql.JSONB, nullable=False),
        sa.Column("proposed_by", sa.Text, nullable=False),
        sa.Column("proposed_as", sa.Text, nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_part", sa.LargeBinary),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="proposal_pkey"),
        sa.CheckConstraint(f"decision IN ({_DECISIONS})", name=op.f("proposal_decision_check")),
        sa.CheckConstraint(
            "(decision = 'open') = (decided_at IS NULL)", name=op.f("proposal_decided_check")
        ),
    )
    op.create_index("proposal_bureau_proposed_at_idx", "proposal", ["bureau", "proposed_at"])
    op.create_index(
        "proposal_open_idx",
        "proposal",
        ["bureau", "action", "account"],
        unique=True,
        postgresql_where=sa.text("decision = 'open'"),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bureau", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("administrators", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="notice_pkey"),
    )
    op.create_index("notice_at_idx", "notice", ["at"])
    op.create_index("notice_account_at_idx", "notice", ["account", "at"])
    op.add_column("sign_in", sa.Column("network", sa.Text))
    op.execute("UPDATE sign_in SET network = address")
    op.alter_column("sign_in", "network", nullable=False)
    op.drop_index("sign_in_address_at_idx", "sign_in")
    op.create_index("sign_in_network_at_idx", "sign_in", ["network", "at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("sign_in_network_at_idx", "sign_in")
    op.create_index("sign_in_address_at_idx", "sign_in", ["address", "at"])
    op.drop_column("sign_in", "network")
    op.drop_table("notice")
    op.drop_table("proposal")
