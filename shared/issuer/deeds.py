"""Acts that may take two administrators, as data: whose act it is, when it takes two, what it does.

What touches an administrator's account takes two of different kinds, or the security administrator
alone could become the other two: by a new password, by granting a role to an account whose password
they know, by enabling one that nobody watches, by unlocking one to go on guessing. So does asking
fewer roles for a second factor. Everybody else's account takes one.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from shared.http.problem import RefusedByLaw
from shared.identity.roles import ADMINISTRATORS, Role, incompatible
from shared.issuer import accounts, policy, second_factors, sessions
from shared.issuer.attempts import locks
from shared.issuer.models import account
from shared.issuer.password_rules import REMEMBERED, one_time_password
from shared.issuer.proof import AccountRow
from shared.issuer.separation import SEPARATION, keep_one
from shared.issuer.witness import Action
from shared.issuer.work import Work


@dataclass(frozen=True, slots=True)
class Deed:
    """An act of the administrator `role`; `perform` does it, and says what it changes."""

    action: Action
    role: Role
    perform: Callable[[Work], Awaitable[None]]
    takes_two: Callable[[Work], bool]


def of_administrator(work: Work) -> bool:
    """Whether an administrator's role is held, or would be."""
    return not ADMINISTRATORS.isdisjoint(work.roles | work.wanted_roles)


def _loosens(work: Work) -> bool:
    """Whether a role would no longer be asked for a second factor; `before` has been noted."""
    before = work.before.get("second_factor_roles", ())
    return isinstance(before, list) and not work.wanted_roles.issuperset(map(Role, before))


async def _disable(work: Work) -> None:
    if work.holder.disabled_at is None:
        await keep_one(work.connection, work.holder, work.roles)
        await work.set(disabled_at=work.now)
        await work.end_sessions()
        work.changed({"disabled": False}, {"disabled": True})


async def _enable(work: Work) -> None:
    if work.holder.disabled_at is not None:
        await work.set(disabled_at=None)
        work.changed({"disabled": True}, {"disabled": False})


async def _set_roles(work: Work) -> None:
    held, wanted = work.roles, work.wanted_roles
    if reason := incompatible(wanted):
        raise RefusedByLaw(reason, field="roles", article=SEPARATION)
    if wanted == held:
        return
    await keep_one(work.connection, work.holder, held - wanted)
    await work.set(roles=sorted(wanted))
    await work.end_sessions()
    before: dict[str, object] = {"roles": sorted(held)}
    after: dict[str, object] = {"roles": sorted(wanted)}
    if (wanted - held) & ADMINISTRATORS:
        before["has_password"], after["has_password"] = bool(work.holder.password_hash), False
        await _begin_anew(work)
    work.changed(before, after)


async def _begin_anew(work: Work) -> None:
    """Void password and second factor: someone may have got hold of them when it mattered less."""
    await work.set(
        password_hash=None,
        password_set_at=None,
        one_time=True,
        previous_hashes=_remembered(work.holder),
    )
    await second_factors.remove(work.connection, work.name)


async def _reset_password(work: Work) -> None:
    """Set a one-time password: that in `wanted`, of which two administrators each know a part."""
    password = str(work.wanted.get("password") or one_time_password())
    await accounts.set_password(
        work.connection,
        work.name,
        await work.issuer.passwords.hash(password),
        work.now,
        one_time=True,
        previous=_remembered(work.holder),
    )
    await work.end_sessions()
    work.secret = password
    work.changed({}, {"one_time": True})


async def _reset_second_factor(work: Work) -> None:
    if await second_factors.remove(work.connection, work.name):
        await work.end_sessions()
        work.changed({"second_factor": True}, {"second_factor": False})


async def _unlock(work: Work) -> None:
    if await locks(work.connection, {work.name: work.holder.unlocked_at}, work.now):
        await work.set(unlocked_at=work.now)
        work.changed({"locked": True}, {"locked": False})


async def _require_second_factor(work: Work) -> None:
    """Whoever holds one of the roles without a second factor is signed out."""
    rules = await policy.in_force(work.connection)
    roles = work.wanted_roles
    policy.check_floor(rules, roles)
    if rules.second_factor_roles == roles:
        return
    await policy.change(work.connection, roles)
    work.changed(
        {"second_factor_roles": sorted(rules.second_factor_roles)},
        {"second_factor_roles": sorted(roles)},
    )
    query = (
        select(account.c.account)
        .where(account.c.roles.overlap(sorted(role.value for role in roles)))
        .order_by(account.c.account)
        .with_for_update()
    )
    holders = list((await work.connection.execute(query)).scalars())
    without = [one for one in holders if not await second_factors.is_enrolled(work.connection, one)]
    work.ended = await sessions.end_all(work.connection, without, work.now)


def _remembered(row: AccountRow) -> list[str]:
    """The hashes to remember once the account's password is another."""
    if row.password_hash is None:
        return list(row.previous_hashes)
    return [row.password_hash, *row.previous_hashes][: REMEMBERED - 1]


_SYSTEM, _SECURITY = Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN
DEEDS: Final[Mapping[Action, Deed]] = {
    deed.action: deed
    for deed in (
        Deed(Action.DISABLE, _SYSTEM, _disable, of_administrator),
        Deed(Action.ENABLE, _SYSTEM, _enable, of_administrator),
        Deed(Action.SET_ROLES, _SECURITY, _set_roles, of_administrator),
        Deed(Action.RESET_PASSWORD, _SECURITY, _reset_password, of_administrator),
        Deed(Action.RESET_SECOND_FACTOR, _SECURITY, _reset_second_factor, of_administrator),
        Deed(Action.UNLOCK, _SECURITY, _unlock, of_administrator),
        Deed(Action.CHANGE_POLICY, _SECURITY, _require_second_factor, _loosens),
    )
}
