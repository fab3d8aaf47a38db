"""Accounts administered: sessions, second factors, policy, and certificates over the years."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what administration needs, and move certificates and sessions to tables of their own."""
    _passwords()
    _certificates()
    _sessions()
    op.create_table(
        "second_factor",
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True)),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("recovery_hashes", sa.ARRAY(sa.LargeBinary), nullable=False),
        sa.PrimaryKeyConstraint("account", name="second_factor_pkey"),
        sa.ForeignKeyConstraint(
            ["account"], ["account.account"], ondelete="CASCADE", name="second_factor_account_fkey"
        ),
    )
    op.create_table(
        "policy",
        sa.Column("single", sa.Boolean, nullable=False),
        sa.Column("demonstration", sa.Boolean, nullable=False),
        sa.Column("second_factor_roles", sa.ARRAY(sa.Text), nullable=False),
        sa.PrimaryKeyConstraint("single", name="policy_pkey"),
        sa.CheckConstraint("single", name=op.f("policy_single_check")),
    )
    # Until now every account was one of the demonstration.
    op.execute("INSERT INTO policy SELECT true, true, '{}' WHERE EXISTS (SELECT FROM account)")
    op.drop_constraint(op.f("sign_in_outcome_check"), "sign_in")
    op.create_check_constraint(
        op.f("sign_in_outcome_check"),
        "sign_in",
        "outcome IN ('accepted', 'refused', 'refused-code', 'reused')",
    )


def downgrade() -> None:
    """Put back one certificate an account, the one valid longest; end every session."""
    op.execute("UPDATE sign_in SET outcome = 'refused' WHERE outcome = 'refused-code'")
    op.drop_constraint(op.f("sign_in_outcome_check"), "sign_in")
    op.create_check_constraint(
        op.f("sign_in_outcome_check"), "sign_in", "outcome IN ('accepted', 'refused', 'reused')"
    )
    op.drop_table("policy")
    op.drop_table("second_factor")
    op.drop_constraint("refresh_token_family_fkey", "refresh_token")
    op.execute("DELETE FROM refresh_token")
    op.add_column("refresh_token", sa.Column("account", sa.Text, nullable=False))
    op.create_foreign_key(
        "refresh_token_account_fkey",
        "refresh_token",
        "account",
        ["account"],
        ["account"],
        ondelete="CASCADE",
    )
    op.create_index("refresh_token_account_idx", "refresh_token", ["account"])
    op.add_column("refresh_token", sa.Column("revoked_at", sa.DateTime(timezone=True)))
    op.drop_table("session")
    op.add_column("account", sa.Column("certificate_number", sa.Text))
    op.add_column("account", sa.Column("certificate_from", sa.Date))
    op.add_column("account", sa.Column("certificate_to", sa.Date))
    op.execute(
        "UPDATE account SET certificate_number = c.number, certificate_from = c.valid_from,"
        " certificate_to = c.valid_to FROM (SELECT DISTINCT ON (account) * FROM certificate"
        " ORDER BY account, valid_to DESC) c WHERE c.account = account.account"
    )
    op.create_unique_constraint("account_certificate_number_key", "account", ["certificate_number"])
    op.create_check_constraint(
        op.f("account_certificate_check"),
        "account",
        "num_nulls(certificate_number, certificate_from, certificate_to) IN (0, 3)",
    )
    op.drop_table("certificate")
    op.drop_table("certificate_number")
    op.execute("UPDATE account SET password_hash = '' WHERE password_hash IS NULL")
    op.alter_column("account", "password_hash", nullable=False)
    for column in ("password_set_at", "one_time", "previous_hashes", "unlocked_at"):
        op.drop_column("account", column)


def _passwords() -> None:
    op.alter_column("account", "password_hash", nullable=True)
    op.add_column("account", sa.Column("password_set_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE account SET password_set_at = now()")
    op.add_column(
        "account", sa.Column("one_time", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.alter_column("account", "one_time", server_default=None)
    op.add_column(
        "account",
        sa.Column("previous_hashes", sa.ARRAY(sa.Text), nullable=False, server_default="{}"),
    )
    op.alter_column("account", "previous_hashes", server_default=None)
    op.add_column("account", sa.Column("unlocked_at", sa.DateTime(timezone=True)))


def _certificates() -> None:
    op.create_table(
        "certificate_number",
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="certificate_number_pkey"),
        sa.UniqueConstraint("number", "account", name="certificate_number_number_account_key"),
        sa.ForeignKeyConstraint(
            ["account"],
            ["account.account"],
            ondelete="CASCADE",
            name="certificate_number_account_fkey",
        ),
    )
    op.create_table(
        "certificate",
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("number", "valid_from", name="certificate_pkey"),
        sa.ForeignKeyConstraint(
            ["number", "account"],
            ["certificate_number.number", "certificate_number.account"],
            ondelete="CASCADE",
            name="certificate_number_account_fkey",
        ),
        sa.CheckConstraint("valid_from <= valid_to", name=op.f("certificate_valid_check")),
    )
    op.create_index("certificate_account_idx", "certificate", ["account"])
    op.execute(
        "INSERT INTO certificate_number SELECT certificate_number, account FROM account"
        " WHERE certificate_number IS NOT NULL"
    )
    op.execute(
        "INSERT INTO certificate SELECT certificate_number, account, certificate_from,"
        " greatest(certificate_from, certificate_to) FROM account"
        " WHERE certificate_number IS NOT NULL"
    )
    op.drop_constraint(op.f("account_certificate_check"), "account")
    for column in ("certificate_number", "certificate_from", "certificate_to"):
        op.drop_column("account", column)


def _sessions() -> None:
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("user_agent", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="session_pkey"),
        sa.ForeignKeyConstraint(
            ["account"], ["account.account"], ondelete="CASCADE", name="session_account_fkey"
        ),
    )
    op.create_index("session_account_idx", "session", ["account"])
    op.create_index("session_ended_at_idx", "session", ["ended_at"])
    # Sessions of before have no name in their access tokens, so none could be ended at once.
    op.execute("DELETE FROM refresh_token")
    op.drop_index("refresh_token_account_idx", "refresh_token")
    op.drop_constraint("refresh_token_account_fkey", "refresh_token")
    op.drop_column("refresh_token", "account")
    op.drop_column("refresh_token", "revoked_at")
    op.create_foreign_key(
        "refresh_token_family_fkey",
        "refresh_token",
        "session",
        ["family"],
        ["id"],
        ondelete="CASCADE",
    )
