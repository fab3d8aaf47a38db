"""A running legal clock: what happened to it, and what that means today.

Only facts are kept (`ClockState`). Elapsed, remaining, due and overdue are reckoned
from them each time, so that a notice on holidays or a correction changes every answer.

One convention holds throughout, the law's own: the day of the act is not counted.
A clock counts from the day after `started`. A pause covers the days after `begins` up
to and including `ends`: the day a pause is decided still counts, the day it ends does
not, and a pause begun and ended on one day covers nothing. Pauses that overlap cover a
day once. The due date is the day on which the last unit of the budget falls, paused
days left out, so a pause begun on or after that day has nothing left to keep.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from shared.clock.calendar import Due, WorkCalendar
from shared.clock.period import Period, Roll, Unit, add_months
from shared.law import Article

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pause:
    """Days that do not count: after `begins`, through `ends` (`None`: still paused)."""

    reason: str
    begins: date
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class ClockState:
    """What happened to one clock.

    `extensions` holds the length of each extension granted, in the period's unit, in
    the order of the period's own list.
    """

    started: date
    pauses: tuple[Pause, ...] = ()
    extensions: tuple[int, ...] = ()
    ended: date | None = None

    @property
    def extended(self) -> int:
        """All extensions together, in the period's unit."""
        return sum(self.extensions)

    def to_json(self) -> dict[str, Any]:
        """Return plain values: ISO dates, whole numbers, no floats."""
        return {
            "started": self.started.isoformat(),
            "pauses": [
                {
                    "reason": pause.reason,
                    "begins": pause.begins.isoformat(),
                    "ends": pause.ends and pause.ends.isoformat(),
                }
                for pause in self.pauses
            ],
            "extensions": list(self.extensions),
            "ended": self.ended and self.ended.isoformat(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "ClockState":
        """Read back what `to_json` gave."""
        return cls(
            started=date.fromisoformat(stored["started"]),
            pauses=tuple(
                Pause(
                    pause["reason"],
                    date.fromisoformat(pause["begins"]),
                    _day_or_none(pause["ends"]),
                )
                for pause in stored["pauses"]
            ),
            extensions=tuple(stored["extensions"]),
            ended=_day_or_none(stored["ended"]),
        )


@dataclass(frozen=True, slots=True)
class Reckoning:
    """Where a clock stands at the close of a day.

    `elapsed`, `paused` and `remaining` are working days for a period in working days,
    else calendar days. `due` is rolled where the period rolls; an authority is warned
    of its own periods by `unrolled_due`. While paused, both are as if the clock were
    resumed today. `paused_now` is false on the day a pause ends, though that day does
    not count.
    """

    elapsed: int
    paused: int
    remaining: int
    due: Due
    overdue: bool
    paused_now: bool
    unrolled_due: date


class ClockRefused(Exception):  # noqa: N818 - a refusal by law, not a failure
    """The law does not allow this of the clock: the `reason` in Chinese, and the `article`."""

    def __init__(self, reason: str, article: Article) -> None:
        super().__init__(f"{reason}（依据：{article.citation}）")
        self.reason = reason
        self.article = article


def start(on: date) -> ClockState:
    """Start a clock by an act done `on`, a day that is itself not counted."""
    return ClockState(started=on)


def suspend(state: ClockState, period: Period, reason: str, on: date) -> ClockState:
    """Stop the clock from the day after `on`; the remaining budget is kept.

    Raises `ClockRefused` where the period knows no such ground, the clock is already
    stopped on this ground, or `on` lies outside its run.
    """
    ground = next((g for g in period.pauses if g.reason == reason), None)
    if ground is None:
        why = f"“{reason}”不是{period.title}可以不计入的事由"
        raise ClockRefused(why, period.article)
    _require_running(state, on, ground.article)
    if _open_pause(state, reason) is not None:
        raise ClockRefused(f"已因{ground.title}停止计算，不能重复", ground.article)
    return replace(state, pauses=(*state.pauses, Pause(reason, on)))


def resume(state: ClockState, period: Period, reason: str, on: date) -> ClockState:
    """End the pause on this ground: `on` is the last day that does not count.

    Raises `ClockRefused` where no such pause is open, or `on` lies before it.
    """
    _require_running(state, on, period.article)
    pause = _open_pause(state, reason)
    if pause is None:
        raise ClockRefused(f"没有因“{reason}”停止计算，不能恢复", period.article)
    if on < pause.begins:
        why = f"恢复日 {on} 早于停止计算之日 {pause.begins}"
        raise ClockRefused(why, period.article)
    closed = replace(pause, ends=on)
    return replace(state, pauses=tuple(closed if p is pause else p for p in state.pauses))


def extend(
    state: ClockState, period: Period, calendar: WorkCalendar, length: int, on: date
) -> ClockState:
    """Grant the period's next extension, `length` in its unit, decided `on`.

    Raises `ClockRefused` where the period allows no more of them, `length` exceeds
    what this one allows, or the period had expired before `on`.
    """
    granted = len(state.extensions)
    if granted >= len(period.extensions):
        raise ClockRefused(f"{period.title}不能再延长", period.article)
    extension = period.extensions[granted]
    _require_running(state, on, extension.article)
    if not 1 <= length <= extension.length:
        why = f"本次延长应为 1 至 {extension.length} {period.unit.label}"
        raise ClockRefused(why, extension.article)
    reckoning = reckon(state, period, calendar, on)
    if reckoning.overdue:
        why = f"期限已于 {reckoning.due.on} 届满，延长须在届满前决定"
        raise ClockRefused(why, extension.article)
    return replace(state, extensions=(*state.extensions, length))


def end(state: ClockState, period: Period, on: date) -> ClockState:
    """Stop the clock for good: what it measured was done `on`, in time or late.

    Raises `ClockRefused` where it has ended already, or `on` lies before its start.
    """
    if state.ended is not None:
        raise ClockRefused(f"期限计算已于 {state.ended} 终止", period.article)
    _require_running(state, on, period.article)
    return replace(state, ended=on)


def reckon(state: ClockState, period: Period, calendar: WorkCalendar, today: date) -> Reckoning:
    """Say where the clock stands at the close of `today` (date in Asia/Shanghai).

    A month is not divisible: a period in months is the calendar days up to its
    corresponding day, extensions included, and pauses move it by calendar days.
    """
    ended = state.ended is not None and state.ended <= today
    horizon = max(min(today, state.ended or today), state.started)
    spans = _merged(state, horizon)
    measure = _Measure(period.unit, calendar)

    budget = _budget(state, period)
    paused = sum(measure.between(b, min(e, horizon)) for b, e in spans)
    elapsed = measure.between(state.started, horizon) - paused
    unrolled = measure.last_day(state.started, budget, spans)
    due = _due(state, period, calendar, unrolled, spans)
    return Reckoning(
        elapsed=elapsed,
        paused=paused,
        remaining=max(budget - elapsed, 0),
        due=due,
        overdue=horizon > due.on,
        paused_now=not ended and any(_stands(p, horizon) for p in state.pauses),
        unrolled_due=unrolled,
    )


_Spans = list[tuple[date, date]]  # (after, through], ascending and apart


@dataclass(frozen=True, slots=True)
class _Measure:
    """Days counted in one unit; months have become calendar days before."""

    unit: Unit
    calendar: WorkCalendar

    def between(self, after: date, through: date) -> int:
        if self.unit is Unit.WORKING:
            return self.calendar.workdays_between(after, through)
        return max((through - after).days, 0)

    def last_day(self, started: date, budget: int, spans: _Spans) -> date:
        """Return the day on which the budget is used up, paused days left out."""
        at, left = started, budget
        for begins, ends in spans:
            available = self.between(at, begins)
            if available >= left:
                break
            left -= available
            at = ends
        if self.unit is Unit.WORKING:
            return self.calendar.add_workdays(at, left).on
        return at + timedelta(days=left)


def _budget(state: ClockState, period: Period) -> int:
    length = period.length + state.extended
    if period.unit is Unit.MONTH:
        return (add_months(state.started, length) - state.started).days
    return length


def _merged(state: ClockState, horizon: date) -> _Spans:
    """Return the union of the pauses within the run; an open one reaches `horizon`."""
    spans: _Spans = []
    for pause in sorted(state.pauses, key=lambda pause: pause.begins):
        begins = max(pause.begins, state.started)
        ends = horizon if pause.ends is None else pause.ends
        if ends <= begins:
            continue
        if spans and begins <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], ends))
        else:
            spans.append((begins, ends))
    return spans


def _due(
    state: ClockState,
    period: Period,
    calendar: WorkCalendar,
    unrolled: date,
    spans: _Spans,
) -> Due:
    """Roll the last day where the period rolls, and say what it rests on.

    A pause that begins while the last day is being carried over a holiday keeps it
    open: it moves on to the first working day after the pause.
    """
    on = unrolled
    if period.roll is Roll.FORWARD:
        while not calendar.is_workday(on) or any(b < on <= e for b, e in spans):
            on += _DAY
    if period.unit is Unit.WORKING:
        known = calendar.knows(state.started, on)
    else:
        known = period.roll is Roll.NONE or calendar.knows(unrolled - _DAY, on)
    return Due(on, provisional=not known)


def _stands(pause: Pause, day: date) -> bool:
    return pause.begins <= day and (pause.ends is None or day < pause.ends)


def _open_pause(state: ClockState, reason: str) -> Pause | None:
    return next((p for p in state.pauses if p.reason == reason and p.ends is None), None)


def _require_running(state: ClockState, on: date, article: Article) -> None:
    """Refuse a day outside the clock's run; within it, paper may be entered late."""
    if on < state.started:
        raise ClockRefused(f"{on} 早于起算日 {state.started}", article)
    if state.ended is not None and on > state.ended:
        raise ClockRefused(f"期限计算已于 {state.ended} 终止", article)


def _day_or_none(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
