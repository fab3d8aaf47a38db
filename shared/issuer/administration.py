"""What administrators do to other people's accounts; all of it passes through here.

The three administrators are kept apart (三员分立, GB/T 22239-2019 8.1.4.2 d, 8.1.5): the system
administrator makes, disables and enables accounts, and grants nothing; the security administrator
grants roles and looks after passwords, second factors, locks, sessions and certificates, and makes
no account; the audit administrator reads. Nobody administers their own account. A bureau never
loses its last administrator of a kind.

Every act is told to the issuer's `Witness`, in its own transaction. An act that changes nothing
(a repeated request) is no act.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.http.problem import InvalidInput, NotFound, RefusedByLaw, RoleForbidden, WrongState
from shared.identity.caller import Caller, is_account
from shared.identity.officers import Certificate
from shared.identity.roles import ADMINISTRATORS, Role, incompatible
from shared.issuer import accounts, policy, second_factors, sessions
from shared.issuer.accounts import Account, Overview
from shared.issuer.attempts import locks
from shared.issuer.issuer import Issuer
from shared.issuer.models import account
from shared.issuer.password_rules import REMEMBERED, one_time_password
from shared.issuer.policy import Policy
from shared.issuer.proof import AccountRow
from shared.issuer.sessions import LiveSession
from shared.issuer.witness import Act, Action, Origin

SEPARATION: Final = "GB/T 22239-2019 8.1.4.2 d(管理用户的权限分离,三员分立)"
_TURN: Final = "SELECT pg_advisory_xact_lock(hashtextextended('ecocase administration', 0))"


@dataclass(slots=True)
class _Work:
    """One administrative transaction: on whose row, and what it turns out to change."""

    connection: AsyncConnection
    row: AccountRow
    now: datetime
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
    ended: frozenset[UUID] = frozenset()

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(Role(role) for role in self.row.roles)

    def changed(self, before: Mapping[str, object], after: Mapping[str, object]) -> None:
        self.before, self.after = before, after

    async def set(self, **values: object) -> None:
        await self.connection.execute(
            update(account).where(account.c.account == self.row.account).values(**values)
        )

    async def end_sessions(self) -> None:
        self.ended = await sessions.end_all(self.connection, [self.row.account], self.now)


class Administration:
    """The acts of administrators at one place (`origin`), each with the caller that asks for it.

    All raise `RoleForbidden` unless the caller holds the role an act takes, `NotFound` for an
    account that is not of the caller's bureau, and `RefusedByLaw` for the caller's own.
    """

    def __init__(self, issuer: Issuer, origin: Origin) -> None:
        self._issuer = issuer
        self._origin = origin

    async def create(self, by: Caller, name: str, display_name: str) -> Account:
        """Make an account of the caller's bureau; it has no role and no password.

        Raises `InvalidInput`, or `WrongState` where it exists.
        """
        _permit(by, Role.SYSTEM_ADMIN, "新建账号")
        created = Account(name, display_name, frozenset(), by.bureau)
        try:
            created.check()
        except accounts.AccountRefusedError as refused:
            raise InvalidInput(str(refused), field="account") from refused
        now = self._issuer.now()
        act = Act(now, by.account, Action.CREATE, name, by.bureau, origin=self._origin)
        try:
            async with self._issuer.engine.begin() as connection:
                await accounts.add(connection, [created], {}, now, one_time=True)
                await self._issuer.witness.administered(connection, act)
        except IntegrityError as error:
            raise WrongState(f"账号 {name} 已存在", field="account") from error
        return created

    async def disable(self, by: Caller, name: str) -> None:
        """Let an account sign in no more, and end its sessions."""
        async with self._on(by, Role.SYSTEM_ADMIN, "停用账号", name, Action.DISABLE) as work:
            if work.row.disabled_at is None:
                await _keep_one(work, work.roles)
                await work.set(disabled_at=work.now)
                await work.end_sessions()
                work.changed({"disabled": False}, {"disabled": True})

    async def enable(self, by: Caller, name: str) -> None:
        """Let a disabled account sign in again."""
        async with self._on(by, Role.SYSTEM_ADMIN, "启用账号", name, Action.ENABLE) as work:
            if work.row.disabled_at is not None:
                await work.set(disabled_at=None)
                work.changed({"disabled": True}, {"disabled": False})

    async def set_roles(self, by: Caller, name: str, roles: frozenset[Role]) -> None:
        """Give an account these roles and no others; a change ends its sessions.

        Raises `RefusedByLaw` where one account may not hold them together, and where the bureau
        would be left without an administrator of a kind.
        """
        what = "授予或者撤销角色"
        async with self._on(by, Role.SECURITY_ADMIN, what, name, Action.SET_ROLES) as work:
            if reason := incompatible(roles):
                raise RefusedByLaw(reason, field="roles", article=SEPARATION)
            if roles != work.roles:
                await _keep_one(work, work.roles - roles)
                await work.set(roles=sorted(roles))
                await work.end_sessions()
                work.changed({"roles": sorted(work.roles)}, {"roles": sorted(roles)})

    async def reset_password(self, by: Caller, name: str) -> str:
        """Give an account a one-time password, end its sessions and unlock it."""
        password = one_time_password()
        password_hash = await self._issuer.passwords.hash(password)
        what = "重置密码"
        async with self._on(by, Role.SECURITY_ADMIN, what, name, Action.RESET_PASSWORD) as work:
            await accounts.set_password(
                work.connection,
                name,
                password_hash,
                work.now,
                one_time=True,
                previous=_remembered(work.row),
            )
            await work.end_sessions()
            work.changed({}, {"one_time": True})
        return password

    async def reset_second_factor(self, by: Caller, name: str) -> None:
        """Remove a lost second factor, and end the account's sessions."""
        what = "重置动态口令"
        action = Action.RESET_SECOND_FACTOR
        async with self._on(by, Role.SECURITY_ADMIN, what, name, action) as work:
            if await second_factors.remove(work.connection, name):
                await work.end_sessions()
                work.changed({"second_factor": True}, {"second_factor": False})

    async def unlock(self, by: Caller, name: str) -> None:
        """End the lock that failures led to."""
        async with self._on(by, Role.SECURITY_ADMIN, "解锁账号", name, Action.UNLOCK) as work:
            held = await locks(work.connection, {name: work.row.unlocked_at}, work.now)
            if held:
                await work.set(unlocked_at=work.now)
                work.changed({"locked": True}, {"locked": False})

    async def end_sessions(self, by: Caller, name: str) -> int:
        """End an account's open sessions; gives how many."""
        what = "终止会话"
        async with self._on(by, Role.SECURITY_ADMIN, what, name, Action.END_SESSIONS) as work:
            await work.end_sessions()
            if work.ended:
                work.changed({"sessions": len(work.ended)}, {"sessions": 0})
        return len(work.ended)

    async def set_certificate(self, by: Caller, held: Certificate) -> None:
        """Enter a term of a certificate, or change its last day (renewed, withdrawn).

        Raises `InvalidInput` where the days are the wrong way round, and `WrongState` where the
        number is another account's.
        """
        what, action = "登记执法证件", Action.SET_CERTIFICATE
        if held.valid_to < held.valid_from:
            raise InvalidInput("有效期止日不得早于起日", field="valid_to")
        async with self._on(by, Role.SECURITY_ADMIN, what, held.account, action) as work:
            before = await _terms(work, held.number)
            if not await accounts.set_certificate(work.connection, held):
                raise WrongState(f"证号 {held.number} 已登记在另一账号名下", field="number")
            after = await _terms(work, held.number)
            if before != after:
                work.changed({held.number: before}, {held.number: after})

    async def remove_certificate(self, by: Caller, held: Certificate) -> None:
        """Remove a term entered in error (`valid_to` does not matter)."""
        what, action = "删除误登的执法证件", Action.REMOVE_CERTIFICATE
        async with self._on(by, Role.SECURITY_ADMIN, what, held.account, action) as work:
            before = await _terms(work, held.number)
            if str(held.valid_from) not in before:
                raise NotFound("该账号没有这一证件")
            await accounts.remove_certificate(work.connection, held)
            work.changed({held.number: before}, {held.number: await _terms(work, held.number)})

    async def require_second_factor(self, by: Caller, roles: frozenset[Role]) -> None:
        """Ask these roles for a second factor from now on, and no others.

        Whoever holds one of them without a second factor is signed out.
        """
        _permit(by, Role.SECURITY_ADMIN, "规定哪些角色须用动态口令")
        async with self._issuer.engine.begin() as connection:
            await connection.execute(text(_TURN))
            rules = await policy.in_force(connection)
            if rules.second_factor_roles == roles:
                return
            await policy.change(connection, roles)
            now = self._issuer.now()
            ended = await _sign_out_unenrolled(connection, roles, now)
            act = Act(
                now,
                by.account,
                Action.CHANGE_POLICY,
                "",
                by.bureau,
                {"second_factor_roles": sorted(rules.second_factor_roles)},
                {"second_factor_roles": sorted(roles)},
                self._origin,
            )
            await self._issuer.witness.administered(connection, act)
        self._issuer.announce(ended)

    async def policy(self, by: Caller) -> Policy:
        """The rules in force."""
        _permit_reading(by)
        async with self._issuer.engine.connect() as connection:
            return await policy.in_force(connection)

    async def overviews(self, by: Caller, after: str, limit: int) -> list[Overview]:
        """The accounts of the caller's bureau in order, from the one behind `after` on."""
        _permit_reading(by)
        now = self._issuer.now()
        return await self._issuer.accounts.overviews(by.bureau, now, after=after, limit=limit)

    async def overview(self, by: Caller, name: str) -> Overview:
        """One account of the caller's bureau."""
        _permit_reading(by)
        found = None
        if is_account(name):
            found = await self._issuer.accounts.overview(name, by.bureau, self._issuer.now())
        if found is None:
            raise NotFound("没有这一账号")
        return found

    async def live_sessions(self, by: Caller, name: str) -> list[LiveSession]:
        """The open sessions of an account."""
        await self.overview(by, name)
        async with self._issuer.engine.connect() as connection:
            limits, now = self._issuer.rules.limits, self._issuer.now()
            return await sessions.live(connection, name, limits, now)

    @asynccontextmanager
    async def _on(
        self, by: Caller, role: Role, what: str, name: str, action: Action
    ) -> AsyncIterator[_Work]:
        _permit(by, role, what)
        async with self._issuer.engine.begin() as connection:
            await connection.execute(text(_TURN))  # so that two cannot strip the last two at once
            row = await sessions.lock_account(connection, name) if is_account(name) else None
            if row is None or not by.sees(row.bureau):
                raise NotFound("没有这一账号")
            if name == by.account:
                raise RefusedByLaw("不得办理自己的账号,请由另一管理员办理", article=SEPARATION)
            work = _Work(connection, row, self._issuer.now())
            yield work
            if work.before or work.after:
                act = Act(
                    work.now,
                    by.account,
                    action,
                    name,
                    row.bureau,
                    work.before,
                    work.after,
                    self._origin,
                )
                await self._issuer.witness.administered(connection, act)
        self._issuer.announce(work.ended)


def _permit(by: Caller, role: Role, what: str) -> None:
    if not by.holds([role]):
        raise RoleForbidden(f"{what}须由{role.title}办理")


def _permit_reading(by: Caller) -> None:
    if not by.holds(ADMINISTRATORS):
        allowed = "、".join(role.title for role in sorted(ADMINISTRATORS))
        raise RoleForbidden(f"查看账号须由{allowed}办理")


async def _keep_one(work: _Work, losing: frozenset[Role]) -> None:
    """Refuse to take from an account the administrator's role that only it still exercises."""
    if work.row.disabled_at is not None:
        return
    for role in sorted(losing & ADMINISTRATORS):
        others = select(func.count()).where(
            account.c.bureau == work.row.bureau,
            account.c.account != work.row.account,
            account.c.disabled_at.is_(None),
            account.c.roles.contains([role.value]),
        )
        if not (await work.connection.execute(others)).scalar():
            raise RefusedByLaw(
                f"这是本机关最后一个可用的{role.title}账号,须先有另一个", article=SEPARATION
            )


async def _terms(work: _Work, number: str) -> dict[str, str]:
    """The last day of each term of a certificate, by its first."""
    held = await accounts.find(work.connection, work.row.account)
    certificates = () if held is None else held.certificates
    return {str(one.valid_from): str(one.valid_to) for one in certificates if one.number == number}


async def _sign_out_unenrolled(
    connection: AsyncConnection, roles: frozenset[Role], now: datetime
) -> frozenset[UUID]:
    query = (
        select(account.c.account)
        .where(account.c.roles.overlap(sorted(role.value for role in roles)))
        .order_by(account.c.account)
        .with_for_update()
    )
    holders = list((await connection.execute(query)).scalars())
    without = [one for one in holders if not await second_factors.is_enrolled(connection, one)]
    return await sessions.end_all(connection, without, now)


def _remembered(row: AccountRow) -> list[str]:
    """The hashes to remember once the account's password is another."""
    if row.password_hash is None:
        return list(row.previous_hashes)
    return [row.password_hash, *row.previous_hashes][: REMEMBERED - 1]
