"""The first tables of reporting."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "combination",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bureau", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("procedure", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "bureau", "service", "procedure", "kind", "channel", name="combination_dimensions"
        ),
    )
    op.create_table(
        "fact",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("aggregate_id", sa.UUID(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("bureau", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("generation", "aggregate_id"),
    )
    op.create_index(
        "fact_time_limit",
        "fact",
        ["generation", "bureau"],
        unique=False,
        postgresql_where=sa.text("body ->> 'procedure' = 'time-limit'"),
    )
    op.create_table(
        "generation",
        sa.Column("number", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("events", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('building', 'live', 'retired', 'failed', 'removed')", name="generation_state"
        ),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "parked",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("aggregate_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("bureau", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reason IN ('gap', 'poison', 'fork')", name="parked_reason"),
        sa.PrimaryKeyConstraint("generation", "id"),
    )
    op.create_index(
        "parked_by_aggregate", "parked", ["generation", "aggregate_id", "version"], unique=False
    )
    op.create_table(
        "position",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("topic_generation", sa.Integer(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column("last_event_id", sa.UUID(), nullable=True),
        sa.PrimaryKeyConstraint("generation", "topic", "partition"),
    )
    op.create_table(
        "rollup",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("combination", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("clues", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("filed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("penalised", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("minimum_penalty", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fined_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("exempted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seizures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("transferred", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cases_closed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("catalogue_items", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("applications", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("approved", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refused", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("issued", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("complaints", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("accepted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("handled", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reachable", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("replied", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("mediators", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cross_events", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("generation", "day", "combination", "partition"),
    )
    op.create_table(
        "serving",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.CheckConstraint("one", name="serving_is_one_row"),
        sa.PrimaryKeyConstraint("one"),
    )


def downgrade() -> None:
    op.drop_table("serving")
    op.drop_table("rollup")
    op.drop_table("position")
    op.drop_index("parked_by_aggregate", table_name="parked")
    op.drop_table("parked")
    op.drop_table("generation")
    op.drop_index(
        "fact_time_limit",
        table_name="fact",
        postgresql_where=sa.text("body ->> 'procedure' = 'time-limit'"),
    )
    op.drop_table("fact")
    op.drop_table("combination")
