"""Accounts, refresh tokens and the record of sign-ins."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the three tables in the connection's schema."""
    op.create_table(
        "account",
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("roles", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("bureau", sa.Text, nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True)),
        sa.Column("certificate_number", sa.Text),
        sa.Column("certificate_from", sa.Date),
        sa.Column("certificate_to", sa.Date),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account", name="account_pkey"),
        sa.UniqueConstraint("certificate_number", name="account_certificate_number_key"),
        sa.CheckConstraint("bureau ~ '^[1-9][0-9]{5}$'", name=op.f("account_bureau_check")),
        sa.CheckConstraint(
            "num_nulls(certificate_number, certificate_from, certificate_to) IN (0, 3)",
            name=op.f("account_certificate_check"),
        ),
    )
    op.create_table(
        "refresh_token",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("family", sa.Uuid, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="refresh_token_pkey"),
        sa.ForeignKeyConstraint(
            ["account"], ["account.account"], ondelete="CASCADE", name="refresh_token_account_fkey"
        ),
        sa.UniqueConstraint("token_hash", name="refresh_token_token_hash_key"),
    )
    op.create_index("refresh_token_account_idx", "refresh_token", ["account"])
    op.create_index("refresh_token_family_idx", "refresh_token", ["family"])
    op.create_table(
        "sign_in",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("account", sa.Text),
        sa.Column("name_hash", sa.LargeBinary, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("user_agent", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="sign_in_pkey"),
        sa.CheckConstraint(
            "outcome IN ('accepted', 'refused', 'reused')", name=op.f("sign_in_outcome_check")
        ),
    )
    op.create_index("sign_in_name_hash_at_idx", "sign_in", ["name_hash", "at"])
    op.create_index("sign_in_address_at_idx", "sign_in", ["address", "at"])


def downgrade() -> None:
    """Drop the three tables."""
    op.drop_table("sign_in")
    op.drop_table("refresh_token")
    op.drop_table("account")
