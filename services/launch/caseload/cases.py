"""The year's penalty cases and enforcement catalogue: exactly the figures, and what lies beside.

Beside the cases that count stand those that do not: clues not filed, a filing withdrawn, a penalty
revoked, an exemption for want of fault, a penalty decided the year before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import cycle
from random import Random

from services.launch.caseload.line import Course, Line
from services.launch.caseload.penalty_case import Corrected, Feature, PenaltyCase, Plan
from services.launch.caseload.people import People
from services.launch.caseload.year import Year

CAUSES = ("solid_waste", "air", "water", "unapproved_construction", "three_simultaneities")
FEATURES: tuple[Feature, ...] = (
    "plain", "appraisal", "statement", "hearing", "waived", "suspended", "plain", "returned",
    "late_payment", "filing_extended", "decision_extended",
)  # fmt: skip
EXEMPTION_FEATURES: tuple[Feature, ...] = ("plain", "appraisal", "plain", "suspended")
CORRECTIONS: tuple[tuple[Corrected, Callable[[Plan], bool]], ...] = (
    ("cause", lambda plan: plan.cause in {"air", "water"}),
    ("circumstances", lambda plan: plan.minimum),
    ("time", lambda plan: not plan.minimum),
    ("rejected", lambda plan: not plan.minimum),
)
"""What was wrongly entered, and in which cases it can have been."""
SHORTEST = 12
"""Working days from clue to decision at the least: a clue may precede the year by as many."""
USUAL_END = 0.74
"""A case begun in this part of the year is decided within it, whatever happens on the way."""
LONG_END = 0.55
"""The same for a case with a seizure, a transfer, or an extension of its ninety days."""
CARRIED_OVER = 60
"""Working days before the year: a case begun then is decided before the year begins."""
NOT_FILED = 4
WITHDRAWN = 3


def lines(
    figures: Mapping[str, int | Decimal], year: Year, people: People, random: Random
) -> Iterator[Line]:
    """Make the commands of `cases` that add up to the figures.

    Raises ValueError in Chinese where a figure is missing, no whole number, or contradicts another.
    """
    plans = _penalties(figures, year, random)
    seized = min(_count(figures, "seizures"), len(plans))
    transferred = min(_count(figures, "transferred_to_police") // 2, len(plans))
    for at in range(seized):
        plans[at] = replace(_early(plans[at], year), seized=True)
    for at in range(len(plans) - transferred, len(plans)):
        plans[at] = replace(_early(plans[at], year), transferred=True)
    _correct_some(plans)
    plans += _exemptions(_count(figures, "exempted"), year, random)
    plans += _unpunished(
        _count(figures, "seizures") - seized,
        _count(figures, "transferred_to_police") - transferred,
        year,
        random,
    )
    plans += _not_counted(year, random)
    plans.sort(key=lambda plan: plan.opened)
    for number, plan in enumerate(plans, 1):
        yield from PenaltyCase(f"penalty-{number:04}", plan, year, people, random).run()
    yield from _catalogue(figures, year, random)


def _count(figures: Mapping[str, int | Decimal], name: str) -> int:
    value = figures.get(f"cases.{name}")
    if value is None:
        msg = f"缺少指标 cases.{name}"
        raise ValueError(msg)
    if value < 0 or value != int(value):
        msg = f"指标 cases.{name} 应为非负整数，不是{value}"
        raise ValueError(msg)
    return int(value)


def _causes(figures: Mapping[str, int | Decimal]) -> list[str]:
    """One cause a penalty; penalties beyond the named causes are of others."""
    total = _count(figures, "penalised")
    causes = [cause for cause in CAUSES for _ in range(_count(figures, f"penalised.{cause}"))]
    if len(causes) > total:
        msg = f"各案由合计{len(causes)}件，多于行政处罚案件{total}件"
        raise ValueError(msg)
    return causes + ["other"] * (total - len(causes))


def _penalties(figures: Mapping[str, int | Decimal], year: Year, random: Random) -> list[Plan]:
    """Plan the penalties that count."""
    causes, minimum = _causes(figures), _count(figures, "minimum_penalty")
    if minimum > len(causes):
        msg = f"法定最低处罚{minimum}件，多于行政处罚案件{len(causes)}件"
        raise ValueError(msg)
    random.shuffle(causes)
    minimums = set(random.sample(range(len(causes)), minimum))
    days = year.spread(len(causes), random, end=USUAL_END)
    random.shuffle(days)
    features = cycle(FEATURES)
    return [
        _settled(Plan(day, cause, feature=next(features), minimum=number in minimums), year)
        for number, (cause, day) in enumerate(zip(causes, days, strict=True))
    ]


def _settled(plan: Plan, year: Year) -> Plan:
    """Move a case's beginning so that its decision lies in the year."""
    if plan.feature == "decision_extended":
        return replace(plan, opened=min(plan.opened, year.day(LONG_END)))
    return replace(plan, opened=year.before(plan.opened, SHORTEST))


def _early(plan: Plan, year: Year) -> Plan:
    """Begin a case within the year and early, and let nothing else lengthen it."""
    opened = max(min(plan.opened, year.day(LONG_END)), year.day(0))
    return replace(plan, opened=opened, feature="plain")


def _correct_some(plans: list[Plan]) -> None:
    """Let one case be wrongly entered in each way, and corrected."""
    for kind, suits in CORRECTIONS:
        for at, plan in enumerate(plans):
            if plan.corrected is None and suits(plan):
                plans[at] = replace(plan, corrected=kind)
                break


def _exemptions(count: int, year: Year, random: Random) -> list[Plan]:
    """Plan the minor violations exempted (轻微免罚); the ground of the first is entered wrongly."""
    features, grounds = cycle(EXEMPTION_FEATURES), cycle(("minor_no_harm", "first_minor"))
    return [
        Plan(
            year.before(day, SHORTEST),
            random.choice(CAUSES),
            "exempted",
            next(features),
            ground=next(grounds),
            corrected=None if number else "ground",
        )
        for number, day in enumerate(year.spread(count, random, end=USUAL_END))
    ]


def _unpunished(seized: int, criminal: int, year: Year, random: Random) -> list[Plan]:
    """Plan the seizures and transfers that no penalty follows."""
    return [
        Plan(day, random.choice(CAUSES), "dismissed", seized=True)
        for day in year.spread(seized, random, end=LONG_END)
    ] + [
        Plan(day, random.choice(("solid_waste", "water")), "criminal")
        for day in year.spread(criminal, random, end=LONG_END)
    ]


def _not_counted(year: Year, random: Random) -> list[Plan]:
    """Plan cases that no figure counts."""
    dismissed, revoked, faultless = year.spread(3, random, end=LONG_END)
    return [
        *(
            Plan(day, random.choice(CAUSES), "not_filed")
            for day in year.spread(NOT_FILED, random, end=USUAL_END)
        ),
        Plan(dismissed, "air", "dismissed", "suspended"),
        Plan(revoked, "water", "revoked", "statement"),
        Plan(faultless, "air", "exempted", ground="no_fault"),
        Plan(year.before(year.day(0), CARRIED_OVER), "air", feature="waived"),
    ]


def _catalogue(figures: Mapping[str, int | Decimal], year: Year, random: Random) -> Iterator[Line]:
    """Claim the items of the enforcement catalogue over three years, and withdraw a few others."""
    years = [Year(year.year - 2), Year(year.year - 1), year]
    penalties, coercions = (
        _count(figures, "catalogue.penalties"),
        _count(figures, "catalogue.coercions"),
    )
    kinds = ["penalty"] * penalties + ["coercion"] * coercions + ["withdrawn"] * WITHDRAWN
    for number, kind in enumerate(kinds, 1):
        item = Course("cases", f"catalogue-item-{number:04}", random)
        day = random.choice(years).day(random.random() * USUAL_END)
        coercive = kind == "coercion"
        mistaken = number == penalties + 1 and coercive
        item.take(
            "claim-item",
            random.choice(("legal1", "legal2")),
            day,
            kind="coercion" if coercive and not mistaken else "penalty",
            code=f"{'QZ' if coercive else 'CF'}-{number:04}",
            title=f"示例{'行政强制' if coercive else '行政处罚'}事项第{number}项",
        )
        if mistaken:
            item.take("propose-correction", "legal1", day, target="claim-item", occurrence=0,
                      changes={"kind": "coercion"}, reason="事项类别录入笔误")  # fmt: skip
            item.take("correct", "legal2", day, opinion="与清单一致")
        if kind == "withdrawn":
            later = year.after(max(day, year.day(0)), random, 5, 30)
            item.take("withdraw-item", "legal2", later, reason="事项已调整由其他部门实施")
        yield from item
