"""What holds of every clock, whatever its period, pauses and extensions."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.clock.calendar import WorkCalendar
from shared.clock.period import Period, Roll, Unit, add_months
from shared.clock.reckoning import ClockRefused, ClockState, Pause, extend, reckon
from tests.clock.rows import NINETY_DAYS, REPLY, SEIZURE, THREE_MONTHS

OFFICIAL = WorkCalendar.official()
DAY = timedelta(days=1)
DAYS = st.dates(date(2023, 12, 1), date(2027, 3, 31))
PERIODS = st.builds(
    replace,
    st.sampled_from([NINETY_DAYS, SEIZURE, REPLY, THREE_MONTHS]),
    length=st.integers(1, 12),
    roll=st.sampled_from(Roll),
)


@st.composite
def pauses(draw: st.DrawFn, near: date) -> Pause:
    begins = near + timedelta(days=draw(st.integers(-5, 60)))
    length = draw(st.none() | st.integers(0, 40))
    ends = None if length is None else begins + timedelta(days=length)
    return Pause("HEARING", begins, ends)


@st.composite
def clocks(draw: st.DrawFn) -> tuple[ClockState, date]:
    started = draw(DAYS)
    state = ClockState(
        started=started,
        pauses=tuple(draw(st.lists(pauses(near=started), max_size=4))),
        extensions=tuple(draw(st.lists(st.integers(1, 10), max_size=2))),
        ended=draw(st.none() | st.integers(0, 120).map(lambda n: started + timedelta(days=n))),
    )
    return state, started + timedelta(days=draw(st.integers(0, 120)))


def horizon_of(state: ClockState, today: date) -> date:
    return today if state.ended is None else min(today, state.ended)


def budget_of(state: ClockState, period: Period) -> int:
    length = period.length + state.extended
    if period.unit is Unit.MONTH:
        return (add_months(state.started, length) - state.started).days
    return length


def is_paused(state: ClockState, day: date, horizon: date) -> bool:
    return any(p.begins < day <= (p.ends or horizon) for p in state.pauses)


@given(clocks(), PERIODS)
def test_reckoning_agrees_with_a_hand_that_ticks_off_each_day(
    clock: tuple[ClockState, date], period: Period
) -> None:
    state, today = clock
    horizon = horizon_of(state, today)
    reckoning = reckon(state, period, OFFICIAL, today)
    elapsed = paused = counted = 0
    last = state.started
    while counted < budget_of(state, period) or last < horizon:
        last += DAY
        if period.unit is Unit.WORKING and not OFFICIAL.is_workday(last):
            continue
        off = is_paused(state, last, horizon)
        counted += not off
        elapsed += not off and last <= horizon
        paused += off and last <= horizon
        if counted == budget_of(state, period) and not off:
            assert reckoning.unrolled_due == last
    assert (reckoning.elapsed, reckoning.paused) == (elapsed, paused)
    assert reckoning.remaining == max(budget_of(state, period) - elapsed, 0)
    assert reckoning.overdue == (horizon > reckoning.due.on)


@given(clocks(), PERIODS, st.data())
def test_a_suspension_never_shortens_the_time_left(
    clock: tuple[ClockState, date], period: Period, data: st.DataObject
) -> None:
    state, today = clock
    extra = data.draw(pauses(near=state.started))
    without = reckon(state, period, OFFICIAL, today)
    suspended = reckon(replace(state, pauses=(*state.pauses, extra)), period, OFFICIAL, today)
    assert suspended.remaining >= without.remaining
    assert suspended.unrolled_due >= without.unrolled_due
    assert suspended.due.on >= without.due.on
    assert suspended.overdue <= without.overdue


@given(clocks(), PERIODS)
def test_the_order_in_which_pauses_are_entered_does_not_matter(
    clock: tuple[ClockState, date], period: Period
) -> None:
    state, today = clock
    backward = replace(state, pauses=state.pauses[::-1])
    assert reckon(backward, period, OFFICIAL, today) == reckon(state, period, OFFICIAL, today)


@given(clocks(), PERIODS)
def test_rolling_forward_is_never_earlier_and_ends_on_a_working_day(
    clock: tuple[ClockState, date], period: Period
) -> None:
    state, today = clock
    rolled = reckon(state, replace(period, roll=Roll.FORWARD), OFFICIAL, today)
    fixed = reckon(state, replace(period, roll=Roll.NONE), OFFICIAL, today)
    assert fixed.due.on == fixed.unrolled_due == rolled.unrolled_due
    assert rolled.due.on >= fixed.due.on
    assert OFFICIAL.is_workday(rolled.due.on)


@given(clocks(), PERIODS, st.lists(st.tuples(st.integers(-1, 40), st.integers(0, 90)), max_size=5))
def test_extensions_stay_bounded_and_only_ever_give_time(
    clock: tuple[ClockState, date], period: Period, attempts: list[tuple[int, int]]
) -> None:
    state = replace(clock[0], extensions=(), ended=None)
    for length, after in attempts:
        on = state.started + timedelta(days=after)
        before = reckon(state, period, OFFICIAL, on)
        try:
            state = extend(state, period, OFFICIAL, length, on)
        except ClockRefused:
            continue
        assert not before.overdue
        assert reckon(state, period, OFFICIAL, on).due.on >= before.due.on
    assert state.extended <= sum(extension.length for extension in period.extensions)
    assert len(state.extensions) <= len(period.extensions)


@given(clocks(), PERIODS)
def test_an_overdue_clock_stays_overdue_as_days_pass(
    clock: tuple[ClockState, date], period: Period
) -> None:
    state, today = clock
    if reckon(state, period, OFFICIAL, today).overdue:
        assert reckon(state, period, OFFICIAL, today + DAY).overdue


@given(clocks())
def test_a_clock_comes_back_from_json_as_it_was(clock: tuple[ClockState, date]) -> None:
    state, _ = clock
    assert ClockState.from_json(state.to_json()) == state
