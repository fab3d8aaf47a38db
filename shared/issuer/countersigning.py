"""What takes two administrators (双人办理): one proposes, another of a different kind confirms.

Neither may be whose account it is. A one-time password comes in two parts, one for each of the two:
neither can use it in the owner's place. A proposal ends after a day. It, its confirmation and its
refusal are in the trail, and owner and administrators are told of them at their next sign-in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import select
from uuid_utils.compat import uuid7

from shared.http.problem import NotFound, RefusedByLaw, RoleForbidden, WrongState
from shared.identity.caller import Caller
from shared.identity.roles import ADMINISTRATORS, Role
from shared.issuer import proposals
from shared.issuer.deeds import DEEDS, Deed
from shared.issuer.issuer import Issuer
from shared.issuer.models import account
from shared.issuer.password_rules import one_time_part
from shared.issuer.proof import opened
from shared.issuer.proposals import OPEN_FOR, Decision, Proposal
from shared.issuer.separation import (
    SEPARATION,
    kind_of,
    permit_administrators,
    refuse_own,
)
from shared.issuer.witness import Action, Origin
from shared.issuer.work import Work, begun


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an act: it was done, or proposed.

    `secret` is a one-time password, or the part of it that is the caller's.
    """

    proposal: Proposal | None = None
    secret: str | None = None


class Countersigning:
    """Acts that may take two, asked for at one place (`origin`)."""

    def __init__(self, issuer: Issuer, origin: Origin) -> None:
        self._issuer = issuer
        self._origin = origin

    async def ask(
        self, by: Caller, action: Action, name: str | None, wanted: Mapping[str, Any]
    ) -> Result:
        """Do an act, or propose it where it takes two.

        Raises `RoleForbidden` unless the caller is the administrator whose act it is; what is to be
        done to an administrator of that very kind, any of the three may propose. Raises whatever
        refuses the act itself, now rather than when it is confirmed.
        """
        deed = DEEDS[action]
        if not by.holds(ADMINISTRATORS):
            raise _forbidden(deed)
        async with begun(self._issuer, by, self._origin, name) as work:
            if not by.holds([deed.role]) and deed.role not in work.roles:
                raise _forbidden(deed)
            work.wanted = wanted
            async with work.connection.begin_nested() as tried:
                await deed.perform(work)
                if not (work.changes and deed.takes_two(work)):
                    await work.tell(action)
                    return Result(secret=work.secret)
                await tried.rollback()
            work.ended = frozenset()
            return await self._propose(work, deed)

    async def confirm(self, by: Caller, wanted: UUID) -> tuple[Proposal, str | None]:
        """Do what was proposed; gives the caller's part of a one-time password too.

        Raises `RefusedByLaw` unless the caller is an administrator of another kind than the
        proposer and not the owner, and `WrongState` where it was decided, has expired, or no longer
        is what was proposed. Asked again by whoever confirmed it, it is no act.
        """
        kind = kind_of(by)
        found = await self._found(by, wanted)
        async with begun(self._issuer, by, self._origin, found.account or None) as work:
            found = await proposals.find(work.connection, wanted, by.bureau) or found
            if found.decision is Decision.CONFIRMED and found.decided_by == by.account:
                return found, None
            _still_open(found, work)
            if kind is found.proposed_as or by.account == found.proposed_by:
                raise RefusedByLaw(
                    f"申请人是{found.proposed_as.title},须由另一类管理员确认", article=SEPARATION
                )
            await _proposer_stays(work, found)
            work.wanted, part = self._completed(found)
            await DEEDS[found.action].perform(work)
            if work.before != found.before or work.after != found.after:
                raise WrongState("提出申请后情况已有变化,请重新申请")
            await proposals.decide(work.connection, found, Decision.CONFIRMED, by.account, work.now)
            await work.tell(found.action, proposal=str(found.id), proposed_by=found.proposed_by)
            return _decided(found, Decision.CONFIRMED, work), part

    async def refuse(self, by: Caller, wanted: UUID) -> Proposal:
        """Refuse a proposal, or withdraw one's own. Raises as `confirm` does."""
        permit_administrators(by, "驳回申请")
        found = await self._found(by, wanted)
        async with begun(self._issuer, by, self._origin, found.account or None) as work:
            found = await proposals.find(work.connection, wanted, by.bureau) or found
            own = found.proposed_by == by.account
            decision = Decision.WITHDRAWN if own else Decision.REFUSED
            if found.decision is decision and found.decided_by == by.account:
                return found
            _still_open(found, work)
            await proposals.decide(work.connection, found, decision, by.account, work.now)
            work.changed({"proposal": Decision.OPEN.value}, {"proposal": decision.value})
            await work.tell(
                Action.REFUSE,
                proposal=str(found.id),
                proposed=found.action.value,
                proposed_by=found.proposed_by,
            )
            return _decided(found, decision, work)

    async def latest(self, by: Caller) -> list[Proposal]:
        """The latest proposals of the caller's bureau, the newest first."""
        permit_administrators(by, "查看待确认的申请")
        async with self._issuer.engine.connect() as connection:
            return await proposals.latest(connection, by.bureau)

    async def _found(self, by: Caller, wanted: UUID) -> Proposal:
        async with self._issuer.engine.connect() as connection:
            found = await proposals.find(connection, wanted, by.bureau)
        if found is None:
            raise NotFound("没有这一申请")
        if found.account:
            refuse_own(by, found.account)
        return found

    async def _propose(self, work: Work, deed: Deed) -> Result:
        """Store a proposal in place of the caller's own one before, if there is one."""
        before = await proposals.undecided(work.connection, work.by.bureau, deed.action, work.name)
        part = one_time_part() if deed.action is Action.RESET_PASSWORD else None
        if before is not None:
            expired = before.stands(work.now) is Decision.EXPIRED
            if not expired and before.proposed_by != work.by.account:
                raise WrongState(
                    f"{before.proposed_by} 已提出同一申请,尚待确认或者驳回", field="account"
                )
            same = (before.wanted, before.before, before.after) == (
                dict(work.wanted),
                work.before,
                work.after,
            )
            if not expired and same and part is None:
                return Result(before)
            decision = Decision.EXPIRED if expired else Decision.REPLACED
            await proposals.decide(work.connection, before, decision, None, work.now)
        made = Proposal(
            uuid7(),
            work.by.bureau,
            deed.action,
            work.name,
            work.wanted,
            work.before,
            work.after,
            work.by.account,
            kind_of(work.by),
            work.now,
            work.now + OPEN_FOR,
        )
        if part is not None:
            sealed = self._issuer.seal.close(part, f"proposal {made.id}")
            made = replace(made, sealed_part=sealed)
        await proposals.store(work.connection, made)
        await work.tell(
            Action.PROPOSE,
            proposal=str(made.id),
            proposed=made.action.value,
            expires_at=made.expires_at.isoformat(),
        )
        return Result(made, part)

    def _completed(self, found: Proposal) -> tuple[Mapping[str, Any], str | None]:
        """What is wanted with the password that two parts make, and the confirming one's part."""
        if found.sealed_part is None:
            return found.wanted, None
        first = opened(self._issuer.seal, found.sealed_part, f"proposal {found.id}")
        second = one_time_part()
        return {**found.wanted, "password": f"{first}-{second}"}, second


def _forbidden(deed: Deed) -> RoleForbidden:
    return RoleForbidden(f"{deed.action.title}须由{deed.role.title}办理")


def _still_open(found: Proposal, work: Work) -> None:
    """Raises `WrongState` unless a proposal waits to be decided."""
    stands = found.stands(work.now)
    if stands is not Decision.OPEN:
        raise WrongState(f"该申请{stands.title}")


async def _proposer_stays(work: Work, found: Proposal) -> None:
    """Raises `WrongState` where the proposer is no longer the administrator they were."""
    query = select(account).where(account.c.account == found.proposed_by)
    row = (await work.connection.execute(query)).first()
    if row is None:  # signed in by an outside issuer
        return
    if row.disabled_at is not None or found.proposed_as not in frozenset(map(Role, row.roles)):
        raise WrongState("申请人已不是管理员,请重新申请")


def _decided(found: Proposal, decision: Decision, work: Work) -> Proposal:
    return replace(found, decision=decision, decided_by=work.by.account, decided_at=work.now)
