"""An aggregate's legal clocks, by name, and how a row moves them.

Stored beside the aggregate are only facts (when started, paused, ended); what is left, when it is
due and whether it is overdue is reckoned anew each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.clock import reckoning
from shared.clock.period import UnknownPeriod
from shared.clock.reckoning import ClockRefused, ClockState
from shared.http.problem import RefusedByLaw
from shared.workflow.table import Clock, End, Extend, Resume, Situation, Start, Suspend

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from shared.clock.calendar import WorkCalendar
    from shared.clock.period import Periods
    from shared.workflow.table import ClockEffect


def move(clocks: dict[str, Clock], effect: ClockEffect, situation: Situation) -> None:
    """Let a row start, stop, resume, lengthen or end one clock.

    A clock that never started or has ended is left alone, except that it cannot be lengthened.
    Raises `RefusedByLaw` with the period's article.
    """
    day = situation.day
    if isinstance(effect, Start):
        code = effect.period if isinstance(effect.period, str) else effect.period(situation)
        try:
            situation.periods.at(code, day)
        except UnknownPeriod as unknown:
            raise RefusedByLaw(str(unknown), field="occurred_at") from unknown
        clocks[effect.clock] = Clock(code, reckoning.start(day))
        return
    clock = clocks.get(effect.clock)
    if clock is None or (clock.state.ended is not None and not isinstance(effect, Extend)):
        return
    period = situation.periods.at(clock.period, clock.state.started)
    try:
        match effect:
            case Suspend(reason=reason):
                state = reckoning.suspend(clock.state, period, reason, day)
            case Resume(reason=reason):
                state = reckoning.resume(clock.state, period, reason, day)
            case Extend():
                days = situation.payload.days
                state = reckoning.extend(clock.state, period, situation.calendar, days, day)
            case End():
                state = reckoning.end(clock.state, period, day)
    except ClockRefused as refused:
        raise RefusedByLaw(refused.reason, article=refused.article) from refused
    clocks[effect.clock] = Clock(clock.period, state)


def to_json(clocks: Mapping[str, Clock]) -> dict[str, Any]:
    """Plain values for the clocks column."""
    return {
        name: {"period": clock.period, **clock.state.to_json()} for name, clock in clocks.items()
    }


def from_json(stored: Mapping[str, Any]) -> dict[str, Clock]:
    """Read back what `to_json` gave."""
    return {
        name: Clock(clock["period"], ClockState.from_json(clock)) for name, clock in stored.items()
    }


@dataclass(frozen=True, slots=True)
class Shown:
    """A clock as an answer shows it on a day, in the period's unit."""

    name: str
    title: str
    unit: str
    article: dict[str, Any]
    started: date
    ended: date | None
    elapsed: int
    paused: int
    remaining: int
    due: date
    provisional: bool
    overdue: bool
    paused_now: bool
    needs_check: bool


def show(
    clocks: Mapping[str, Clock], periods: Periods, calendar: WorkCalendar, today: date
) -> list[Shown]:
    """Reckon every clock on a day."""
    shown = []
    for name, clock in clocks.items():
        period = periods.at(clock.period, clock.state.started)
        stand = reckoning.reckon(clock.state, period, calendar, today)
        shown.append(
            Shown(
                name=name,
                title=period.title,
                unit=period.unit.value,
                article=period.article.as_json(),
                started=clock.state.started,
                ended=clock.state.ended,
                elapsed=stand.elapsed,
                paused=stand.paused,
                remaining=stand.remaining,
                due=stand.due.on,
                provisional=stand.due.provisional,
                overdue=stand.overdue,
                paused_now=stand.paused_now,
                needs_check=period.needs_check,
            )
        )
    return shown
