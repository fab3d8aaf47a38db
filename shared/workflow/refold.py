"""An aggregate's state row made again from its events, to compare it with the one that stands.

The same fold as the desk's, without the guards: what was once allowed is not judged anew. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from shared.clock.law_time import law_day
from shared.identity.caller import Caller
from shared.workflow import clocks as legal_clocks
from shared.workflow.decision import add_fact
from shared.workflow.payload import event_model, fields_of
from shared.workflow.table import Clock, Extend, Situation, Start

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from shared.clock.calendar import WorkCalendar
    from shared.workflow.table import ClockEffect, Facts, Procedure, Row


class UnknownTypeError(ValueError):
    """An event whose type no row of the procedure publishes."""


@dataclass(frozen=True, slots=True)
class Past:
    """An event as the fold needs it; `data` parsed, `at` aware."""

    type: str
    actor: str
    bureau: str
    at: datetime
    data: Mapping[str, Any]


class Refold:
    """Folds the events of one procedure's aggregates."""

    def __init__(self, procedure: Procedure) -> None:
        self._procedure = procedure
        # By name without version: an event of an older version was folded by the same row.
        self._rows = {_name(procedure.type_of(row)): row for row in procedure.rows}

    def __call__(self, events: Iterable[Past], calendar: WorkCalendar) -> dict[str, Any]:
        """The columns that follow from the events, as the desk writes them; at least one event.

        Raises `UnknownTypeError`, and LookupError, TypeError or ValueError where an event's data
        is not what its row gives.
        """
        facts: Facts = {}
        clocks: dict[str, Clock] = {}
        columns: dict[str, Any] = {"party_id": None}
        for event in events:
            row = self._rows.get(_name(event.type))
            if row is None:
                raise UnknownTypeError(event.type)
            if row.clocks:
                situation = self._situation(row, event, facts, clocks, calendar)
                for effect in row.clocks:
                    _move(clocks, effect, situation)
            facts = add_fact(facts, row, event.data, event.actor, event.at)
            if row.opens:
                columns |= {"bureau": event.bureau, "opened_at": event.at}
            if not row.is_record:
                columns["stepped_at"] = event.at
            for field, table in fields_of(row.payload).stored:
                if table == "party" and f"{field}_id" in event.data:
                    columns["party_id"] = event.data[f"{field}_id"]
        summary = self._procedure.summarise(facts)
        return {**columns, **summary, "facts": facts, "clocks": legal_clocks.to_json(clocks)}

    def _situation(
        self,
        row: Row,
        event: Past,
        facts: Facts,
        clocks: Mapping[str, Clock],
        calendar: WorkCalendar,
    ) -> Situation:
        return Situation(
            state=None,
            facts=facts,
            clocks=clocks,
            caller=Caller(event.actor, frozenset(), event.bureau, issuer=""),
            at=event.at,
            day=law_day(event.at),
            calendar=calendar,
            periods=self._procedure.periods,
            payload=_payload(row, event.data) if _asks_payload(row) else None,
        )


def _move(clocks: dict[str, Clock], effect: ClockEffect, situation: Situation) -> None:
    """Move a clock as the row did; an extension was within the calendar known then."""
    clock = clocks.get(effect.clock)
    if not isinstance(effect, Extend):
        legal_clocks.move(clocks, effect, situation)
    elif clock is not None:
        extensions = (*clock.state.extensions, situation.payload.days)
        clocks[effect.clock] = Clock(clock.period, replace(clock.state, extensions=extensions))


def _asks_payload(row: Row) -> bool:
    return any(
        isinstance(effect, Extend)
        or (isinstance(effect, Start) and not isinstance(effect.period, str))
        for effect in row.clocks
    )


def _payload(row: Row, data: Mapping[str, Any]) -> Any:
    return event_model(row.payload, row.derived).model_validate(data)


def _name(type_: str) -> str:
    return type_.rpartition(".v")[0]
