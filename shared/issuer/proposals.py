"""Proposals as they are stored: what one administrator asks for and another has to confirm."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.identity.roles import Role
from shared.issuer.models import proposal
from shared.issuer.witness import Action

OPEN_FOR: Final = timedelta(hours=24)
"""How long a proposal can be confirmed: the second looks at what the first has just decided."""

MOST: Final = 100


class Decision(StrEnum):
    """How a proposal stands; `title` is what a person reads."""

    OPEN = "open"
    EXPIRED = "expired"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"

    @property
    def title(self) -> str:  # type: ignore[override]  # a decision's title, not str.title()
        """The decision in Chinese."""
        return _TITLES[self]


_TITLES: Mapping[str, str] = {
    "open": "待确认",
    "expired": "已过期",
    "confirmed": "已确认办理",
    "refused": "已驳回",
    "withdrawn": "已撤回",
    "replaced": "已被新的申请取代",
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """An act proposed on `account` (empty: on the rules for all), and what it would change.

    `sealed_part` is the proposer's part of a one-time password, kept until it is decided.
    """

    id: UUID
    bureau: str
    action: Action
    account: str
    wanted: Mapping[str, Any]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    proposed_by: str
    proposed_as: Role
    proposed_at: datetime
    expires_at: datetime
    sealed_part: bytes | None = None
    decision: Decision = Decision.OPEN
    decided_by: str | None = None
    decided_at: datetime | None = None

    def stands(self, now: datetime) -> Decision:
        """How it stands now."""
        if self.decision is Decision.OPEN and self.expires_at <= now:
            return Decision.EXPIRED
        return self.decision


async def store(connection: AsyncConnection, made: Proposal) -> None:
    """Store a proposal; none for the same act on the same account may be undecided."""
    await connection.execute(
        insert(proposal).values(
            id=made.id,
            bureau=made.bureau,
            action=made.action.value,
            account=made.account,
            wanted=dict(made.wanted),
            before=dict(made.before),
            after=dict(made.after),
            proposed_by=made.proposed_by,
            proposed_as=made.proposed_as.value,
            proposed_at=made.proposed_at,
            expires_at=made.expires_at,
            sealed_part=made.sealed_part,
            decision=made.decision.value,
        )
    )


async def undecided(
    connection: AsyncConnection, bureau: str, action: Action, account: str
) -> Proposal | None:
    """The proposal of an act on an account that nobody has decided, expired or not."""
    query = select(proposal).where(
        proposal.c.bureau == bureau,
        proposal.c.action == action.value,
        proposal.c.account == account,
        proposal.c.decision == Decision.OPEN.value,
    )
    row = (await connection.execute(query)).first()
    return None if row is None else _stored(row)


async def find(connection: AsyncConnection, wanted: UUID, bureau: str) -> Proposal | None:
    """One proposal of a bureau."""
    query = select(proposal).where(proposal.c.id == wanted, proposal.c.bureau == bureau)
    row = (await connection.execute(query)).first()
    return None if row is None else _stored(row)


async def latest(connection: AsyncConnection, bureau: str) -> list[Proposal]:
    """The latest proposals of a bureau, the newest first."""
    query = (
        select(proposal)
        .where(proposal.c.bureau == bureau)
        .order_by(proposal.c.proposed_at.desc(), proposal.c.id.desc())
        .limit(MOST)
    )
    return [_stored(row) for row in await connection.execute(query)]


async def decide(
    connection: AsyncConnection,
    decided: Proposal,
    decision: Decision,
    by: str | None,
    now: datetime,
) -> None:
    """Note how a proposal was decided; its part of a password is forgotten."""
    await connection.execute(
        update(proposal)
        .where(proposal.c.id == decided.id)
        .values(decision=decision.value, decided_by=by, decided_at=now, sealed_part=None)
    )


def _stored(row: Row[*tuple[object, ...]]) -> Proposal:
    values: dict[str, Any] = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name
    values["action"] = Action(values["action"])
    values["proposed_as"] = Role(values["proposed_as"])
    values["decision"] = Decision(values["decision"])
    return Proposal(**values)
