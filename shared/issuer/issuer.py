"""Sign-in and refresh: what a password or a refresh token is exchanged for.

An access token lives five minutes and is checked without asking here. A refresh token lives until
the shift ends (twelve hours after the sign-in) and is used once; when an old one turns up again,
the whole sign-in it belongs to ends: its owner or a thief has a copy (RFC 9700, 4.14).
"""

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.http.problem import TooManyRequests, Unauthenticated
from shared.identity.caller import is_account
from shared.identity.keys import LocalKeys
from shared.identity.roles import Role
from shared.identity.tokens import TrustedIssuer
from shared.issuer.accounts import Account, Accounts, stored_account
from shared.issuer.attempts import Origin, Outcome, record, wait_before
from shared.issuer.models import account, refresh_token
from shared.issuer.passwords import PARALLEL, Passwords
from shared.issuer.signing import SigningKeys

ACCESS_LIFETIME: Final = timedelta(minutes=5)
SESSION_LIFETIME: Final = timedelta(hours=12)
RETRY_GRACE: Final = timedelta(seconds=5)
"""How long a used refresh token still answers: an answer may get lost and be asked for again."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in or refresh gives; `refresh_expires_at` is an aware UTC time."""

    access_token: str
    refresh_token: str
    refresh_expires_at: datetime


def utc_now() -> datetime:
    """The time now, aware, UTC."""
    return datetime.now(UTC)


class Issuer:
    """The embedded issuer; `url` is its `iss`, `audience` what its tokens are for."""

    def __init__(
        self,
        url: str,
        audience: str,
        engine: AsyncEngine,
        keys: SigningKeys,
        passwords: Passwords,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.url = url.rstrip("/")
        self.audience = audience
        self.accounts = Accounts(engine)
        self.keys = keys
        self.passwords = passwords
        self._engine = engine
        self._now = now
        # Attempts in flight have not been counted yet, so only a few may be in flight at once.
        self._in_flight = asyncio.Semaphore(PARALLEL)

    def trusted(self) -> TrustedIssuer:
        """This issuer as a verifier in the same process trusts it."""
        return TrustedIssuer(self.url, self.audience, LocalKeys(self.keys.public))

    async def sign_in(self, name: str, password: str, origin: Origin) -> Grant:
        """Exchange a password for tokens.

        Raises `Unauthenticated` without saying whether the account exists, and `TooManyRequests`
        after repeated failures of the account or the address.
        """
        async with self._in_flight:
            async with self._engine.connect() as connection:
                if seconds := await wait_before(connection, name, origin, self._now()):
                    raise TooManyRequests("登录失败次数过多,请稍后再试", retry_after=seconds)
                row = await _account_row(connection, name)
            stored = None if row is None else str(row.password_hash)
            matches = await self.passwords.verify(stored, password)
            now = self._now()
            if row is None or not matches or row.disabled_at is not None:
                async with self._engine.begin() as connection:
                    await record(
                        connection, Outcome.REFUSED, name, origin, now, known=row is not None
                    )
                raise Unauthenticated("账号或密码不正确")
            async with self._engine.begin() as connection:
                await record(connection, Outcome.ACCEPTED, name, origin, now, known=True)
                await _forget_expired(connection, name, now)
                opaque = await _new_refresh_token(
                    connection, name, uuid4(), now, now + SESSION_LIFETIME
                )
        if self.passwords.outdated(row.password_hash):
            await self._rehash(name, row.password_hash, password)
        return Grant(self._access_token(stored_account(row), now), opaque, now + SESSION_LIFETIME)

    async def refresh(self, presented: str, origin: Origin) -> Grant:
        """Exchange a refresh token for the next one. Raises `Unauthenticated`."""
        async with self._engine.begin() as connection:
            grant = await self._rotate(connection, _hash(presented), origin)
        if grant is None:  # raised only here, so that a revocation is committed
            raise Unauthenticated("登录已失效,请重新登录")
        return grant

    async def end_sessions(self) -> None:
        """End every session there is: nobody's refresh token is good any more."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(refresh_token))

    def own_token(self, name: str, role: Role, bureau: str) -> str:
        """An access token of the platform's own, under a name that is no stored account's."""
        return self._access_token(Account(name, name, frozenset({role}), bureau), self._now())

    def _access_token(self, holder: Account, now: datetime) -> str:
        issued = int(now.timestamp())
        return self.keys.sign(
            {
                "iss": self.url,
                "sub": holder.account,
                "aud": self.audience,
                "iat": issued,
                "exp": issued + int(ACCESS_LIFETIME.total_seconds()),
                "jti": secrets.token_urlsafe(12),
                "roles": sorted(role.value for role in holder.roles),
                "bureau": holder.bureau,
            }
        )

    async def _rotate(
        self, connection: AsyncConnection, token_hash: bytes, origin: Origin
    ) -> Grant | None:
        """The next grant of the token's family; None if it gives none. Runs in one transaction."""
        by_hash = refresh_token.c.token_hash == token_hash
        owner = select(refresh_token.c.account).where(by_hash)
        name = (await connection.execute(owner)).scalar()
        if name is None:
            return None
        # The account's row is the lock of all its families, taken before a token is read: a retry
        # and a revocation then see each other's work.
        locked = select(account).where(account.c.account == name).with_for_update()
        holder = (await connection.execute(locked)).one()
        token = (await connection.execute(select(refresh_token).where(by_hash))).first()
        now = self._now()
        if token is None or token.revoked_at is not None or token.expires_at <= now:
            return None
        if holder.disabled_at is not None:
            return None
        if token.used_at is not None and now - token.used_at > RETRY_GRACE:
            family = refresh_token.c.family == token.family
            await connection.execute(update(refresh_token).where(family).values(revoked_at=now))
            await record(connection, Outcome.REUSED, name, origin, now, known=True)
            return None
        if token.used_at is None:
            await connection.execute(update(refresh_token).where(by_hash).values(used_at=now))
        opaque = await _new_refresh_token(connection, name, token.family, now, token.expires_at)
        return Grant(self._access_token(stored_account(holder), now), opaque, token.expires_at)

    async def _rehash(self, name: str, old: str, password: str) -> None:
        new = await self.passwords.hash(password)
        unchanged = (account.c.account == name) & (account.c.password_hash == old)
        async with self._engine.begin() as connection:
            await connection.execute(update(account).where(unchanged).values(password_hash=new))


def _hash(opaque: str) -> bytes:
    return hashlib.sha256(opaque.encode()).digest()


async def _account_row(connection: AsyncConnection, name: str) -> Row[*tuple[object, ...]] | None:
    if not is_account(name):
        return None
    return (await connection.execute(select(account).where(account.c.account == name))).first()


async def _forget_expired(connection: AsyncConnection, name: str, now: datetime) -> None:
    expired = (refresh_token.c.account == name) & (refresh_token.c.expires_at <= now)
    await connection.execute(delete(refresh_token).where(expired))


async def _new_refresh_token(
    connection: AsyncConnection, name: str, family: UUID, now: datetime, expires_at: datetime
) -> str:
    opaque = secrets.token_urlsafe(32)
    await connection.execute(
        insert(refresh_token).values(
            id=uuid4(),
            account=name,
            token_hash=_hash(opaque),
            family=family,
            created_at=now,
            expires_at=expires_at,
        )
    )
    return opaque
