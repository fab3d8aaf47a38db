"""The audit trail."""

from shared.audit import creation

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    creation.create()


def downgrade() -> None:
    creation.drop()
