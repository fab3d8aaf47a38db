"""The law of penalties as rows and pure functions: periods, ranges of fines, thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Literal

from services.cases import articles
from shared.clock.period import Extension, PauseGround, Period, Periods, Roll, Unit
from shared.law import Article, Mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.clock.calendar import WorkCalendar

Law = Literal["former", "code"]
YUAN = Decimal(1)
HEARING_ORGANISATION = Decimal(50_000)
HEARING_INDIVIDUAL = Decimal(5_000)
DISCUSSION_FROM = Decimal(500_000)
HEARING_NOTICE_DAYS = 7
STATEMENT_DAYS = 5

_DECISION_PAUSES = {
    "SUSPEND": "中止",
    "HEARING": "听证",
    "ANNOUNCE": "公告",
    "MONITOR": "监测",
    "ASSESS": "评估",
    "APPRAISE": "鉴定",
    "IDENTIFY": "认定",
    "SERVE": "送达",
}

PERIODS = Periods(
    [
        Period(
            code="filing",
            title="立案审查期限",
            length=15,
            unit=Unit.CALENDAR,
            roll=Roll.NONE,
            article=articles.FILING_DAYS,
            extensions=(Extension(15, articles.FILING_DAYS, "局领导"),),
        ),
        Period(
            code="decision",
            title="办案期限",
            length=90,
            unit=Unit.CALENDAR,
            roll=Roll.FORWARD,
            article=articles.DECISION_DAYS,
            extensions=(
                Extension(30, articles.DECISION_PAUSES, "局领导"),
                Extension(30, articles.DECISION_PAUSES, "集体讨论"),
            ),
            pauses=(
                *(
                    PauseGround(reason, title, articles.DECISION_PAUSES)
                    for reason, title in _DECISION_PAUSES.items()
                ),
                PauseGround("TRANSFER_CRIM", "移送公安办理", articles.TRANSFER_PAUSE),
            ),
            roll_article=articles.measure_30("附则"),
        ),
        Period(
            code="seizure",
            title="查封、扣押期限",
            length=30,
            unit=Unit.CALENDAR,
            roll=Roll.NONE,
            article=articles.SEIZURE_DAYS,
            extensions=(Extension(30, articles.SEIZURE_DAYS, "局领导"),),
            pauses=(PauseGround("APPRAISE", "检测、检验、鉴定", articles.coercion_law("25Ⅲ")),),
        ),
        Period(
            code="payment",
            title="缴款期限",
            length=15,
            unit=Unit.CALENDAR,
            roll=Roll.FORWARD,
            article=articles.PAYMENT,
            roll_article=articles.measure_30("附则"),
        ),
    ]
)


@dataclass(frozen=True, slots=True)
class Range:
    """The range of a fine for one cause under one law, in yuan or times a base amount.

    `base`: what the bounds are a multiple of (总投资额, 处置费用), at least `base_floor` yuan.
    `licensed` / `eia_report`: the row is for holders of a discharge permit, or for projects that
    need a report, alone; None is for all.
    """

    cause: str
    law: Law
    minimum: Decimal
    maximum: Decimal
    article: Article
    of_base: bool = False
    base_floor: Decimal = Decimal(0)
    licensed: bool | None = None
    eia_report: bool | None = None


WAN = Decimal(10_000)


def _flat(
    cause: str,
    law: Law,
    low: int,
    high: int,
    article: Article,
    *,
    licensed: bool | None = None,
    eia_report: bool | None = None,
) -> Range:
    """A range between two sums, in ten thousands of yuan (万元)."""
    return Range(
        cause, law, low * WAN, high * WAN, article, licensed=licensed, eia_report=eia_report
    )


def _statute(text: str, mark: Mark = Mark.V) -> Article:
    """An article of a law that the code repeals."""
    return Article(text, mark, date(2018, 12, 29), articles.CODE - timedelta(days=1))


def _code(text: str) -> Article:
    return Article(f"生态环境法典{text}", Mark.V1, articles.CODE)


_PERMIT_REGULATION = Article("排污许可管理条例34（一）", Mark.V, date(2021, 3, 1))
_PROJECT_REGULATION = Article("建设项目环境保护管理条例23", Mark.V, date(2017, 10, 1))
_AIR = _statute("大气污染防治法99（二）")
_WATER = _statute("水污染防治法83（二）")
_WASTE = _statute("固体废物污染环境防治法102（七）")
_EIA = _statute("环境影响评价法31Ⅰ")

RANGES = (
    _flat("air", "former", 10, 100, _AIR, licensed=False),
    _flat("air", "former", 20, 100, _PERMIT_REGULATION, licensed=True),
    _flat("air", "code", 10, 100, _code("1107")),
    _flat("water", "former", 10, 100, _WATER, licensed=False),
    _flat("water", "former", 20, 100, _PERMIT_REGULATION, licensed=True),
    _flat("water", "code", 10, 100, _code("1107")),
    Range(
        "solid_waste", "former", Decimal(1), Decimal(3), _WASTE, of_base=True, base_floor=10 * WAN
    ),
    _flat("solid_waste", "code", 10, 100, _code("1169")),
    Range(
        "unapproved_construction", "former", Decimal("0.01"), Decimal("0.05"), _EIA, of_base=True
    ),
    _flat("unapproved_construction", "code", 20, 100, _code("1095Ⅰ 报告书"), eia_report=True),
    _flat("unapproved_construction", "code", 10, 50, _code("1095Ⅰ 报告表"), eia_report=False),
    _flat("three_simultaneities", "former", 20, 100, _PROJECT_REGULATION),
    _flat("three_simultaneities", "code", 20, 100, _code("1100")),
    _flat("other", "former", 2, 20, _statute("大气污染防治法108等", Mark.M)),
    _flat("other", "code", 2, 20, _code("1120等")),
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """A range worked out for one case, in yuan."""

    law: Law
    minimum: Decimal
    maximum: Decimal
    article: Article


class NoRangeError(ValueError):
    """The range cannot be worked out, with the reason in Chinese."""


def bounds(
    cause: str, law: Law, base: Decimal | None, *, licensed: bool, eia_report: bool
) -> Bounds:
    """Work out the range of a fine in yuan, rounded to whole yuan half up.

    Raises `NoRangeError` where the range is a multiple of an amount that is not known.
    """
    row = next(
        row
        for row in RANGES
        if row.cause == cause
        and row.law == law
        and row.licensed in (None, licensed)
        and row.eia_report in (None, eia_report)
    )
    factor = Decimal(1)
    if row.of_base:
        if base is None:
            msg = "该案由的罚款以总投资额或处置费用计算，请在立案时填写"
            raise NoRangeError(msg)
        factor = max(base, row.base_floor)
    return Bounds(
        law,
        (row.minimum * factor).quantize(YUAN, ROUND_HALF_UP),
        (row.maximum * factor).quantize(YUAN, ROUND_HALF_UP),
        row.article,
    )


def law_at(act_ended: date) -> Law:
    """Say which law an act falls under: the one in force when it ended (行政处罚法37)."""
    return "code" if act_ended >= articles.CODE else "former"


def laws_cross(act_ended: date, decided: date) -> bool:
    """Whether an act ended under the former laws and is decided under the code (从旧兼从轻)."""
    return act_ended < articles.CODE <= decided


def is_minimum(
    amount: Decimal, minimum: Decimal, mitigating: Sequence[str], aggravating: Sequence[str]
) -> bool:
    """Whether a fine is the statutory minimum for two or more mitigating and no aggravating."""
    return amount == minimum and len(set(mitigating)) >= 2 and not aggravating  # noqa: PLR2004


def hearing_due(party_kind: str, amount: Decimal, *, grave_kinds: bool) -> bool:
    """Whether the party must be told of the right to a hearing (渝府令354号)."""
    threshold = HEARING_INDIVIDUAL if party_kind == "individual" else HEARING_ORGANISATION
    return grave_kinds or amount >= threshold


def discussion_due(amount: Decimal, *, grave_kinds: bool) -> bool:
    """Whether the leaders must discuss the case together (行政处罚法57Ⅱ)."""
    return grave_kinds or amount >= DISCUSSION_FROM


def limitation_ends(act_ended: date, *, harmful: bool) -> date:
    """The last day on which an act may be found out: two years, or five (行政处罚法36)."""
    years = 5 if harmful else 2
    try:
        return act_ended.replace(year=act_ended.year + years)
    except ValueError:
        return act_ended.replace(year=act_ended.year + years, day=28)


def statement_window_ends(notice_served: date, calendar: WorkCalendar) -> date:
    """The last of the party's five working days after the notice was served."""
    return calendar.add_workdays(notice_served, STATEMENT_DAYS).on
