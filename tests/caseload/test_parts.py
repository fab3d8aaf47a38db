"""What every part of a synthetic year stands on: its days, its people, its courses of commands."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.launch.caseload.line import Course
from services.launch.caseload.people import People
from services.launch.caseload.year import Year
from shared.workflow.payload import Person

SEED = 20240101


def chance() -> Random:
    return Random(SEED)  # noqa: S311 - no secret


@pytest.mark.parametrize("year, workdays", [(2024, 251), (2025, 248), (2026, 248)])
def test_a_year_has_the_working_days_of_the_state_councils_notice(year: int, workdays: int) -> None:
    assert len(Year(year).workdays) == workdays


def test_a_days_neighbours_are_counted_in_working_days() -> None:
    year = Year(2024)
    assert year.workday(date(2024, 9, 27), 5) == date(2024, 10, 10)
    assert year.before(date(2024, 10, 10), 5) == date(2024, 9, 27)
    assert year.before(date(2024, 1, 2), 1) == date(2023, 12, 29)
    assert (year.day(0), year.day(1)) == (date(2024, 1, 2), date(2024, 12, 31))


@given(count=st.integers(0, 400), seed=st.integers(0, 100), end=st.floats(0.1, 1))
def test_a_spread_lies_ascending_on_working_days_of_its_part_of_the_year(
    count: int, seed: int, end: float
) -> None:
    year = Year(2024)
    days = year.spread(count, Random(seed), end=end)  # noqa: S311 - no secret
    assert len(days) == count
    assert days == sorted(days)
    assert set(days) <= set(year.workdays)
    assert all(day <= year.day(end) for day in days)


@given(least=st.integers(0, 10), more=st.integers(0, 10), seed=st.integers(0, 100))
def test_a_later_day_lies_within_its_working_days(least: int, more: int, seed: int) -> None:
    year = Year(2024)
    start = date(2024, 9, 29)
    later = year.after(start, Random(seed), least, least + more)  # noqa: S311 - no secret
    assert least <= year.calendar.workdays_between(start, later) <= least + more


def test_parties_have_valid_numbers_each_its_own_and_the_same_in_every_run() -> None:
    def made() -> list[Person]:
        people = People()
        organisations = [people.organisation() for _ in range(500)]
        individuals = [people.individual(id_number=True) for _ in range(500)]
        return [Person.model_validate(one) for one in (*organisations, *individuals)]

    parties = made()
    assert parties == made()
    numbers = [one.code or one.id_number for one in parties]
    assert None not in numbers
    assert len(set(numbers)) == 1_000
    assert all(one.phone.startswith("1990000") for one in parties if one.phone)


def test_commands_of_one_course_follow_each_other_in_office_hours() -> None:
    course = Course("cases", "penalty-0001", chance())
    day = date(2024, 3, 1)
    for number in range(8):
        course.take("inspect", "officer1", day, number=number)
    course.take("close", "leader1", day + timedelta(days=3))
    times = [line.at for line in course]
    assert times == sorted(set(times))
    assert all(9 <= at.hour < 18 for at in times)
    assert {at.isoformat()[-6:] for at in times} == {"+08:00"}
    with pytest.raises(ValueError, match="before its last command"):
        course.take("revoke-closed", "leader1", day)


def test_a_line_is_written_as_the_import_reads_it() -> None:
    course = Course("cases", "penalty-0001", chance())
    course.take("examine", "officer1", date(2024, 3, 1), opinion="建议立案")
    (line,) = course
    written = line.as_json()
    assert list(written) == ["service", "ref", "command", "actor", "at", "data"]
    assert written["at"].startswith("2024-03-01T")
    assert written["data"] == {"opinion": "建议立案"}
