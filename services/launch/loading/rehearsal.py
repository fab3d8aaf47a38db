"""Rehearsing a caseload without sending it: every rule is a pure function and can be asked.

It foresees what the platform would refuse of a caseload that was never loaded before; what rests
on rows that are there already (a document number taken) shows only when it is played.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from services.launch.loading.reading import Fault
from services.launch.loading.refusal import refusal
from shared.clock.law_time import law_day
from shared.http.problem import Problem, RoleForbidden
from shared.identity.caller import Caller
from shared.identity.roles import Role
from shared.workflow.decision import decide
from shared.workflow.moment import AHEAD
from shared.workflow.payload import split
from shared.workflow.table import Situation

if TYPE_CHECKING:
    from services.launch.loading.reading import Caseload, Step
    from shared.clock.calendar import WorkCalendar
    from shared.identity.officers import Certificate
    from shared.workflow.decision import Decision


class Rehearsal:
    """Walks each aggregate's steps through the rules."""

    def __init__(
        self,
        calendar: WorkCalendar,
        roles: Mapping[str, Sequence[str]],
        certificates: Mapping[str, tuple[Certificate, ...]],
    ) -> None:
        self._calendar = calendar
        self._roles = roles
        self._certificates = certificates

    def run(self, caseload: Caseload) -> list[Fault]:
        """Every step that would be refused, in the order of lines."""
        faults: list[Fault] = []
        for steps in caseload.aggregates.values():
            faults += self._aggregate(steps)
        return sorted(faults, key=lambda fault: fault.line)

    def _aggregate(self, steps: Sequence[Step]) -> list[Fault]:
        faults = []
        stand: Decision | None = None
        opened = stepped = datetime.min.replace(tzinfo=UTC)
        for step in steps:
            row = step.command.row
            if row.opens == (stand is not None):
                reason = "该事项已登记" if row.opens else "该事项尚未登记"
                faults.append(Fault(step.line, "command", reason))
                continue
            if step.at > datetime.now(UTC) + AHEAD:
                faults.append(Fault(step.line, "at", "发生时间不得晚于现在五分钟以上"))
                continue
            if step.at < (opened if row.is_record else stepped):
                faults.append(Fault(step.line, "at", "早于上一步骤或登记时间"))
                continue
            try:
                stand = self._decide(step, stand)
            except Problem as problem:
                faults.append(refusal(step, problem.as_json()))
                continue
            if row.opens:
                opened = step.at
            if not row.is_record:
                stepped = step.at
        return faults

    def _decide(self, step: Step, stand: Decision | None) -> Decision:
        row = step.command.row
        payload = row.payload.model_validate(step.data)
        held = frozenset(Role(role) for role in self._roles.get(step.actor, (Role.IMPORTER,)))
        caller = Caller(step.actor, held, "000000", "rehearsal")
        situation = Situation(
            state=stand.state if stand else None,
            facts=stand.facts if stand else {},
            clocks=stand.clocks if stand else {},
            caller=caller,
            at=step.at,
            day=law_day(step.at),
            calendar=self._calendar,
            periods=step.command.procedure.periods,
            payload=payload,
            officers=self._certificates,
        )
        if not caller.roles & row.roles:
            raise RoleForbidden(f"账号 {step.actor} 的角色不能办理{row.title}")
        return decide(step.command.procedure, row, situation, split(payload))
