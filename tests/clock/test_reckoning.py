"""Running clocks: penalties, seizures, disclosure replies and limits on production.

Every expected date is counted by hand on the State Council's calendar.
"""

import json
from datetime import date

import pytest

from shared.clock.calendar import Due, WorkCalendar
from shared.clock.period import Period
from shared.clock.reckoning import (
    ClockRefused,
    ClockState,
    Pause,
    end,
    extend,
    reckon,
    resume,
    start,
    suspend,
)
from tests.clock.rows import NINETY_DAYS, PAYMENT, REPLY, SEIZURE, THREE_MONTHS

OFFICIAL = WorkCalendar.official()


def day(text: str) -> date:
    return date.fromisoformat(text)


def due(state: ClockState, period: Period, today: str = "2026-11-23") -> Due:
    return reckon(state, period, OFFICIAL, day(today)).due


def paused(state: ClockState, period: Period, reason: str, begins: str, ends: str) -> ClockState:
    return resume(suspend(state, period, reason, day(begins)), period, reason, day(ends))


@pytest.mark.parametrize(
    "period,started,unrolled,last",
    [
        (NINETY_DAYS, "2024-07-03", "2024-10-01", "2024-10-08"),
        (PAYMENT, "2026-09-18", "2026-10-03", "2026-10-08"),
        (SEIZURE, "2024-09-07", "2024-10-07", "2024-10-07"),
        # the last day is worked: nothing rolls
        (NINETY_DAYS, "2024-03-01", "2024-05-30", "2024-05-30"),
        # a Sunday rolls to Monday, but a Sunday worked in exchange stays
        (PAYMENT, "2025-03-01", "2025-03-16", "2025-03-17"),
        (PAYMENT, "2025-09-13", "2025-09-28", "2025-09-28"),
        # over 春节 2026, into which the fifteen days end
        (PAYMENT, "2026-02-01", "2026-02-16", "2026-02-24"),
        (REPLY, "2025-01-20", "2025-02-21", "2025-02-21"),
        (THREE_MONTHS, "2024-11-30", "2025-02-28", "2025-02-28"),
    ],
)
def test_a_last_day_off_work_moves_on_only_where_the_rule_says_so(
    period: Period, started: str, unrolled: str, last: str
) -> None:
    reckoning = reckon(start(day(started)), period, OFFICIAL, day(started))
    assert reckoning.unrolled_due == day(unrolled)
    assert reckoning.due == Due(day(last), provisional=False)


def test_a_clock_starts_on_the_day_after_the_act() -> None:
    state = start(day("2024-03-01"))
    first = reckon(state, NINETY_DAYS, OFFICIAL, day("2024-03-01"))
    second = reckon(state, NINETY_DAYS, OFFICIAL, day("2024-03-02"))
    assert (first.elapsed, first.remaining) == (0, 90)
    assert (second.elapsed, second.remaining) == (1, 89)


def test_a_clock_is_overdue_from_the_day_after_its_rolled_last_day() -> None:
    state = start(day("2024-07-03"))
    last = reckon(state, NINETY_DAYS, OFFICIAL, day("2024-10-08"))
    after = reckon(state, NINETY_DAYS, OFFICIAL, day("2024-10-09"))
    assert (last.overdue, last.remaining) == (False, 0)
    assert (after.overdue, after.remaining) == (True, 0)


def test_a_hearing_pauses_the_ninety_days() -> None:
    state = paused(start(day("2024-03-01")), NINETY_DAYS, "HEARING", "2024-04-10", "2024-04-25")
    reckoning = reckon(state, NINETY_DAYS, OFFICIAL, day("2024-05-01"))
    assert (reckoning.elapsed, reckoning.paused, reckoning.remaining) == (46, 15, 44)
    assert reckoning.due.on == day("2024-06-14")


def test_pauses_that_overlap_count_each_day_once() -> None:
    state = paused(start(day("2024-03-01")), NINETY_DAYS, "HEARING", "2024-04-10", "2024-04-25")
    state = paused(state, NINETY_DAYS, "MONITOR", "2024-04-20", "2024-04-30")
    assert due(state, NINETY_DAYS).on == day("2024-06-19")
    state = paused(state, NINETY_DAYS, "MONITOR", "2024-04-12", "2024-04-14")
    assert due(state, NINETY_DAYS).on == day("2024-06-19")


def test_while_paused_the_last_day_moves_as_if_resumed_today() -> None:
    state = suspend(start(day("2024-03-01")), NINETY_DAYS, "MONITOR", day("2024-04-10"))
    at_first = reckon(state, NINETY_DAYS, OFFICIAL, day("2024-04-10"))
    later = reckon(state, NINETY_DAYS, OFFICIAL, day("2024-04-30"))
    assert (at_first.due.on, at_first.elapsed, at_first.paused) == (day("2024-05-30"), 40, 0)
    assert (later.due.on, later.elapsed, later.paused) == (day("2024-06-19"), 40, 20)
    assert at_first.paused_now
    assert later.paused_now
    resumed = resume(state, NINETY_DAYS, "MONITOR", day("2024-04-30"))
    on_the_day = reckon(resumed, NINETY_DAYS, OFFICIAL, day("2024-04-30"))
    assert (on_the_day.due, on_the_day.paused_now) == (later.due, False)


def test_a_pause_of_a_period_in_working_days_keeps_working_days() -> None:
    state = paused(start(day("2025-01-20")), REPLY, "THIRD_PARTY", "2025-01-23", "2025-02-06")
    reckoning = reckon(state, REPLY, OFFICIAL, day("2025-02-08"))
    # off: 01-24, 26, 27, 02-05 and 06; counted: 01-21 to 23, 02-07 and 08
    assert (reckoning.elapsed, reckoning.paused, reckoning.remaining) == (5, 5, 15)
    assert reckoning.due.on == day("2025-02-28")


def test_a_pause_begun_and_ended_on_one_day_covers_nothing() -> None:
    state = paused(start(day("2024-03-01")), NINETY_DAYS, "HEARING", "2024-04-10", "2024-04-10")
    assert due(state, NINETY_DAYS).on == day("2024-05-30")


def test_a_pause_after_the_last_day_does_not_revive_the_period() -> None:
    state = paused(start(day("2024-03-01")), NINETY_DAYS, "HEARING", "2024-05-30", "2024-06-20")
    reckoning = reckon(state, NINETY_DAYS, OFFICIAL, day("2024-06-21"))
    assert reckoning.due.on == day("2024-05-30")
    assert reckoning.overdue


def test_a_pause_begun_while_the_last_day_rolls_over_a_holiday_keeps_it_open() -> None:
    state = suspend(start(day("2024-07-03")), NINETY_DAYS, "HEARING", day("2024-10-05"))
    assert not reckon(state, NINETY_DAYS, OFFICIAL, day("2024-10-15")).overdue
    state = resume(state, NINETY_DAYS, "HEARING", day("2024-10-20"))
    assert due(state, NINETY_DAYS).on == day("2024-10-21")


def test_a_pause_moves_a_period_in_months_by_calendar_days() -> None:
    state = paused(start(day("2025-03-01")), THREE_MONTHS, "COURT", "2025-03-10", "2025-03-20")
    reckoning = reckon(state, THREE_MONTHS, OFFICIAL, day("2025-03-31"))
    assert (reckoning.elapsed, reckoning.paused, reckoning.remaining) == (20, 10, 72)
    assert reckoning.due.on == day("2025-06-11")


@pytest.mark.parametrize(
    "period,started,length,decided,last",
    [
        (NINETY_DAYS, "2024-03-01", 30, "2024-05-30", "2024-07-01"),  # 06-29 is a Saturday
        (SEIZURE, "2024-09-07", 30, "2024-10-07", "2024-11-06"),
        (SEIZURE, "2024-09-07", 12, "2024-09-30", "2024-10-19"),
        (REPLY, "2025-01-20", 20, "2025-02-21", "2025-03-21"),
        (THREE_MONTHS, "2024-11-30", 3, "2025-02-01", "2025-05-30"),
    ],
)
def test_an_extension_lengthens_the_period(
    period: Period, started: str, length: int, decided: str, last: str
) -> None:
    state = extend(start(day(started)), period, OFFICIAL, length, day(decided))
    assert state.extended == length
    assert due(state, period).on == day(last)


def test_ninety_days_are_extended_twice_and_no_more() -> None:
    decided = day("2024-05-20")
    once = extend(start(day("2024-03-01")), NINETY_DAYS, OFFICIAL, 30, decided)
    twice = extend(once, NINETY_DAYS, OFFICIAL, 30, decided)
    assert due(twice, NINETY_DAYS).on == day("2024-07-29")
    with pytest.raises(ClockRefused, match="不能再延长") as refused:
        extend(twice, NINETY_DAYS, OFFICIAL, 1, decided)
    assert refused.value.article is NINETY_DAYS.article


@pytest.mark.parametrize("length", [0, -5, 31])
def test_an_extension_stays_within_what_its_article_allows(length: int) -> None:
    with pytest.raises(ClockRefused, match="本次延长应为 1 至 30 日") as refused:
        extend(start(day("2024-09-07")), SEIZURE, OFFICIAL, length, day("2024-09-30"))
    assert refused.value.article.text == "行政强制法25"


def test_a_period_without_extensions_is_never_extended() -> None:
    with pytest.raises(ClockRefused, match="缴纳罚款的期限不能再延长"):
        extend(start(day("2026-09-18")), PAYMENT, OFFICIAL, 1, day("2026-09-19"))


def test_an_extension_is_decided_before_the_period_expires() -> None:
    state = start(day("2024-07-03"))
    assert extend(state, NINETY_DAYS, OFFICIAL, 30, day("2024-10-08")).extended == 30
    with pytest.raises(ClockRefused, match="期限已于 2024-10-08 届满"):
        extend(state, NINETY_DAYS, OFFICIAL, 30, day("2024-10-09"))
    with pytest.raises(ClockRefused, match="早于起算日"):
        extend(state, NINETY_DAYS, OFFICIAL, 30, day("2024-07-02"))


def test_a_clock_that_ended_in_time_never_becomes_overdue() -> None:
    state = end(start(day("2024-07-03")), NINETY_DAYS, day("2024-10-08"))
    reckoning = reckon(state, NINETY_DAYS, OFFICIAL, day("2026-11-23"))
    assert (reckoning.overdue, reckoning.elapsed) == (False, 97)
    late = end(start(day("2024-07-03")), NINETY_DAYS, day("2024-10-09"))
    assert reckon(late, NINETY_DAYS, OFFICIAL, day("2026-11-23")).overdue


def test_before_its_end_a_clock_is_reckoned_as_running() -> None:
    state = end(start(day("2024-07-03")), NINETY_DAYS, day("2024-10-09"))
    assert reckon(state, NINETY_DAYS, OFFICIAL, day("2024-08-02")).elapsed == 30
    assert not reckon(state, NINETY_DAYS, OFFICIAL, day("2024-08-02")).overdue


def test_a_clock_ended_while_paused_is_no_longer_paused() -> None:
    state = suspend(start(day("2024-03-01")), NINETY_DAYS, "HEARING", day("2024-04-10"))
    state = end(state, NINETY_DAYS, day("2024-04-20"))
    reckoning = reckon(state, NINETY_DAYS, OFFICIAL, day("2026-11-23"))
    assert (reckoning.elapsed, reckoning.paused, reckoning.paused_now) == (40, 10, False)
    assert reckoning.due.on == day("2024-06-11")  # 06-09 is a Sunday, 06-10 is 端午


def test_papers_of_an_ended_clock_may_be_entered_late() -> None:
    state = end(start(day("2024-03-01")), NINETY_DAYS, day("2024-06-05"))
    assert reckon(state, NINETY_DAYS, OFFICIAL, day("2024-07-01")).overdue
    state = paused(state, NINETY_DAYS, "MONITOR", "2024-04-10", "2024-04-25")
    assert not reckon(state, NINETY_DAYS, OFFICIAL, day("2024-07-01")).overdue


def test_only_the_grounds_of_its_row_stop_a_clock() -> None:
    state = start(day("2024-09-07"))
    with pytest.raises(ClockRefused, match="“HEARING”不是查封期限可以不计入的事由"):
        suspend(state, SEIZURE, "HEARING", day("2024-09-10"))
    with pytest.raises(ClockRefused) as refused:
        suspend(start(day("2026-09-18")), PAYMENT, "HEARING", day("2026-09-19"))
    assert refused.value.article is PAYMENT.article


def test_a_clock_stops_once_on_each_ground() -> None:
    state = suspend(start(day("2024-03-01")), NINETY_DAYS, "HEARING", day("2024-04-10"))
    with pytest.raises(ClockRefused, match="已因听证停止计算") as refused:
        suspend(state, NINETY_DAYS, "HEARING", day("2024-04-12"))
    assert str(refused.value).endswith("（依据：生态环境部令30号57（须法制科核对））")
    both = suspend(state, NINETY_DAYS, "MONITOR", day("2024-04-12"))
    one = resume(both, NINETY_DAYS, "HEARING", day("2024-04-20"))
    assert reckon(one, NINETY_DAYS, OFFICIAL, day("2024-04-30")).paused == 20


def test_only_an_open_pause_is_resumed_and_not_before_it_began() -> None:
    state = start(day("2024-03-01"))
    with pytest.raises(ClockRefused, match="没有因“HEARING”停止计算"):
        resume(state, NINETY_DAYS, "HEARING", day("2024-04-10"))
    state = suspend(state, NINETY_DAYS, "HEARING", day("2024-04-10"))
    with pytest.raises(ClockRefused, match="早于停止计算之日"):
        resume(state, NINETY_DAYS, "HEARING", day("2024-04-09"))


def test_nothing_happens_to_a_clock_outside_its_run() -> None:
    state = start(day("2024-03-01"))
    with pytest.raises(ClockRefused, match="早于起算日 2024-03-01"):
        suspend(state, NINETY_DAYS, "HEARING", day("2024-02-29"))
    with pytest.raises(ClockRefused, match="早于起算日 2024-03-01"):
        end(state, NINETY_DAYS, day("2024-02-29"))
    ended = end(state, NINETY_DAYS, day("2024-04-01"))
    with pytest.raises(ClockRefused, match="期限计算已于 2024-04-01 终止"):
        suspend(ended, NINETY_DAYS, "HEARING", day("2024-04-02"))
    with pytest.raises(ClockRefused, match="期限计算已于 2024-04-01 终止"):
        end(ended, NINETY_DAYS, day("2024-03-20"))


@pytest.mark.parametrize(
    "period,started,last,provisional",
    [
        (REPLY, "2026-12-21", "2027-01-18", True),
        (REPLY, "2026-12-03", "2026-12-31", False),
        (NINETY_DAYS, "2026-10-10", "2027-01-08", True),
        (NINETY_DAYS, "2026-10-02", "2026-12-31", False),
        (NINETY_DAYS, "2003-12-20", "2004-03-19", False),  # only the last day matters
        (SEIZURE, "2026-12-10", "2027-01-09", False),  # no roll, so no holiday matters
        (THREE_MONTHS, "2026-12-10", "2027-03-10", False),
    ],
)
def test_outside_the_known_years_a_last_day_is_provisional_where_holidays_matter(
    period: Period,
    started: str,
    last: str,
    provisional: bool,  # noqa: FBT001
) -> None:
    assert due(start(day(started)), period) == Due(day(last), provisional=provisional)


def test_the_next_years_notice_moves_a_provisional_last_day() -> None:
    off = [day("2027-01-01"), day("2027-01-02"), day("2027-01-03"), day("2027-01-08")]
    calendar = OFFICIAL.with_year(2027, off, [day("2027-01-09")], "示例")
    reply = reckon(start(day("2026-12-21")), REPLY, calendar, day("2026-12-22"))
    decision = reckon(start(day("2026-10-10")), NINETY_DAYS, calendar, day("2026-12-22"))
    assert reply.due == Due(day("2027-01-19"), provisional=False)
    assert decision.due == Due(day("2027-01-09"), provisional=False)


def test_a_clock_is_kept_as_plain_json() -> None:
    state = ClockState(
        started=day("2024-03-01"),
        pauses=(
            Pause("HEARING", day("2024-04-10"), day("2024-04-25")),
            Pause("MONITOR", day("2024-05-06")),
        ),
        extensions=(30,),
    )
    stored = json.loads(json.dumps(state.to_json()))
    assert stored == {
        "started": "2024-03-01",
        "pauses": [
            {"reason": "HEARING", "begins": "2024-04-10", "ends": "2024-04-25"},
            {"reason": "MONITOR", "begins": "2024-05-06", "ends": None},
        ],
        "extensions": [30],
        "ended": None,
    }
    assert ClockState.from_json(stored) == state
    ended = end(state, NINETY_DAYS, day("2024-06-01"))
    assert ClockState.from_json(ended.to_json()) == ended
