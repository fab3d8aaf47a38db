"""Working days around 春节 and 国庆, counted by hand from the State Council's notices."""

from datetime import date, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock.calendar import CalendarError, Due, WorkCalendar

OFFICIAL = WorkCalendar.official()
DAYS = st.dates(date(2023, 6, 1), date(2028, 12, 31))
SOURCE_2027 = "国办发明电〔2026〕示例号"


def with_2027() -> WorkCalendar:
    holidays = [date(2027, 1, 1), date(2027, 1, 2), date(2027, 1, 3)]
    return OFFICIAL.with_year(2027, holidays, [date(2027, 1, 30)], SOURCE_2027)


@pytest.mark.parametrize(
    "start,n,due",
    [
        # the vectors of the rules book
        ("2024-09-27", 5, "2024-10-10"),
        ("2025-09-26", 5, "2025-10-10"),
        ("2024-01-31", 7, "2024-02-08"),
        ("2026-02-11", 7, "2026-02-27"),
        # 春节 2024: off 02-10 to 17, worked 02-04 and 02-18; New Year's Eve is worked
        ("2024-02-01", 3, "2024-02-05"),
        ("2024-02-02", 1, "2024-02-04"),
        ("2024-02-04", 5, "2024-02-09"),
        ("2024-02-07", 7, "2024-02-22"),
        ("2024-02-08", 3, "2024-02-19"),
        ("2024-02-09", 1, "2024-02-18"),
        ("2024-02-12", 2, "2024-02-19"),
        # 中秋 and 国庆 2024: off 09-15 to 17 and 10-01 to 07, worked 09-14, 09-29, 10-12
        ("2024-09-13", 1, "2024-09-14"),
        ("2024-09-13", 2, "2024-09-18"),
        ("2024-09-27", 1, "2024-09-29"),
        ("2024-09-27", 3, "2024-10-08"),
        ("2024-09-30", 5, "2024-10-12"),
        ("2024-09-30", 6, "2024-10-14"),
        ("2024-10-07", 5, "2024-10-12"),
        ("2024-10-11", 3, "2024-10-15"),
        # 春节 2025: off 01-28 to 02-04, worked 01-26 and 02-08
        ("2025-01-20", 10, "2025-02-08"),
        ("2025-01-24", 2, "2025-01-27"),
        ("2025-01-24", 3, "2025-02-05"),
        ("2025-01-27", 5, "2025-02-10"),
        ("2025-02-07", 2, "2025-02-10"),
        # 国庆 2025: off 10-01 to 08, worked 09-28 and 10-11
        ("2025-09-26", 6, "2025-10-11"),
        ("2025-09-26", 7, "2025-10-13"),
        ("2025-09-30", 1, "2025-10-09"),
        ("2025-09-30", 4, "2025-10-13"),
        ("2025-10-03", 7, "2025-10-16"),
        # 元旦 and 春节 2026: off 01-01 to 03 and 02-15 to 23, worked 01-04, 02-14, 02-28
        ("2025-12-31", 1, "2026-01-04"),
        ("2025-12-31", 2, "2026-01-05"),
        ("2026-02-13", 1, "2026-02-14"),
        ("2026-02-13", 2, "2026-02-24"),
        ("2026-02-14", 5, "2026-02-28"),
        ("2026-02-18", 3, "2026-02-26"),
        ("2026-02-27", 2, "2026-03-02"),
        # 中秋 and 国庆 2026: off 09-25 to 27 and 10-01 to 07, worked 09-20 and 10-10
        ("2026-09-18", 1, "2026-09-20"),
        ("2026-09-18", 6, "2026-09-28"),
        ("2026-09-24", 4, "2026-10-08"),
        ("2026-09-30", 3, "2026-10-10"),
        ("2026-09-30", 4, "2026-10-12"),
    ],
)
def test_working_days_are_counted_over_holidays_and_worked_weekends(
    start: str, n: int, due: str
) -> None:
    first, last = date.fromisoformat(start), date.fromisoformat(due)
    assert OFFICIAL.add_workdays(first, n) == Due(last, provisional=False)
    assert OFFICIAL.workdays_between(first, last) == n


@pytest.mark.parametrize("year,workdays", [(2024, 251), (2025, 248), (2026, 248)])
def test_a_year_has_the_working_days_of_its_notice(year: int, workdays: int) -> None:
    counted = OFFICIAL.workdays_between(date(year - 1, 12, 31), date(year, 12, 31))
    assert counted == workdays


def test_every_known_day_agrees_with_the_published_table() -> None:
    day, last = date(2004, 1, 1), date(2026, 12, 31)
    while day <= last:
        assert OFFICIAL.is_workday(day) == chinese_calendar.is_workday(day)
        day += timedelta(days=1)
    assert OFFICIAL.known_until == last


def test_past_the_last_notice_a_due_date_is_provisional() -> None:
    assert OFFICIAL.add_workdays(date(2026, 12, 30), 1) == Due(
        date(2026, 12, 31), provisional=False
    )
    assert OFFICIAL.add_workdays(date(2026, 12, 30), 2) == Due(date(2027, 1, 1), provisional=True)
    assert OFFICIAL.add_workdays(date(2026, 12, 30), 3) == Due(date(2027, 1, 4), provisional=True)


def test_the_next_notice_settles_a_provisional_date() -> None:
    calendar = with_2027()
    assert calendar.known_until == date(2027, 12, 31)
    assert calendar.add_workdays(date(2026, 12, 30), 2) == Due(date(2027, 1, 4), provisional=False)
    assert calendar.add_workdays(date(2027, 1, 29), 1) == Due(date(2027, 1, 30), provisional=False)
    assert calendar.years[2027].source == SOURCE_2027


def test_loading_a_notice_leaves_the_old_calendar_as_it_was() -> None:
    with_2027()
    assert OFFICIAL.known_until == date(2026, 12, 31)
    assert OFFICIAL.is_workday(date(2027, 1, 1))


def test_a_correcting_notice_replaces_its_year() -> None:
    corrected = with_2027().with_year(2027, [date(2027, 1, 1)], [], "更正")
    assert not corrected.is_workday(date(2027, 1, 30))
    assert corrected.years[2027].source == "更正"


def test_a_year_missing_between_two_known_ones_stays_provisional() -> None:
    calendar = OFFICIAL.with_year(2028, [date(2028, 1, 1)], [], "示例")
    assert calendar.known_until == date(2026, 12, 31)
    assert calendar.add_workdays(date(2027, 12, 31), 1).provisional is False
    assert calendar.knows(date(2027, 5, 1), date(2027, 5, 1))  # no day at all
    assert calendar.add_workdays(date(2027, 12, 30), 1).provisional is True
    assert calendar.add_workdays(date(2026, 12, 31), 262).provisional is True


def test_no_working_days_later_is_the_day_itself() -> None:
    saturday = date(2027, 1, 9)
    assert OFFICIAL.add_workdays(saturday, 0) == Due(saturday, provisional=False)


def test_working_days_are_not_counted_backward() -> None:
    with pytest.raises(ValueError, match="forward"):
        OFFICIAL.add_workdays(date(2026, 1, 5), -1)
    assert OFFICIAL.workdays_between(date(2026, 1, 9), date(2026, 1, 5)) == 0


def test_a_calendar_without_years_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one year"):
        WorkCalendar({})


@pytest.mark.parametrize(
    "holidays,makeup,field",
    [
        ([date(2026, 12, 31)], [], "holidays"),
        ([date(2027, 1, 1)], [date(2028, 1, 2)], "workdays"),
        ([date(2027, 1, 2)], [date(2027, 1, 2)], "workdays"),
        ([date(2027, 1, 1)], [date(2027, 1, 5)], "workdays"),
    ],
)
def test_a_notice_that_contradicts_itself_is_refused(
    holidays: list[date], makeup: list[date], field: str
) -> None:
    with pytest.raises(CalendarError) as refused:
        OFFICIAL.with_year(2027, holidays, makeup, "示例")
    assert refused.value.field == field


@given(DAYS, st.integers(1, 600))
def test_counting_back_the_added_working_days_gives_their_number(start: date, n: int) -> None:
    due = OFFICIAL.add_workdays(start, n).on
    assert OFFICIAL.is_workday(due)
    assert OFFICIAL.workdays_between(start, due) == n


@given(DAYS, st.integers(0, 600))
def test_counting_agrees_with_walking_day_by_day(start: date, days: int) -> None:
    walked = (start + timedelta(days=n) for n in range(1, days + 1))
    through = start + timedelta(days=days)
    assert OFFICIAL.workdays_between(start, through) == sum(map(OFFICIAL.is_workday, walked))


@given(DAYS, st.integers(0, 300), st.integers(1, 300))
def test_more_working_days_end_later(start: date, n: int, more: int) -> None:
    assert OFFICIAL.add_workdays(start, n).on < OFFICIAL.add_workdays(start, n + more).on


@given(DAYS, st.integers(1, 300))
def test_a_date_is_provisional_exactly_when_it_leaves_the_known_years(start: date, n: int) -> None:
    due = OFFICIAL.add_workdays(start, n)
    assert due.provisional == (due.on > OFFICIAL.known_until)
