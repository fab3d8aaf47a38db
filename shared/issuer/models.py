"""The issuer's tables, in schema `identity`: accounts, sessions, sign-ins, policy, proposals.

No table holds a secret that signs or opens anything: passwords are Argon2id hashes, refresh tokens
and recovery codes SHA-256 hashes of random values, secrets of second factors are sealed, and the
keys that sign and seal are files (see `signing`, `sealing`).
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.audit.tables import audit_tables
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
    Column("password_hash", Text),
    Column("roles", ARRAY(Text), nullable=False),
    Column("bureau", Text, nullable=False),
    Column("disabled_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("password_set_at", DateTime(timezone=True)),
    Column("one_time", Boolean, nullable=False),
    Column("previous_hashes", ARRAY(Text), nullable=False),
    Column("unlocked_at", DateTime(timezone=True)),
    CheckConstraint(f"bureau ~ '{BUREAU_PATTERN}'", name="bureau"),
)
"""One person's account. Only `display_name` may say who that is; it never leaves this table for an
event, a log or a token. `one_time` says that the password must be changed before it signs in;
`previous_hashes` are those of the passwords before, newest first."""

certificate_number = Table(
    "certificate_number",
    metadata,
    Column("number", Text, primary_key=True),
    Column("account", Text, ForeignKey("account.account", ondelete="CASCADE"), nullable=False),
    UniqueConstraint("number", "account"),
)
"""Whose a certificate is. Two people with one certificate would pass for the two officers that the
law asks for, so a number belongs to one account for good."""

certificate = Table(
    "certificate",
    metadata,
    Column("number", Text, primary_key=True),
    Column("account", Text, nullable=False, index=True),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date, nullable=False),
    ForeignKeyConstraint(
        ["number", "account"],
        ["certificate_number.number", "certificate_number.account"],
        ondelete="CASCADE",
    ),
    CheckConstraint("valid_from <= valid_to", name="valid"),
)
"""A term of validity, both days included: a renewal is a new row, with the same number or not."""

session = Table(
    "session",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column(
        "account",
        Text,
        ForeignKey("account.account", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("began_at", DateTime(timezone=True), nullable=False),
    Column("refreshed_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True), index=True),
    Column("address", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
)
"""What one sign-in began. It is over at `ends_at`, when it lay idle since `refreshed_at`, or from
`ended_at` on."""

refresh_token = Table(
    "refresh_token",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column(
        "family",
        Uuid,
        ForeignKey("session.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("used_at", DateTime(timezone=True)),
)
"""One refresh token; `family` is the session it keeps open."""

second_factor = Table(
    "second_factor",
    metadata,
    Column("account", Text, ForeignKey("account.account", ondelete="CASCADE"), primary_key=True),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("confirmed_at", DateTime(timezone=True)),
    Column("last_step", BigInteger, nullable=False),
    Column("recovery_hashes", ARRAY(LargeBinary), nullable=False),
)
"""The second factor (RFC 6238) of an account; it counts once confirmed. `last_step` is the time
step of the last code used, which no code may repeat; a recovery code used is taken out."""

policy = Table(
    "policy",
    metadata,
    Column("single", Boolean, primary_key=True),
    Column("demonstration", Boolean, nullable=False),
    Column("second_factor_roles", ARRAY(Text), nullable=False),
    CheckConstraint("single", name="single"),
)
"""One row, made with the first accounts: whether they are for demonstration, and which roles sign
in with a second factor."""

sign_in = Table(
    "sign_in",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("account", Text),
    Column("name_hash", LargeBinary, nullable=False),
    Column("address", Text, nullable=False),
    Column("network", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    CheckConstraint("outcome IN ('accepted', 'refused', 'refused-code', 'reused')", name="outcome"),
    Index("sign_in_name_hash_at_idx", "name_hash", "at"),
    Index("sign_in_network_at_idx", "network", "at"),
)
"""Every sign-in that was decided, kept at least six months (网络安全法: 网络日志不少于六个月).

`account` is empty where no such account exists: what was typed then may be a password or a name, so
only its SHA-256 (`name_hash`) is kept, to count attempts by. `network` is what the failures of an
address are counted by.
"""

proposal = Table(
    "proposal",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("bureau", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("wanted", JSONB, nullable=False),
    Column("before", JSONB, nullable=False),
    Column("after", JSONB, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_as", Text, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("sealed_part", LargeBinary),
    Column("decision", Text, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
    CheckConstraint(
        "decision IN ('open', 'expired', 'confirmed', 'refused', 'withdrawn', 'replaced')",
        name="decision",
    ),
    CheckConstraint("(decision = 'open') = (decided_at IS NULL)", name="decided"),
    Index("proposal_bureau_proposed_at_idx", "bureau", "proposed_at"),
    Index(
        "proposal_open_idx",
        "bureau",
        "action",
        "account",
        unique=True,
        postgresql_where=text("decision = 'open'"),
    ),
)
"""What one administrator asked for that takes another to confirm. `account` is empty where it is
about the rules for all; `sealed_part` is a part of a one-time password, sealed."""

notice = Table(
    "notice",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, index=True),
    Column("bureau", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("administrators", Boolean, nullable=False),
    Index("notice_account_at_idx", "account", "at"),
)
"""What the owner of an account, or all administrators of a bureau, are told at sign-in."""

audit_tables(metadata)
