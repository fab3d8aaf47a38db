"""Proving who one is: password, and second factor where one is enrolled.

Every way in comes through here (signing in, changing one's password, enrolling a second factor), so
that guessing is counted, slowed down and recorded in one place.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.http.problem import Unauthenticated, Unavailable
from shared.identity.caller import is_account
from shared.issuer.attempts import address_wait, locks, record, tell
from shared.issuer.lockout import seconds_until
from shared.issuer.models import account, second_factor
from shared.issuer.one_time_codes import accepted_step, is_among
from shared.issuer.password_rules import ONE_TIME_FOR, expired
from shared.issuer.passwords import PARALLEL, Passwords
from shared.issuer.refusals import (
    AccountLocked,
    AddressSlowed,
    HeldOff,
    OneTimePasswordExpired,
    SecondFactorRequired,
)
from shared.issuer.sealing import Seal, UnsealableError
from shared.issuer.sessions import lock_account
from shared.issuer.witness import Attempt, Origin, Outcome, Witness

T = TypeVar("T")
AccountRow = Row[*tuple[Any, ...]]
Then = Callable[[AsyncConnection, AccountRow, datetime], Awaitable[T]]

_log = structlog.stdlib.get_logger("ecocase.identity")


@dataclass(frozen=True, slots=True)
class Proof:
    """What somebody shows: account, password and, where asked, a code or recovery code."""

    name: str
    password: str
    code: str | None = None


class Proving:
    """Checks proofs against the accounts of `engine`."""

    def __init__(
        self,
        engine: AsyncEngine,
        passwords: Passwords,
        seal: Seal,
        witness: Witness,
        now: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._passwords = passwords
        self._seal = seal
        self._witness = witness
        self._now = now
        # Attempts in flight have not been counted yet, so only a few may be in flight at once.
        self._in_flight = asyncio.Semaphore(PARALLEL)

    async def proved(self, proof: Proof, origin: Origin, then: Then[T]) -> T:
        """Check `proof`, then do `then` in the same transaction, the account's row locked.

        A problem that `then` raises undoes everything, the use of a code included. Every attempt
        that is refused is told, by whatever it is refused.

        Raises `Unauthenticated` without saying whether the account exists, `SecondFactorRequired`,
        and `AccountLocked` or `AddressSlowed` where there were too many failures.
        """
        known: AccountRow | None = None
        try:
            async with self._in_flight:
                known, refusal = await self._standing(proof.name, origin)
                if refusal is not None:
                    raise refusal
                return await self._checked(proof, origin, known, then)
        except HeldOff as refused:
            name, bureau = (None, None) if known is None else (proof.name, known.bureau)
            attempt = Attempt(self._now(), refused.outcome, name, bureau, origin)
            await tell(self._witness, attempt)
            raise

    async def _standing(
        self, name: str, origin: Origin
    ) -> tuple[AccountRow | None, HeldOff | None]:
        """The account named so, and why an attempt on it is not looked at now, if so."""
        async with self._engine.connect() as connection:
            now = self._now()
            row = None
            if is_account(name):
                query = select(account).where(account.c.account == name)
                row = (await connection.execute(query)).first()
            if until := await _locked_until(connection, name, row, now):
                return row, AccountLocked(
                    "登录失败次数过多,账号已锁定,请稍后再试或者请安全管理员解锁",
                    retry_after=seconds_until(until, now),
                )
            if seconds := await address_wait(connection, origin, now):
                return row, AddressSlowed("登录失败次数过多,请稍后再试", retry_after=seconds)
        return row, None

    async def _checked(
        self, proof: Proof, origin: Origin, known: AccountRow | None, then: Then[T]
    ) -> T:
        stored = None if known is None else known.password_hash
        matches = await self._passwords.verify(stored, proof.password)
        async with self._engine.begin() as connection:
            holder = await self._holder(connection, proof.name)
            now = self._now()
            right = (
                matches
                and holder is not None
                and holder.disabled_at is None
                and holder.password_hash == stored
            )
            if right and holder is not None:
                _check_time(holder, now)
                if await self._second_factor_holds(connection, proof, now):
                    return await then(connection, holder, now)
                outcome = Outcome.REFUSED_CODE
            else:
                outcome = Outcome.REFUSED
            name, bureau = (None, None) if holder is None else (proof.name, holder.bureau)
            attempt = Attempt(now, outcome, name, bureau, origin)
            await record(connection, self._witness, attempt, proof.name)
            if await _locked_until(connection, proof.name, holder, now):
                _log.warning("account locked", account=name)
        if outcome is Outcome.REFUSED_CODE:
            raise Unauthenticated("动态口令不正确,或者已经用过")
        raise Unauthenticated("账号或密码不正确")

    async def _holder(self, connection: AsyncConnection, name: str) -> AccountRow | None:
        return await lock_account(connection, name) if is_account(name) else None

    async def _second_factor_holds(
        self, connection: AsyncConnection, proof: Proof, now: datetime
    ) -> bool:
        query = select(second_factor).where(
            second_factor.c.account == proof.name, second_factor.c.confirmed_at.is_not(None)
        )
        enrolled = (await connection.execute(query)).first()
        if enrolled is None:
            return True
        if proof.code is None:
            raise SecondFactorRequired
        change = update(second_factor).where(second_factor.c.account == proof.name)
        if used := is_among(proof.code, enrolled.recovery_hashes):
            left = func.array_remove(second_factor.c.recovery_hashes, used)
            await connection.execute(change.values(recovery_hashes=left))
            return True
        secret = opened(self._seal, enrolled.sealed_secret, proof.name)
        step = accepted_step(secret, proof.code, now, enrolled.last_step)
        if step is None:
            return False
        await connection.execute(change.values(last_step=step))
        return True


def _check_time(holder: AccountRow, now: datetime) -> None:
    """Raises `OneTimePasswordExpired`."""
    if holder.one_time and expired(holder.password_set_at, ONE_TIME_FOR, now):
        hours = ONE_TIME_FOR // timedelta(hours=1)
        raise OneTimePasswordExpired(f"一次性密码已超过 {hours} 小时,须重新发给")


def opened(seal: Seal, sealed: bytes, name: str) -> str:
    """The secret of an account's second factor. Raises `Unavailable` where the key is another."""
    try:
        return seal.open(sealed, name)
    except UnsealableError as error:
        _log.exception("second factor cannot be opened: another key in the data folder?")
        raise Unavailable("动态口令的密钥不可用,请联系系统管理员", retry_after=60) from error


async def _locked_until(
    connection: AsyncConnection, name: str, row: AccountRow | None, now: datetime
) -> datetime | None:
    unlocked = None if row is None else row.unlocked_at
    return (await locks(connection, {name: unlocked}, now)).get(name)
