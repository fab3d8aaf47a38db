"""Replays commands through the kit's `decide` alone: no database, no HTTP, the same law.

It checks what the desk checks around it: the role, the order of steps in time, the payload's form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from shared.clock.calendar import WorkCalendar
from shared.clock.law_time import law_day
from shared.identity.caller import Caller
from shared.issuer.demo import BUREAU, demo_accounts
from shared.workflow.decision import Decision, decide
from shared.workflow.payload import split
from shared.workflow.table import Clock, Facts, Procedure, Row, Situation

if TYPE_CHECKING:
    from services.launch.caseload.line import Line

ROLES = {one.account: one.roles for one in demo_accounts()}
OFFICERS = {one.account: one.certificates for one in demo_accounts() if one.certificates}
"""The demonstration officers with their certificates, valid from 2020 to 2035."""


@dataclass
class Replayed:
    """A case as it stands: what the desk would have stored."""

    procedure: Procedure
    state: str | None = None
    facts: Facts = field(default_factory=dict)
    clocks: dict[str, Clock] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)
    opened_at: datetime | None = None
    stepped_at: datetime | None = None

    def last(self, command: str) -> Mapping[str, Any] | None:
        """The latest occurrence of a command, or None."""
        return self.facts[command][-1] if self.facts.get(command) else None

    def all(self, command: str) -> Sequence[Mapping[str, Any]]:
        """Every occurrence of a command."""
        return self.facts.get(command, ())


class Replay:
    """Applies commands to the cases they name, by reference."""

    def __init__(self, procedures: Iterable[Procedure]) -> None:
        self.procedures = tuple(procedures)
        self.cases: dict[str, Replayed] = {}
        self.calendar = WorkCalendar.official()

    def apply(self, line: Line) -> Decision:
        """Apply a line; raises what the desk would (`RefusedByLaw`, `WrongState`)."""
        return self.take(line.ref, line.command, line.actor, line.at, line.data)

    def take(
        self, ref: str, command: str, actor: str, at: datetime, data: Mapping[str, Any]
    ) -> Decision:
        """Apply a command by an account of the demonstration; the first of a ref opens it."""
        case = self.cases.get(ref) or self._opened(command)
        row = case.procedure.row(command)
        assert row is not None, f"{case.procedure.name} has no {command}"
        assert ROLES[actor] & row.roles, f"{actor} may not {command}"
        _check_order(case, row, at)
        payload = row.payload.model_validate_json(orjson.dumps(data))
        situation = Situation(
            state=case.state,
            facts=case.facts,
            clocks=case.clocks,
            caller=Caller(actor, ROLES[actor], BUREAU, "https://issuer.example"),
            at=at.astimezone(UTC),
            day=law_day(at),
            calendar=self.calendar,
            periods=case.procedure.periods,
            payload=payload,
            officers=OFFICERS,
        )
        decision = decide(case.procedure, row, situation, split(payload))
        case.state, case.facts, case.clocks = decision.state, decision.facts, decision.clocks
        case.columns = decision.columns
        case.opened_at = case.opened_at or at
        if not row.is_record:
            case.stepped_at = at
        self.cases[ref] = case
        return decision

    def of(self, procedure: Procedure) -> dict[str, Replayed]:
        """The cases of one procedure by reference."""
        return {ref: case for ref, case in self.cases.items() if case.procedure is procedure}

    def _opened(self, command: str) -> Replayed:
        opened = [one for one in self.procedures if one.opening.command == command]
        assert len(opened) == 1, f"{command} opens {len(opened)} procedures"
        return Replayed(opened[0])


def _check_order(case: Replayed, row: Row, at: datetime) -> None:
    assert at.tzinfo is not None, f"{row.command} has a time without its zone"
    earliest = case.opened_at if row.is_record else case.stepped_at
    assert earliest is None or at >= earliest, f"{row.command} lies before {earliest}"
