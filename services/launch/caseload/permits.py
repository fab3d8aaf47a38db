"""The year's permit applications and its register of limits: exactly the figures.

Beside the applications that count stand those that do not: withdrawn, lapsed, declined, still under
way, through the window, revoked, decided the year before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import cycle
from random import Random

from services.launch.caseload.line import Course, Line
from services.launch.caseload.people import People
from services.launch.caseload.permit_application import (
    Corrected,
    Ending,
    Feature,
    PermitApplication,
    Plan,
)
from services.launch.caseload.year import Year
from services.permits import rules

Figures = Mapping[str, int | Decimal]

SHORTEST_EIA = 12
"""Working days from an EIA's receipt to its decision at the least: it may precede the year so."""
USUAL_END = 0.78
"""Received in this part of the year, an application is concluded within it, whatever happens."""
BRISK_END = 0.96
"""The same for one without notices where nothing takes longer than it must."""
CARRIED_OVER = 40
"""Working days before the year: an application received then is decided before it begins."""

FEATURES: tuple[Feature, ...] = (
    "plain", "supplement", "plain", "special", "extended", "plain", "deemed", "supplement",
)  # fmt: skip
DISCHARGE = (
    ("discharge_simplified", "new"), ("discharge_key", "renewal"),
    ("discharge_simplified", "renewal"), ("discharge_key", "new"),
    ("discharge_simplified", "change"), ("discharge_key", "reissue"),
)  # fmt: skip
RADIATION_KINDS = ("renewal", "new", "change")
OTHERS: tuple[tuple[str, str, Ending], ...] = (
    ("other", "new", "concluded"), ("other", "renewal", "issued"),
    ("discharge_simplified", "change", "concluded"), ("other", "new", "concluded"),
    ("other", "new", "refused"), ("radiation", "change", "concluded"), ("other", "new", "approved"),
    ("other", "change", "concluded"), ("eia_form", "new", "refused"),
    ("discharge_key", "new", "refused"), ("other", "new", "issued"),
)  # fmt: skip
"""What is concluded online beside the counted permits: item, kind and how it ends."""
UNCOUNTED: tuple[tuple[str, str, Ending], ...] = (
    ("eia_form", "online", "withdrawn"), ("discharge_simplified", "online", "withdrawn"),
    ("eia_report", "online", "lapsed"), ("radiation", "online", "declined"),
    ("other", "window", "concluded"), ("other", "window", "refused"),
    ("other", "window", "issued"), ("other", "window", "revoked"),
    ("other", "window", "declined"), ("other", "online", "pending"),
)  # fmt: skip
CORRECTED: tuple[Corrected, ...] = ("channel", "time", "rejected")
LIMITS = (
    ("eia_report", "new"), ("eia_form", "new"), ("discharge_key", "new"),
    ("discharge_simplified", "new"), ("discharge_simplified", "renewal"),
    ("discharge_simplified", "change"), ("radiation", "new"), ("other", "new"),
)  # fmt: skip


def lines(figures: Figures, year: Year, people: People, random: Random) -> Iterator[Line]:
    """Make the commands of `permits` that add up to the figures.

    Raises ValueError in Chinese where a figure is missing, no whole number, or contradicts the law.
    """
    yield from _limits(figures, year, random)
    counted = [
        *_eia(_count(figures, "eia.approved"), year, random),
        *_licences(DISCHARGE, _count(figures, "discharge.issued"), year, random),
        *_licences(
            tuple(("radiation", kind) for kind in RADIATION_KINDS),
            _count(figures, "radiation.issued"),
            year,
            random,
        ),
    ]
    plans = _through_channels(counted, _count(figures, "online.concluded"), year, random)
    plans += _not_counted(year, random)
    plans.sort(key=lambda plan: plan.received)
    for number, plan in enumerate(plans, 1):
        yield from PermitApplication(number, plan, year, people, random).run()


def _count(figures: Figures, name: str) -> int:
    value = figures.get(f"permits.{name}")
    if value is None:
        msg = f"缺少指标 permits.{name}"
        raise ValueError(msg)
    if value < 0 or value != int(value):
        msg = f"指标 permits.{name} 应为非负整数，不是{value}"
        raise ValueError(msg)
    return int(value)


def _eia(count: int, year: Year, random: Random) -> list[Plan]:
    """Plan the EIA reports (one in four) and forms approved."""
    features = cycle(feature for feature in FEATURES if feature != "extended")
    return [
        Plan(
            year.before(day, SHORTEST_EIA),
            "eia_report" if number % 4 == 0 else "eia_form",
            feature=next(features),
        )
        for number, day in enumerate(year.spread(count, random, end=USUAL_END))
    ]


def _licences(
    kinds: tuple[tuple[str, str], ...], count: int, year: Year, random: Random
) -> list[Plan]:
    """Plan the licences issued, renewals and changes among them."""
    chosen, features = cycle(kinds), cycle(FEATURES)
    return [
        _settled(Plan(day, *next(chosen), ending="issued", feature=next(features)), year)
        for day in year.spread(count, random, end=BRISK_END)
    ]


def _settled(plan: Plan, year: Year) -> Plan:
    """Let an application take only what the law allows it, and as long as the year still holds."""
    if plan.received > year.day(USUAL_END):
        return replace(plan, feature="plain", brisk=True)
    statutory = rules.PERIODS.at(rules.statutory_code(plan.item, plan.kind), plan.received)
    if plan.feature == "extended" and not statutory.extensions:
        return replace(plan, feature="special")
    return plan


def _through_channels(counted: list[Plan], online: int, year: Year, random: Random) -> list[Plan]:
    """Let as many be concluded online as the figure says; the rest go through the window.

    Where more are concluded online than are counted, others fill up the number.
    """
    random.shuffle(counted)
    plans = [
        plan if number < online else replace(plan, channel="window")
        for number, plan in enumerate(counted)
    ]
    plans += _others(max(online - len(counted), 0), year, random)
    suited = [
        at
        for at, plan in enumerate(plans)
        if plan.channel == "online" and plan.received in year and plan.feature == "plain"
    ]
    for at, corrected in zip(suited, CORRECTED, strict=False):
        plans[at] = replace(plans[at], corrected=corrected)
    return plans


def _others(count: int, year: Year, random: Random) -> list[Plan]:
    """Plan what is approved or refused online beside the counted permits."""
    others, features = cycle(OTHERS), cycle(FEATURES)
    days = year.spread(count, random, end=BRISK_END)
    plans = []
    for day in days:
        item, kind, ending = next(others)
        if item in rules.EIA:
            early = min(day, year.day(USUAL_END))
            plans.append(Plan(early, item, kind, ending=ending))
        else:
            plan = Plan(day, item, kind, ending=ending, feature=next(features))
            plans.append(_settled(plan, year))
    return plans


def _not_counted(year: Year, random: Random) -> list[Plan]:
    """Plan applications that no figure counts."""
    days = year.spread(len(UNCOUNTED), random, end=BRISK_END)
    return [
        *(
            Plan(day, item, channel=channel, ending=ending, brisk=day > year.day(USUAL_END))
            for day, (item, channel, ending) in zip(days, UNCOUNTED, strict=True)
        ),
        Plan(year.before(year.workdays[0], CARRIED_OVER), "radiation", ending="issued", brisk=True),
    ]


def _limits(figures: Figures, year: Year, random: Random) -> Iterator[Line]:
    """Register the limits on the first working day; one is changed later, one withdrawn."""
    first = year.workdays[0]
    committed = _count(figures, "eia.committed_days")
    for number, (item, kind) in enumerate(LIMITS, 1):
        statutory = rules.PERIODS.at(rules.statutory_code(item, kind), first).length
        days = rules.PERIODS.at(rules.committed_code(item, kind), first).length
        if item in rules.EIA:
            days = committed
            _check_law(figures, item, statutory, committed)
        course = Course("permits", f"limit-{number:04}", random)
        actor = random.choice(("leader1", "approver1", "approver2"))
        changed = item == "eia_form" and committed < statutory
        course.take("set-limit", actor, first, item=item, kind=kind, statutory_days=statutory,
                    committed_days=statutory if changed else days)  # fmt: skip
        if changed:
            course.take("change-limit", "leader2", year.after(first, random, 10, 40),
                        statutory_days=statutory, committed_days=days)  # fmt: skip
        if item == "other":
            course.take("withdraw-limit", "leader1", year.after(first, random, 100, 150),
                        reason="改为按具体事项分别设定")  # fmt: skip
        yield from course


def _check_law(figures: Figures, item: str, statutory: int, committed: int) -> None:
    name = f"{item.replace('_', '.')}.statutory_days"
    if _count(figures, name) != statutory:
        msg = f"指标 permits.{name} 与法律不符，法定时限为{statutory}个工作日"
        raise ValueError(msg)
    if not 1 <= committed <= statutory:
        msg = f"承诺时限{committed}个工作日，应在 1 至法定的{statutory}个工作日之间"
        raise ValueError(msg)
