"""Sign-in and refresh: what a proof or a refresh token is exchanged for.

An access token lives five minutes and is checked without asking here; it names its session, so that
the session's end ends it too.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.http.problem import Unauthenticated
from shared.identity.keys import LocalKeys
from shared.identity.revocations import KEPT_SECONDS, Revocations
from shared.identity.roles import Role
from shared.identity.tokens import TrustedIssuer
from shared.issuer import notices, policy, sessions
from shared.issuer.accounts import Account, Accounts, stored_account
from shared.issuer.attempts import Previous, previous, record, tell
from shared.issuer.models import account
from shared.issuer.notices import Notice
from shared.issuer.password_rules import expired
from shared.issuer.passwords import Passwords
from shared.issuer.proof import AccountRow, Proof, Proving
from shared.issuer.refusals import (
    NoRole,
    PasswordChangeRequired,
    SecondFactorEnrolmentRequired,
)
from shared.issuer.sealing import Seal
from shared.issuer.second_factors import is_enrolled
from shared.issuer.sessions import Limits, Renewal, Reused
from shared.issuer.signing import SigningKeys
from shared.issuer.witness import Attempt, LogWitness, Origin, Outcome, Witness

ACCESS_LIFETIME: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in or refresh gives; times are aware, UTC.

    A sign-in also gives what its account's owner is to be told.
    """

    access_token: str
    expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime
    notices: Sequence[Notice] = ()
    previous: Previous | None = None


@dataclass(frozen=True, slots=True)
class SignInRules:
    """What the operator sets: how long a session lasts, and a password."""

    limits: Limits = field(default_factory=Limits)
    password_age: timedelta = timedelta(days=90)


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
        seal: Seal,
        *,
        rules: SignInRules | None = None,
        witness: Witness | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.url = url.rstrip("/")
        self.audience = audience
        self.engine = engine
        self.accounts = Accounts(engine)
        self.keys = keys
        self.passwords = passwords
        self.seal = seal
        self.rules = rules or SignInRules()
        self.witness: Witness = witness or LogWitness()
        self.now = now
        self.revocations = Revocations(self._ended)
        self.proving = Proving(engine, passwords, seal, self.witness, now)

    def trusted(self) -> TrustedIssuer:
        """This issuer as a verifier in the same process trusts it."""
        return TrustedIssuer(
            self.url,
            self.audience,
            LocalKeys(self.keys.public),
            revocations=self.revocations,
        )

    def announce(self, ended: Iterable[UUID]) -> None:
        """Make the end of sessions known, once it has been committed."""
        self.revocations.add(str(one) for one in ended)

    async def sign_in(self, proof: Proof, origin: Origin) -> Grant:
        """Exchange a proof for tokens.

        Raises what `Proving.proved` raises, `PasswordChangeRequired`,
        `SecondFactorEnrolmentRequired` and `NoRole`.
        """

        async def begin(
            connection: AsyncConnection, holder: AccountRow, now: datetime
        ) -> tuple[AccountRow, Grant]:
            await self._may_sign_in(connection, holder, now)
            told = await notices.of(connection, holder, now)
            before = await previous(connection, proof.name, now)
            attempt = Attempt(now, Outcome.ACCEPTED, proof.name, holder.bureau, origin)
            await record(connection, self.witness, attempt, proof.name)
            limits = self.rules.limits
            renewal = await sessions.begin(connection, proof.name, origin, limits, now)
            grant = self._grant(stored_account(holder), renewal)
            return holder, replace(grant, notices=told, previous=before)

        holder, grant = await self.proving.proved(proof, origin, begin)
        if self.passwords.outdated(holder.password_hash):
            await self._rehash(proof, holder.password_hash)
        return grant

    async def refresh(self, presented: str, origin: Origin) -> Grant:
        """Exchange a refresh token for the next one. Raises `Unauthenticated`."""
        async with self.engine.begin() as connection:
            name = await sessions.owner(connection, presented)
            holder = None if name is None else await sessions.lock_account(connection, name)
            now = self.now()
            renewal = None
            if holder is not None and holder.disabled_at is None:
                renewal = await sessions.renew(connection, presented, self.rules.limits, now)
            if isinstance(renewal, Reused) and holder is not None:
                attempt = Attempt(now, Outcome.REUSED, name, holder.bureau, origin)
                await record(connection, self.witness, attempt, holder.account)
        if isinstance(renewal, Reused):
            self.announce([renewal.session])
        elif holder is not None and renewal is None:
            attempt = Attempt(now, Outcome.OVER, name, holder.bureau, origin)
            await tell(self.witness, attempt)
        if holder is None or not isinstance(renewal, Renewal):
            raise Unauthenticated("登录已失效,请重新登录")
        return self._grant(stored_account(holder), renewal)

    async def end_sessions(self) -> None:
        """End every session there is: nobody's refresh token is good any more."""
        async with self.engine.begin() as connection:
            ended = await sessions.end_everyones(connection, self.now())
        self.announce(ended)

    def own_token(self, name: str, role: Role, bureau: str) -> str:
        """An access token of the platform's own, under a name that is no stored account's."""
        holder = Account(name, name, frozenset({role}), bureau)
        now = self.now()
        return self._access_token(holder, uuid4(), now, now + ACCESS_LIFETIME)

    async def _may_sign_in(
        self, connection: AsyncConnection, holder: AccountRow, now: datetime
    ) -> None:
        if holder.one_time:
            raise PasswordChangeRequired("这是一次性密码,须先修改密码才能登录")
        age = self.rules.password_age
        if expired(holder.password_set_at, age, now):
            raise PasswordChangeRequired(f"密码已使用满 {age.days} 天,须先修改密码才能登录")
        if not holder.roles:
            raise NoRole("该账号尚未被授予任何角色,请联系安全管理员")
        rules = await policy.in_force(connection)
        if rules.asks_second_factor(stored_account(holder).roles) and not await is_enrolled(
            connection, holder.account
        ):
            raise SecondFactorEnrolmentRequired("该账号的角色要求动态口令,须先启用动态口令才能登录")

    def _grant(self, holder: Account, renewal: Renewal) -> Grant:
        now = self.now()
        expires_at = min(now + ACCESS_LIFETIME, renewal.ends_at)
        access_token = self._access_token(holder, renewal.session, now, expires_at)
        return Grant(access_token, expires_at, renewal.refresh_token, renewal.expires_at)

    def _access_token(
        self, holder: Account, session: UUID, now: datetime, expires_at: datetime
    ) -> str:
        return self.keys.sign(
            {
                "iss": self.url,
                "sub": holder.account,
                "aud": self.audience,
                "iat": int(now.timestamp()),
                "exp": int(expires_at.timestamp()),
                "jti": secrets.token_urlsafe(12),
                "sid": str(session),
                "roles": sorted(role.value for role in holder.roles),
                "bureau": holder.bureau,
            }
        )

    async def _rehash(self, proof: Proof, old: str) -> None:
        new = await self.passwords.hash(proof.password)
        unchanged = (account.c.account == proof.name) & (account.c.password_hash == old)
        async with self.engine.begin() as connection:
            await connection.execute(update(account).where(unchanged).values(password_hash=new))

    async def _ended(self) -> list[str]:
        since = self.now() - timedelta(seconds=KEPT_SECONDS)
        async with self.engine.connect() as connection:
            return [str(one) for one in await sessions.ended_since(connection, since)]
