"""The migration that gives a schema its audit trail; each service's revision calls it.

It is history: a later change of the tables is a later revision with operations of its own.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# Half a year is the least that 网络安全法21(三) lets a platform keep.
_KEPT = """
CREATE FUNCTION audit_entry_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF current_setting('ecocase.audit_purge', true) = 'on'
           AND OLD.at < now() - interval '183 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'audit entries are neither changed nor removed'
        USING ERRCODE = 'insufficient_privilege';
END
$$
"""


def create() -> None:
    """Create the trail's tables, and the triggers that refuse to change or remove an entry."""
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("writer", sa.UUID(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bureau", sa.Text()),
        sa.Column("account", sa.Text()),
        sa.Column("on_behalf_of", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text()),
        sa.Column("object_id", sa.Text()),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("problem", sa.Text()),
        sa.Column("article", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("request_id", sa.Text()),
        sa.Column("trace_id", sa.Text()),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary()),
        sa.Column("hash_algorithm", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("words", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name="audit_entry_pkey"),
        sa.UniqueConstraint("writer", "number", name="audit_entry_chain"),
    )
    op.create_index("audit_entry_by_time", "audit_entry", ["at", "id"])
    op.create_index("audit_entry_by_account", "audit_entry", ["account", "at", "id"])
    op.create_index("audit_entry_by_kind", "audit_entry", ["kind", "at", "id"])
    op.create_index(
        "audit_entry_by_object",
        "audit_entry",
        ["object_id", "at", "id"],
        postgresql_where=sa.text("object_id IS NOT NULL"),
    )
    op.create_index("audit_entry_words", "audit_entry", ["words"], postgresql_using="gin")
    op.create_table(
        "audit_checkpoint",
        sa.Column("writer", sa.UUID(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("purge", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hash_algorithm", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("writer", name="audit_checkpoint_pkey"),
    )
    op.execute(_KEPT)
    for name, when in (("row", "UPDATE OR DELETE"), ("table", "TRUNCATE")):
        each = "ROW" if name == "row" else "STATEMENT"
        op.execute(
            f"CREATE TRIGGER audit_entry_{name}_is_kept BEFORE {when} ON audit_entry"
            f" FOR EACH {each} EXECUTE FUNCTION audit_entry_is_kept()"
        )


def drop() -> None:
    """Drop what `create` made."""
    op.drop_table("audit_checkpoint")
    op.drop_table("audit_entry")
    op.execute("DROP FUNCTION audit_entry_is_kept()")
