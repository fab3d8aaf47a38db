"""Sessions: what a sign-in begins, a refresh token keeps open, and idleness or an act ends.

A refresh token is used once; when an old one turns up again, its whole session ends: its owner or a
thief has a copy (RFC 9700, 4.14). Every session of an account is read and changed under the lock of
the account's row, so that a refresh and an ending see each other's work.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Row, Text, and_, cast, delete, insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.issuer.models import account, refresh_token, session
from shared.issuer.witness import Origin

RETRY_GRACE: Final = timedelta(seconds=5)
"""How long a used refresh token still answers: an answer may get lost and be asked for again."""

_KEPT: Final = timedelta(hours=1)
"""How long a session that is over stays in the table."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts unused, and at most (GB/T 22239-2019 8.1.4.1 b: 超时自动退出)."""

    idle: timedelta = timedelta(minutes=30)
    longest: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Renewal:
    """A refresh token and the session it keeps open; times are aware, UTC."""

    session: UUID
    refresh_token: str
    expires_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class LiveSession:
    """One open session, as its owner and the administrators see it."""

    id: UUID
    began_at: datetime
    refreshed_at: datetime
    ends_at: datetime
    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Reused:
    """A refresh token was presented again: its session has been ended."""

    session: UUID


async def begin(
    connection: AsyncConnection, name: str, origin: Origin, limits: Limits, now: datetime
) -> Renewal:
    """Begin a session of the account `name`, whose row is locked."""
    over = (session.c.ends_at <= now - _KEPT) | (session.c.ended_at <= now - _KEPT)
    await connection.execute(delete(session).where(session.c.account == name, over))
    begun, ends_at = uuid4(), now + limits.longest
    await connection.execute(
        insert(session).values(
            id=begun,
            account=name,
            began_at=now,
            refreshed_at=now,
            ends_at=ends_at,
            address=origin.address,
            user_agent=origin.user_agent[:200],
        )
    )
    return await _renewal(connection, begun, ends_at, limits, now)


async def owner(connection: AsyncConnection, presented: str) -> str | None:
    """The account of the session that a refresh token belongs to."""
    query = (
        select(session.c.account)
        .join(refresh_token, refresh_token.c.family == session.c.id)
        .where(refresh_token.c.token_hash == _hash(presented))
    )
    return (await connection.execute(query)).scalar()


async def renew(
    connection: AsyncConnection, presented: str, limits: Limits, now: datetime
) -> Renewal | Reused | None:
    """The next refresh token of a session whose account is locked; None where it is over."""
    query = (
        select(refresh_token.c.used_at, refresh_token.c.expires_at, session)
        .join(session, refresh_token.c.family == session.c.id)
        .where(refresh_token.c.token_hash == _hash(presented))
    )
    found = (await connection.execute(query)).first()
    if found is None or found.ended_at is not None or found.ends_at <= now:
        return None
    # Either way: a clock set back must not give a copied token an hour of grace.
    if found.used_at is not None and abs(now - found.used_at) > RETRY_GRACE:
        await _end(connection, session.c.id == found.id, now)
        return Reused(found.id)
    if found.expires_at <= now or now - found.refreshed_at >= limits.idle:
        return None
    await connection.execute(
        update(refresh_token)
        .where(refresh_token.c.token_hash == _hash(presented), refresh_token.c.used_at.is_(None))
        .values(used_at=now)
    )
    await connection.execute(
        update(session).where(session.c.id == found.id).values(refreshed_at=now)
    )
    return await _renewal(connection, found.id, found.ends_at, limits, now)


async def end_all(
    connection: AsyncConnection, names: Sequence[str], now: datetime
) -> frozenset[UUID]:
    """End every session of accounts whose rows are locked; gives those that were open."""
    return await _end(connection, session.c.account.in_(names), now)


async def end_everyones(connection: AsyncConnection, now: datetime) -> frozenset[UUID]:
    """End every session; gives those that were open."""
    return await _end(connection, true(), now)


async def end_one(
    connection: AsyncConnection, name: str, ended: str | None, now: datetime
) -> frozenset[UUID]:
    """End the session that an access token of the account names."""
    its = cast(session.c.id, Text) == ended
    return await _end(connection, (session.c.account == name) & its, now)


async def ended_since(connection: AsyncConnection, since: datetime) -> frozenset[UUID]:
    """The sessions that were ended after `since`."""
    query = select(session.c.id).where(session.c.ended_at > since)
    return frozenset((await connection.execute(query)).scalars())


async def live(
    connection: AsyncConnection, name: str, limits: Limits, now: datetime
) -> list[LiveSession]:
    """The open sessions of an account, the latest first."""
    query = (
        select(session)
        .where(session.c.account == name, _is_live(limits, now))
        .order_by(session.c.began_at.desc(), session.c.id)
    )
    return [_live_session(row) for row in await connection.execute(query)]


async def lock_account(connection: AsyncConnection, name: str) -> Row[*tuple[object, ...]] | None:
    """The row of the account, locked for the transaction."""
    query = select(account).where(account.c.account == name).with_for_update()
    return (await connection.execute(query)).first()


def _is_live(limits: Limits, now: datetime) -> ColumnElement[bool]:
    return and_(
        session.c.ended_at.is_(None),
        session.c.ends_at > now,
        session.c.refreshed_at > now - limits.idle,
    )


async def _end(
    connection: AsyncConnection, which: ColumnElement[bool], now: datetime
) -> frozenset[UUID]:
    ending = (
        update(session)
        .where(which, session.c.ended_at.is_(None), session.c.ends_at > now)
        .values(ended_at=now)
        .returning(session.c.id)
    )
    return frozenset((await connection.execute(ending)).scalars())


async def _renewal(
    connection: AsyncConnection, of: UUID, ends_at: datetime, limits: Limits, now: datetime
) -> Renewal:
    opaque = secrets.token_urlsafe(32)
    expires_at = min(now + limits.idle, ends_at)
    await connection.execute(
        insert(refresh_token).values(
            id=uuid4(),
            token_hash=_hash(opaque),
            family=of,
            created_at=now,
            expires_at=expires_at,
        )
    )
    return Renewal(of, opaque, expires_at, ends_at)


def _live_session(row: Row[*tuple[object, ...]]) -> LiveSession:
    values = row._mapping  # noqa: SLF001  # SQLAlchemy's public name for a row's mapping
    return LiveSession(
        values["id"],
        values["began_at"],
        values["refreshed_at"],
        values["ends_at"],
        values["address"],
        values["user_agent"],
    )


def _hash(opaque: str) -> bytes:
    return hashlib.sha256(opaque.encode()).digest()
