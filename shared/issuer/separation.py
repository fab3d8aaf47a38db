"""Administrators kept apart (三员分立): whose act something is, and that each kind stays staffed.

GB/T 22239-2019 8.1.4.2 d asks that administrators hold only the rights their task takes and are
separated; 8.1.5 names the three: system, audit and security administrator.
"""

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.http.problem import RefusedByLaw, RoleForbidden
from shared.identity.caller import Caller
from shared.identity.roles import ADMINISTRATORS, Role
from shared.issuer.models import account
from shared.issuer.proof import AccountRow

SEPARATION: Final = "GB/T 22239-2019 8.1.4.2 d(管理用户的权限分离,三员分立)"


def permit(by: Caller, role: Role, what: str) -> None:
    """Raises `RoleForbidden` unless the caller is the administrator whose act it is."""
    if not by.holds([role]):
        raise RoleForbidden(f"{what}须由{role.title}办理")


def permit_administrators(by: Caller, what: str) -> None:
    """Raises `RoleForbidden` unless the caller is one of the three administrators."""
    if not by.holds(ADMINISTRATORS):
        allowed = "、".join(role.title for role in sorted(ADMINISTRATORS))
        raise RoleForbidden(f"{what}须由{allowed}办理")


def kind_of(by: Caller) -> Role:
    """Which of the three the caller is. Raises `RoleForbidden` for anybody else."""
    permit_administrators(by, "此事")
    return next(iter(by.roles & ADMINISTRATORS))


def refuse_own(by: Caller, name: str) -> None:
    """Raises `RefusedByLaw` where the account is the caller's own."""
    if name == by.account:
        raise RefusedByLaw("不得办理自己的账号,请由另一管理员办理", article=SEPARATION)


async def keep_one(connection: AsyncConnection, row: AccountRow, losing: frozenset[Role]) -> None:
    """Raises `RefusedByLaw` before the bureau loses the last usable administrator of a kind.

    `losing` are roles that the account in `row` would no longer exercise. Usable is who has a
    password of their own: an account that nobody has signed in to yet may be anybody's.
    """
    if row.disabled_at is not None:
        return
    for role in sorted(losing & ADMINISTRATORS):
        others = select(func.count()).where(
            account.c.bureau == row.bureau,
            account.c.account != row.account,
            account.c.disabled_at.is_(None),
            account.c.password_hash.is_not(None),
            account.c.one_time.is_(False),
            account.c.roles.contains([role.value]),
        )
        if not (await connection.execute(others)).scalar():
            raise RefusedByLaw(
                f"这是本机关最后一个可用的{role.title}账号,须先有另一个", article=SEPARATION
            )
