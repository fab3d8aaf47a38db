"""What a service should do with a command, by the pure decision alone: no database, no HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import ValidationError

from shared.clock.calendar import WorkCalendar
from shared.clock.law_time import law_day
from shared.http.problem import InvalidInput, Problem, RefusedByLaw, Stale
from shared.identity.caller import Caller
from shared.issuer.demo import BUREAU, demo_accounts
from shared.workflow import clocks as legal_clocks
from shared.workflow.decision import decide
from shared.workflow.moment import AHEAD
from shared.workflow.payload import fields_of, split
from shared.workflow.table import Claim, Situation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.identity.officers import Certificate
    from shared.workflow.payload import Payload
    from shared.workflow.table import Clock, Facts, Procedure, Row

ROLES = {one.account: one.roles for one in demo_accounts()}
CERTIFICATES = {one.account: one.certificates for one in demo_accounts() if one.certificates}
CALENDAR = WorkCalendar.official()


@dataclass(frozen=True, slots=True)
class Sent:
    """A command as it is sent: by whom, when, with what, and on which version if any is named."""

    row: Row
    account: str
    at: datetime
    data: Mapping[str, Any]
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ends: `slug` is None where it is accepted."""

    slug: str | None = None
    article: str | None = None
    field: str | None = None


ACCEPTED = Outcome()
UNREADABLE = Outcome(InvalidInput.slug)
"""Refused for its form; which field is at fault is pydantic's to say."""


@dataclass
class Model:
    """One aggregate as the service should hold it."""

    procedure: Procedure
    state: str | None = None
    version: int = 0
    facts: Facts = field(default_factory=dict)
    clocks: Mapping[str, Clock] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)
    opened_at: datetime | None = None
    stepped_at: datetime | None = None
    claims: frozenset[Claim] = frozenset()
    last: Mapping[str, Any] = field(default_factory=dict)
    """The data of the last event."""

    def take(self, sent: Sent, now: datetime) -> Outcome:
        """Move as the service should; a refusal changes nothing."""
        raw = orjson.dumps(sent.data)
        try:
            payload = sent.row.payload.model_validate_json(raw, strict=True)
        except ValidationError:
            return UNREADABLE
        try:
            self._move(sent, payload, now)
        except Problem as refusal:
            article = refusal.as_json().get("article")
            return Outcome(refusal.slug, article and article["text"], refusal.field)
        return ACCEPTED

    def _move(self, sent: Sent, payload: Payload, now: datetime) -> None:
        row = sent.row
        if sent.at > now + AHEAD:
            raise InvalidInput(field="occurred_at")
        if not row.opens and sent.expected not in {None, self.version}:
            raise Stale
        earliest = self.opened_at if row.is_record else self.stepped_at
        if not row.opens and earliest is not None and sent.at < earliest:
            raise RefusedByLaw(field="occurred_at", article=row.article)
        situation = self._situation(sent, payload)
        decision = decide(self.procedure, row, situation, split(payload))
        if self.claims & set(decision.claims):
            raise RefusedByLaw(article=row.article)
        self.state, self.facts, self.clocks = decision.state, decision.facts, decision.clocks
        self.columns, self.last = decision.columns, decision.data
        self.version += 1
        self.claims |= set(decision.claims)
        self.opened_at = self.opened_at or sent.at
        if not row.is_record:
            self.stepped_at = sent.at

    def _situation(self, sent: Sent, payload: Payload) -> Situation:
        officers: Mapping[str, Sequence[Certificate]] = {}
        if sent.row.officers is not None:
            officers = {name: CERTIFICATES.get(name, ()) for name in sent.row.officers(payload)}
        return Situation(
            state=self.state,
            facts=self.facts,
            clocks=self.clocks,
            caller=Caller(sent.account, ROLES[sent.account], BUREAU, "https://issuer.example"),
            at=sent.at.astimezone(UTC),
            day=law_day(sent.at),
            calendar=CALENDAR,
            periods=self.procedure.periods,
            payload=payload,
            officers=officers,
        )

    def stored(self) -> dict[str, Any]:
        """What the state row should hold, ids of persons and texts left out."""
        return {
            "state": self.state,
            "version": self.version,
            "facts": without_ids(self.procedure, self.facts),
            "clocks": legal_clocks.to_json(self.clocks),
            "opened_at": self.opened_at,
            "stepped_at": self.stepped_at,
            **self.columns,
        }


def without_ids(procedure: Procedure, facts: Facts) -> Any:
    """Facts as JSON, less the ids given to persons and texts: they are new each time."""
    shown: dict[str, list[Mapping[str, Any]]] = {}
    for command, occurrences in facts.items():
        row = procedure.row(command)
        assert row is not None
        shown[command] = [without_ids_of(row, one) for one in occurrences]
    return orjson.loads(orjson.dumps(shown))


def without_ids_of(row: Row, data: Mapping[str, Any]) -> dict[str, Any]:
    """One event's data less such ids."""
    ids = {"particulars_id", *(f"{name}_id" for name, _ in fields_of(row.payload).stored)}
    return {name: value for name, value in data.items() if name not in ids}
