"""The first tables of the complaints service."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.events.table import Xid8

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "claim",
        sa.Column("bureau", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("aggregate_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("bureau", "kind", "key"),
    )
    op.create_table(
        "complaint",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("bureau", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stepped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("party_id", sa.UUID(), nullable=True),
        sa.Column("party_name", sa.Text(), nullable=True),
        sa.Column("words", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("clocks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("pollution", sa.Text(), nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("complaint_by_bureau", "complaint", ["bureau", "id"], unique=False)
    op.create_index(
        "complaint_by_party",
        "complaint",
        ["party_id", "id"],
        unique=False,
        postgresql_where=sa.text("party_id IS NOT NULL"),
    )
    op.create_index("complaint_by_state", "complaint", ["bureau", "state", "id"], unique=False)
    op.create_index("complaint_words", "complaint", ["words"], unique=False, postgresql_using="gin")
    op.create_table(
        "cross_event",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("bureau", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stepped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("party_id", sa.UUID(), nullable=True),
        sa.Column("party_name", sa.Text(), nullable=True),
        sa.Column("words", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("clocks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("cross_event_by_bureau", "cross_event", ["bureau", "id"], unique=False)
    op.create_index(
        "cross_event_by_party",
        "cross_event",
        ["party_id", "id"],
        unique=False,
        postgresql_where=sa.text("party_id IS NOT NULL"),
    )
    op.create_index("cross_event_by_state", "cross_event", ["bureau", "state", "id"], unique=False)
    op.create_index(
        "cross_event_words", "cross_event", ["words"], unique=False, postgresql_using="gin"
    )
    op.create_table(
        "epoch",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("system_identifier", sa.BigInteger(), nullable=False),
        sa.Column("timeline", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("aggregate_id", sa.UUID(), nullable=False),
        sa.Column("aggregate_version", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.Column("bureau", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("on_behalf_of", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.UUID(), nullable=False),
        sa.Column("causation_id", sa.UUID(), nullable=True),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash_algorithm", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("aggregate_id", "aggregate_version", name="event_version"),
    )
    op.create_index("event_relay", "event", ["epoch", "xid", "seq"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("bureau", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("aggregate_id", sa.UUID(), nullable=False),
        sa.Column("aggregate_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("bureau", "key"),
    )
    op.create_table(
        "mediator",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("bureau", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stepped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("party_id", sa.UUID(), nullable=True),
        sa.Column("party_name", sa.Text(), nullable=True),
        sa.Column("words", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("clocks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("mediator_by_bureau", "mediator", ["bureau", "id"], unique=False)
    op.create_index(
        "mediator_by_party",
        "mediator",
        ["party_id", "id"],
        unique=False,
        postgresql_where=sa.text("party_id IS NOT NULL"),
    )
    op.create_index("mediator_by_state", "mediator", ["bureau", "state", "id"], unique=False)
    op.create_index("mediator_words", "mediator", ["words"], unique=False, postgresql_using="gin")
    op.create_table(
        "particulars",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("bureau", sa.Text(), nullable=False),
        sa.Column("aggregate_id", sa.UUID(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_particulars_aggregate_id"), "particulars", ["aggregate_id"], unique=False
    )
    op.create_table(
        "party",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("bureau", sa.Text(), nullable=False),
        sa.Column("aggregate_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("id_number", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_party_aggregate_id"), "party", ["aggregate_id"], unique=False)
    op.create_index(op.f("ix_party_code"), "party", ["code"], unique=False)
    op.create_table(
        "relay_cursor",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("xid", Xid8(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=True),
        sa.CheckConstraint("one", name="relay_cursor_is_one_row"),
        sa.PrimaryKeyConstraint("one"),
    )
    op.create_table(
        "reporter",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("bureau", sa.Text(), nullable=False),
        sa.Column("aggregate_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("id_number", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_reporter_aggregate_id"), "reporter", ["aggregate_id"], unique=False)
    op.create_index(op.f("ix_reporter_code"), "reporter", ["code"], unique=False)
    op.create_table(
        "staff",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("bureau", sa.Text(), nullable=False),
        sa.Column("aggregate_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("id_number", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_staff_aggregate_id"), "staff", ["aggregate_id"], unique=False)
    op.create_index(op.f("ix_staff_code"), "staff", ["code"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_staff_code"), table_name="staff")
    op.drop_index(op.f("ix_staff_aggregate_id"), table_name="staff")
    op.drop_table("staff")
    op.drop_index(op.f("ix_reporter_code"), table_name="reporter")
    op.drop_index(op.f("ix_reporter_aggregate_id"), table_name="reporter")
    op.drop_table("reporter")
    op.drop_table("relay_cursor")
    op.drop_index(op.f("ix_party_code"), table_name="party")
    op.drop_index(op.f("ix_party_aggregate_id"), table_name="party")
    op.drop_table("party")
    op.drop_index(op.f("ix_particulars_aggregate_id"), table_name="particulars")
    op.drop_table("particulars")
    op.drop_index("mediator_words", table_name="mediator", postgresql_using="gin")
    op.drop_index("mediator_by_state", table_name="mediator")
    op.drop_index(
        "mediator_by_party", table_name="mediator", postgresql_where=sa.text("party_id IS NOT NULL")
    )
    op.drop_index("mediator_by_bureau", table_name="mediator")
    op.drop_table("mediator")
    op.drop_table("idempotency")
    op.drop_index("event_relay", table_name="event")
    op.drop_table("event")
    op.drop_table("epoch")
    op.drop_index("cross_event_words", table_name="cross_event", postgresql_using="gin")
    op.drop_index("cross_event_by_state", table_name="cross_event")
    op.drop_index(
        "cross_event_by_party",
        table_name="cross_event",
        postgresql_where=sa.text("party_id IS NOT NULL"),
    )
    op.drop_index("cross_event_by_bureau", table_name="cross_event")
    op.drop_table("cross_event")
    op.drop_index("complaint_words", table_name="complaint", postgresql_using="gin")
    op.drop_index("complaint_by_state", table_name="complaint")
    op.drop_index(
        "complaint_by_party",
        table_name="complaint",
        postgresql_where=sa.text("party_id IS NOT NULL"),
    )
    op.drop_index("complaint_by_bureau", table_name="complaint")
    op.drop_table("complaint")
    op.drop_table("claim")
