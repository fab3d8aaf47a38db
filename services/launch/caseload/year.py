"""The working days of a year (工作日), and picks among them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from shared.clock.calendar import WorkCalendar


class Year:
    """One calendar year of the law, 1 January to 31 December in Asia/Shanghai."""

    def __init__(self, year: int) -> None:
        self.year = year
        self.calendar = WorkCalendar.official()
        first = date(year, 1, 1)
        length = (date(year + 1, 1, 1) - first).days
        days = (first + timedelta(days=n) for n in range(length))
        self.workdays: Sequence[date] = tuple(filter(self.calendar.is_workday, days))

    def __contains__(self, day: object) -> bool:
        """Whether a day lies in the year."""
        return isinstance(day, date) and day.year == self.year

    def day(self, part: float) -> date:
        """The working day at a part of the year: 0 the first, 1 the last."""
        return self.workdays[round(part * (len(self.workdays) - 1))]

    def spread(
        self, count: int, random: Random, begin: float = 0.0, end: float = 1.0
    ) -> list[date]:
        """Pick `count` working days, ascending, one in each equal stretch of a part of the year.

        `begin` and `end` bound the part, 0 the year's start and 1 its end.
        """
        stretch = (end - begin) / max(count, 1)
        return [self.day(begin + stretch * (number + random.random())) for number in range(count)]

    def after(self, day: date, random: Random, least: int, most: int) -> date:
        """A working day `least` to `most` working days after a day; 0 is the day itself.

        It may lie in the next year.
        """
        return self.workday(day, random.randint(least, most))

    def workday(self, day: date, count: int) -> date:
        """The working day `count` working days after a day."""
        return self.calendar.add_workdays(day, count).on

    def before(self, day: date, count: int) -> date:
        """The working day `count` working days before a working day; may lie in an earlier year."""
        while count > 0:
            day -= timedelta(days=1)
            count -= self.calendar.is_workday(day)
        return day
