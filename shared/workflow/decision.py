"""Deciding a command: state, guards, clocks, facts. Pure; the desk reads and writes around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from shared.clock.law_time import law_day
from shared.http.problem import RefusedByLaw, WrongState
from shared.identifiers import new_id
from shared.workflow import clocks as legal_clocks
from shared.workflow.table import Claim, Clock, End, Facts, Resume, Situation, Suspend

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from shared.workflow.payload import Split
    from shared.workflow.table import Procedure, Row


class Decision(NamedTuple):
    """What a command will write."""

    state: str
    at: datetime
    data: dict[str, Any]
    facts: Facts
    clocks: dict[str, Clock]
    columns: dict[str, Any]
    claims: tuple[Claim, ...]
    split: Split
    particulars_id: str | None


def decide(procedure: Procedure, row: Row, situation: Situation, parts: Split) -> Decision:
    """Decide a row in a situation, or refuse it.

    Raises `WrongState`, `RefusedByLaw` with the article of the guard or clock, or `InvalidInput`
    where a guard lays the fault on a field.
    """
    if (refusal := state_refusal(procedure, row, situation.state)) is not None:
        raise WrongState(refusal, article=row.article)
    for guard in row.guards:
        if (reason := guard.check(situation)) is not None:
            raise RefusedByLaw(reason, field=guard.field, article=guard.article)
    data = dict(parts.public)
    particulars_id = new_id() if parts.particulars else None
    if particulars_id is not None:
        data["particulars_id"] = particulars_id
    if row.derive is not None:
        data.update(row.derive(situation))
    clocks = dict(situation.clocks)
    for effect in row.clocks:
        legal_clocks.move(clocks, effect, situation)
    facts = add_fact(situation.facts, row, data, situation.caller.account, situation.at)
    return Decision(
        state=row.target or situation.state or "",
        at=situation.at,
        data=data,
        facts=facts,
        clocks=clocks,
        columns=dict(procedure.summarise(facts)),
        claims=tuple(row.claims(situation)) if row.claims else (),
        split=parts,
        particulars_id=particulars_id,
    )


def state_refusal(procedure: Procedure, row: Row, state: str | None) -> str | None:
    """Say why a row cannot leave a state, or None where it can."""
    if row.opens or state in row.source:
        return None
    here = procedure.states[state].title if state else "未登记"
    wanted = "、".join(
        definition.title for name, definition in procedure.states.items() if name in row.source
    )
    return f"当前为“{here}”，{row.title}只能在“{wanted}”时办理"


def standing_refusal(row: Row, situation: Situation) -> RefusedByLaw | None:
    """Say how the law would refuse a row whatever were sent with it, by a guard or a clock."""
    for guard in row.guards:
        if not guard.asks_payload and (reason := guard.check(situation)) is not None:
            return RefusedByLaw(reason, article=guard.article)
    clocks = dict(situation.clocks)
    try:
        for effect in row.clocks:
            if isinstance(effect, Suspend | Resume | End):
                legal_clocks.move(clocks, effect, situation)
    except RefusedByLaw as refusal:
        return refusal
    return None


def add_fact(
    facts: Facts,
    row: Row,
    data: Mapping[str, Any],
    account: str,
    at: datetime,
) -> Facts:
    """Add an occurrence of a row to the facts, with who, when and on which day of the law.

    Where the row revises earlier facts, they are revised.
    """
    occurrence = {**data, "by": account, "at": at.isoformat(), "on": law_day(at).isoformat()}
    added = {**facts, row.command: [*facts.get(row.command, ()), occurrence]}
    return added if row.revise is None else row.revise(added, data)
