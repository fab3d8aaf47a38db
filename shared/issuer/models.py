"""The issuer's tables, in schema `identity`: accounts, refresh tokens and the record of sign-ins.

No table holds a secret that signs or opens anything: passwords are Argon2id hashes, refresh tokens
SHA-256 hashes of random values, and the signing key is a file (see `signing`).
"""

from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
)

from shared.identity.caller import BUREAU_PATTERN

SCHEMA: Final = "identity"
"""The schema the connection's search_path names; the tables themselves are written without it."""

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)

account = Table(
    "account",
    metadata,
    Column("account", Text, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("bureau", Text, nullable=False),
    Column("disabled_at", DateTime(timezone=True)),
    # Two people with one certificate would pass for the two officers that the law asks for.
    Column("certificate_number", Text, unique=True),
    Column("certificate_from", Date),
    Column("certificate_to", Date),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint(f"bureau ~ '{BUREAU_PATTERN}'", name="bureau"),
    CheckConstraint(
        "num_nulls(certificate_number, certificate_from, certificate_to) IN (0, 3)",
        name="certificate",
    ),
)
"""One person's account. Only `display_name` may say who that is; it never leaves this table for an
event, a log or a token."""

refresh_token = Table(
    "refresh_token",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column(
        "account",
        Text,
        ForeignKey("account.account", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("family", Uuid, nullable=False, index=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("used_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
)
"""One refresh token; `family` is the sign-in it descends from, and all of a family end together."""

sign_in = Table(
    "sign_in",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("account", Text),
    Column("name_hash", LargeBinary, nullable=False),
    Column("address", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    CheckConstraint("outcome IN ('accepted', 'refused', 'reused')", name="outcome"),
    Index("sign_in_name_hash_at_idx", "name_hash", "at"),
    Index("sign_in_address_at_idx", "address", "at"),
)
"""Every sign-in that was decided, kept at least six months (网络安全法: 网络日志不少于六个月).

`account` is empty where no such account exists: what was typed then may be a password or a name, so
only its SHA-256 (`name_hash`) is kept, to count attempts by.
"""
