"""The law of complaints as rows and pure functions: periods, and what counts as dealt with."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from services.complaints import articles
from shared.clock import reckoning
from shared.clock.period import Extension, Period, Periods, Roll, Unit

if TYPE_CHECKING:
    from collections.abc import Collection

    from shared.clock.calendar import WorkCalendar
    from shared.law import Article

LEADER = "局领导"
TRANSFERRED = frozenset({"transferred", "inspectorate", "12345"})
"""Channels by which another authority hands a complaint on, and so may be objected to."""


def _days(
    code: str, title: str, length: int, article: Article, extension: Extension | None = None
) -> Period:
    """Natural days that no holiday moves: the 信访工作条例 speaks of days alone."""
    granted = () if extension is None else (extension,)
    return Period(code, title, length, Unit.CALENDAR, Roll.NONE, article, granted)


PERIODS = Periods(
    [
        _days("acceptance", "受理告知期限", 15, articles.former_petition("21")),
        _days("acceptance", "受理告知期限", 15, articles.NOTICE),
        _days("urgent", "紧急事项受理期限", 1, articles.URGENT),
        _days(
            "handling",
            "办理期限",
            60,
            articles.former_petition("33"),
            Extension(30, articles.former_petition("33"), LEADER),
        ),
        _days(
            "handling", "办理期限", 60, articles.HANDLING, Extension(30, articles.EXTENSION, LEADER)
        ),
        _days(
            "clue",
            "线索初步审查期限",
            15,
            articles.CLUE_DAYS,
            Extension(15, articles.CLUE_DAYS, LEADER),
        ),
        _days("rework", "重办期限", 30, articles.REWORK),
        *(
            Period("objection", "转送异议期限", 5, Unit.WORKING, Roll.NONE, article)
            for article in (articles.former_petition("24"), articles.OBJECTION)
        ),
    ]
)
"""`acceptance` runs from registration, `handling` from acceptance, `rework` from reopening.

What is urgent (突发、群体性) is accepted at once, so by the next day at the latest. A request to
punish a violation (31条（五）) runs as a clue, not for sixty days.
"""


def objection_ends(registered: date, calendar: WorkCalendar) -> date:
    """The last of the five working days in which a transfer may be objected to (23)."""
    period = PERIODS.at("objection", registered)
    return reckoning.reckon(reckoning.start(registered), period, calendar, registered).due.on


def acceptance_period(*, urgent: bool) -> str:
    """The code of the period in which a complaint is accepted, declined or passed on."""
    return "urgent" if urgent else "acceptance"


def handling_period(petition_type: str, day: date) -> str:
    """The code of the period in which a complaint accepted on `day` is answered.

    Before the 信访工作条例 a request to punish ran for sixty days like any other.
    """
    if petition_type == "enforcement" and day >= articles.CLUE_DAYS.effective_from:
        return "clue"
    return "handling"


def is_handled(finding: str, measures: Collection[str]) -> bool:
    """Whether a complaint is dealt with (调查处理): what proved true was acted on."""
    return bool(measures) or finding in {"unfounded", "unverifiable"}
