"""Working days (工作日): the State Council's yearly notice on holidays, as a table.

A notice names the holidays of one year and the weekend days worked in exchange
(调休上班). Years whose notice is known are counted exactly. Outside them Monday to
Friday is a guess, and whatever was counted with it is marked provisional until the
notice is loaded. The day of the act is never counted.
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.metadata import version
from itertools import count
from types import MappingProxyType

import chinese_calendar

_DAY = timedelta(days=1)
_SATURDAY = 5
_FIRST_OFFICIAL_YEAR = 2004


@dataclass(frozen=True, slots=True)
class Due:
    """A last day, and whether it rests on a year whose notice is not yet known."""

    on: date
    provisional: bool


class CalendarError(ValueError):
    """A year's notice contradicts itself: the `field` at fault, the `reason` in Chinese."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}：{reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class WorkYear:
    """The working days of one year, ascending, and the notice they come from."""

    workdays: tuple[date, ...]
    source: str


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Which days are worked. Immutable: loading a notice makes a new calendar."""

    years: Mapping[int, WorkYear]

    def __post_init__(self) -> None:
        """Keep a copy nobody else can change; a calendar knows at least one year."""
        if not self.years:
            msg = "a calendar knows at least one year"
            raise ValueError(msg)
        object.__setattr__(self, "years", MappingProxyType(dict(self.years)))

    @classmethod
    def official(cls) -> "WorkCalendar":
        """Return the years whose notices come with the `chinesecalendar` package."""
        return _official()

    def with_year(
        self,
        year: int,
        holidays: Collection[date],
        makeup_workdays: Collection[date],
        source: str,
    ) -> "WorkCalendar":
        """Return a calendar that also knows `year`, replacing what was known of it.

        Raises `CalendarError` naming `holidays` or `workdays` where a day lies outside
        the year or stands in both, or a makeup workday is not a weekend day.
        """
        check_notice(year, holidays, makeup_workdays)
        closed, worked = frozenset(holidays), frozenset(makeup_workdays)
        workdays = tuple(
            day
            for day in _days_of(year)
            if day in worked or (not _is_weekend(day) and day not in closed)
        )
        return WorkCalendar({**self.years, year: WorkYear(workdays, source)})

    @property
    def known_until(self) -> date:
        """The last day before the first gap in the known years."""
        first = min(self.years)
        year = next(y for y in count(first) if y + 1 not in self.years)
        return date(year, 12, 31)

    def knows(self, after: date, through: date) -> bool:
        """Whether every day after `after`, up to and including `through`, is known."""
        if through <= after:
            return True
        first = (after + _DAY).year
        return all(year in self.years for year in range(first, through.year + 1))

    def is_workday(self, day: date) -> bool:
        """Whether `day` is worked; outside the known years, Monday to Friday is."""
        rank = self._rank(day)
        return rank > 0 and self._workdays(day.year)[rank - 1] == day

    def add_workdays(self, start: date, n: int) -> Due:
        """Return the `n`-th working day after `start`; for 0, `start` itself."""
        if n < 0:
            msg = "working days are counted forward only"
            raise ValueError(msg)
        if n == 0:
            return Due(start, provisional=False)
        year = start.year
        index = self._rank(start) + n - 1
        while index >= len(workdays := self._workdays(year)):
            index -= len(workdays)
            year += 1
        on = workdays[index]
        return Due(on, provisional=not self.knows(start, on))

    def workdays_between(self, after: date, through: date) -> int:
        """Count the working days after `after`, up to and including `through`."""
        if through <= after:
            return 0
        whole_years = range(after.year, through.year)
        turned = sum(len(self._workdays(year)) for year in whole_years)
        return turned + self._rank(through) - self._rank(after)

    def _workdays(self, year: int) -> tuple[date, ...]:
        known = self.years.get(year)
        return known.workdays if known else _weekdays_of(year)

    def _rank(self, day: date) -> int:
        """Count the working days of the day's year up to and including it."""
        return bisect_right(self._workdays(day.year), day)


def check_notice(year: int, holidays: Collection[date], makeup_workdays: Collection[date]) -> None:
    """Raise `CalendarError` where a year's notice contradicts itself.

    A notice can reach back into the December before (2019's moved 2018-12-29 to 31).
    Those days are loaded as a new version of the earlier year.
    """
    for field, days in (("holidays", holidays), ("workdays", makeup_workdays)):
        for day in sorted(days):
            if day.year != year:
                raise CalendarError(
                    field,
                    f"{day} 不在 {year} 年内，请装载 {day.year} 年的新版本",
                )
    for day in sorted(makeup_workdays):
        if day in holidays:
            raise CalendarError("workdays", f"{day} 同时列为放假和上班")
        if not _is_weekend(day):
            raise CalendarError("workdays", f"{day} 不是周末，不能列为调休上班")


@cache
def _official() -> WorkCalendar:
    source = f"国务院办公厅节假日安排（chinesecalendar {version('chinesecalendar')}）"
    years: dict[int, WorkYear] = {}
    for year in count(_FIRST_OFFICIAL_YEAR):
        try:
            workdays = tuple(filter(chinese_calendar.is_workday, _days_of(year)))
        except NotImplementedError:  # the notice of this year is not in the package
            return WorkCalendar(years)
        years[year] = WorkYear(workdays, source)
    raise AssertionError  # count() has no end


@cache
def _weekdays_of(year: int) -> tuple[date, ...]:
    return tuple(day for day in _days_of(year) if not _is_weekend(day))


def _days_of(year: int) -> tuple[date, ...]:
    first = date(year, 1, 1)
    length = (date(year, 12, 31) - first).days + 1
    return tuple(first + timedelta(days=n) for n in range(length))


def _is_weekend(day: date) -> bool:
    return day.weekday() >= _SATURDAY
