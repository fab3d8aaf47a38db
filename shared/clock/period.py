"""Legal periods (期限) as rows: how long, in which days, and by which article.

Whether a last day that is no working day moves on is a property of each row, since
the laws differ: the seizure of 行政强制法25 does not move and the ninety days of
行政处罚法60 do. What stops a clock and what prolongs it are part of the row too, each
with its own article. Nothing stops or prolongs a period whose row does not say so.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

from shared.law import Article

_MONTHS = 12


class Unit(StrEnum):
    """What a period is counted in. A suspended month is counted in calendar days."""

    WORKING = "working"
    CALENDAR = "calendar"
    MONTH = "month"

    @property
    def label(self) -> str:
        """The unit in Chinese."""
        return _UNIT_LABELS[self]


_UNIT_LABELS = {Unit.WORKING: "工作日", Unit.CALENDAR: "日", Unit.MONTH: "个月"}


class Roll(StrEnum):
    """Where a last day goes that is not a working day (届满顺延)."""

    NONE = "none"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension (延长) a period allows: at most `length`, in the period's unit."""

    length: int
    article: Article
    approver: str


@dataclass(frozen=True, slots=True)
class PauseGround:
    """One reason for which days do not count (不计入期限), such as a hearing."""

    reason: str
    title: str
    article: Article


@dataclass(frozen=True, slots=True)
class Period:
    """One legal period, in force while its article is.

    `length` is in `unit`. `extensions` are taken one after the other, each once.
    `pauses` are the only grounds that stop it. `roll_article` is where the roll rests
    on another article than the length.
    """

    code: str
    title: str
    length: int
    unit: Unit
    roll: Roll
    article: Article
    extensions: tuple[Extension, ...] = ()
    pauses: tuple[PauseGround, ...] = ()
    roll_article: Article | None = None

    def __post_init__(self) -> None:
        """Refuse a row without length, or with two grounds of one name."""
        if self.length < 1 or any(e.length < 1 for e in self.extensions):
            msg = f"{self.code}: a length is at least 1"
            raise ValueError(msg)
        if len({ground.reason for ground in self.pauses}) < len(self.pauses):
            msg = f"{self.code}: a pause ground stands twice"
            raise ValueError(msg)

    @property
    def articles(self) -> tuple[Article, ...]:
        """Every article the row rests on, its own first."""
        rolled = () if self.roll_article is None else (self.roll_article,)
        granted = (e.article for e in self.extensions)
        return (self.article, *rolled, *granted, *(p.article for p in self.pauses))

    @property
    def needs_check(self) -> bool:
        """Whether any of its articles must still be read by the legal section."""
        return any(article.mark.needs_check for article in self.articles)


class UnknownPeriod(LookupError):  # noqa: N818 - named as the law's reader would
    """No period of that code is in force on that day."""

    def __init__(self, code: str, day: date) -> None:
        super().__init__(f"{day} 没有施行中的期限“{code}”")
        self.code = code
        self.day = day


class Periods:
    """The periods of a service, found by code and by the day the clock starts.

    Raises `ValueError` where two rows of one code are in force on one day.
    """

    def __init__(self, rows: Iterable[Period]) -> None:
        by_code: defaultdict[str, list[Period]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: row.article.effective_from):
            by_code[row.code].append(row)
        for code, versions in by_code.items():
            for earlier, later in pairwise(versions):
                if earlier.article.at(later.article.effective_from):
                    msg = f"{code}: two rows in force from {later.article}"
                    raise ValueError(msg)
        self._by_code = dict(by_code)

    def at(self, code: str, day: date) -> Period:
        """Return the row in force on `day`; raises `UnknownPeriod`."""
        for row in self._by_code.get(code, ()):
            if row.article.at(day):
                return row
        raise UnknownPeriod(code, day)


def add_months(start: date, months: int) -> date:
    """Return the corresponding day (对应日) `months` later, 民法典202.

    Where that month has no such day, its last day.
    """
    turned, month = divmod(start.month - 1 + months, _MONTHS)
    year = start.year + turned
    _, last = monthrange(year, month + 1)
    return date(year, month + 1, min(start.day, last))
