"""The first tables of reporting."""

import sqlalchemy as sa
from alembic import op

from services.reporting.models import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
    # Something is served from the first moment on.
    op.execute(
        sa.text(
            "WITH first AS (INSERT INTO generation (state, started_at, ended_at)"
            " VALUES ('live', now(), now()) RETURNING number)"
            " INSERT INTO serving (generation) SELECT number FROM first"
        )
    )


def downgrade() -> None:
    metadata.drop_all(op.get_bind())
