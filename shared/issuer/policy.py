"""What the security administrator decides for all accounts: which roles need a second factor."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.http.problem import RefusedByLaw
from shared.identity.roles import ADMINISTRATORS, Role
from shared.issuer.models import policy

FLOOR: Final = ADMINISTRATORS
"""Roles that are asked in any case: whoever becomes one of them by a password alone has it all."""

TWO_FACTORS: Final = "GB/T 22239-2019 8.1.4.1 d(两种以上鉴别技术,其一使用密码技术)"


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules in force.

    Without stored ones, which only an empty database is, the strict ones hold.
    """

    demonstration: bool = False
    second_factor_roles: frozenset[Role] = ADMINISTRATORS

    def asks_second_factor(self, roles: Iterable[Role]) -> bool:
        """Whether who holds `roles` signs in with a second factor."""
        return not (self.second_factor_roles | self.floor).isdisjoint(roles)

    @property
    def floor(self) -> frozenset[Role]:
        """Roles that the rules cannot leave out."""
        return frozenset() if self.demonstration else FLOOR


DEMONSTRATION = Policy(demonstration=True, second_factor_roles=frozenset())
"""The demonstration's passwords are random and in one private file; no telephone goes with it."""


def check_floor(rules: Policy, wanted: frozenset[Role]) -> None:
    """Raises `RefusedByLaw` where `wanted` leaves out a role that has to be asked."""
    if missing := rules.floor - wanted:
        titles = "、".join(role.title for role in sorted(missing))
        raise RefusedByLaw(f"{titles}必须使用动态口令,不得免除", field="roles", article=TWO_FACTORS)


async def in_force(connection: AsyncConnection) -> Policy:
    """The rules that hold."""
    return await stored(connection) or Policy()


async def stored(connection: AsyncConnection) -> Policy | None:
    """The rules as stored; None while no account has been made."""
    row = (await connection.execute(select(policy))).first()
    if row is None:
        return None
    return Policy(row.demonstration, frozenset(Role(role) for role in row.second_factor_roles))


async def store(connection: AsyncConnection, first: Policy) -> None:
    """Store the rules that an installation begins with."""
    await connection.execute(
        insert(policy).values(
            single=True,
            demonstration=first.demonstration,
            second_factor_roles=sorted(first.second_factor_roles),
        )
    )


async def change(connection: AsyncConnection, roles: frozenset[Role]) -> None:
    """Ask `roles` for a second factor from now on, and no others."""
    await connection.execute(update(policy).values(second_factor_roles=sorted(roles)))
