"""The year's complaints, mediators and cross-department events: exactly the figures.

Beside the complaints that count stand those that do not: declined, passed on, merged, withdrawn,
returned to whoever transferred them, or accepted the year before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from itertools import cycle, islice
from random import Random

from services.launch.caseload.complaint import Complaint, Ending, Plan, Stop
from services.launch.caseload.line import Course, Line
from services.launch.caseload.people import People
from services.launch.caseload.year import Year

Figures = Mapping[str, int | Decimal]

LONG_END = 0.70
"""Accepted in this part of the year, a complaint is done within it, extended or reopened too."""
USUAL_END = 0.80
"""The same for one handled at the usual pace."""
ACCEPTED_END = 0.94
"""The same for one handled briskly."""
REACHABLE = Decimal("0.88")
"""The share of reporters who leave a way to be reached, where the figures leave it open."""
CARRIED_OVER = 12
"""Working days before the year on which a complaint was accepted that does not count."""
ENDINGS: tuple[Ending, ...] = (
    "transferred", "declined", "merged", "withdrawn", "returned", "transferred",
)  # fmt: skip
UNHANDLED: tuple[Stop, ...] = ("investigating", "accepted", "investigating")
UNANSWERED: tuple[Stop, ...] = ("signed", "drafted", "investigated")
EVENTS = (
    "巴渝治水—地表水水质监测异常问题处置",
    "巴渝治水—重点断面视频监控水环境问题处置",
    "巴渝治气—大气污染防治事件处置",
    "智慧河长—水面漂浮物问题处置",
    "智慧河长—非法采砂问题处置",
)
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many complaints were accepted, and of them reachable, handled and replied to."""

    accepted: int
    reachable: int
    handled: int
    replied: int


def lines(figures: Figures, year: Year, people: People, random: Random) -> Iterator[Line]:
    """Make the commands of `complaints` that add up to the figures.

    Raises ValueError in Chinese where a figure is missing, no whole number, or a rate that no
    number of complaints gives.
    """
    counted = counts(figures)
    mediators, events = _count(figures, "mediators"), _count(figures, "cross_events")
    plans = _accepted(counted, year, random) + _not_counted(counted.accepted, year, random)
    plans.sort(key=lambda plan: plan.day)
    merged_into = "complaint-0001"
    for number, plan in enumerate(plans, 1):
        ref = f"complaint-{number:04}"
        yield from Complaint(ref, plan, year, people, random).run(merged_into)
        merged_into = ref if plan.ending is None else merged_into
    yield from _mediators(mediators, year, people, random)
    yield from _cross_events(events, year, random)


def counts(figures: Figures) -> Counts:
    """Find the counts whose rates, in percent with two decimals, are the figures.

    A reply presupposes the handling. How many reporters can be reached no figure says, so the
    number nearest to the usual share is taken that gives the rate. Raises ValueError in Chinese.
    """
    accepted = _count(figures, "accepted")
    if not accepted:
        return Counts(0, 0, 0, 0)
    handled = _part(_rate(figures, "handled_rate"), accepted)
    if handled is None:
        msg = f"受理{accepted}件，没有一个件数的调查处理率为{figures['complaints.handled_rate']}%"
        raise ValueError(msg)
    replied_rate = _rate(figures, "replied_rate")
    usual = int(accepted * REACHABLE)
    for reachable in sorted(range(1, accepted + 1), key=lambda number: abs(number - usual)):
        replied = _part(replied_rate, reachable)
        if replied is not None and replied <= handled:
            return Counts(accepted, reachable, handled, replied)
    msg = f"受理{accepted}件、处理{handled}件，没有一个件数的回复率为{replied_rate}%"
    raise ValueError(msg)


def _part(rate: Decimal, whole: int) -> int | None:
    """The number of `whole` whose share in percent rounds to `rate`, or None."""
    part = int((rate * whole / 100).quantize(Decimal(1), ROUND_HALF_UP))
    share = Decimal(100 * part) / whole
    return part if share.quantize(CENT, ROUND_HALF_UP) == rate else None


def _count(figures: Figures, name: str) -> int:
    value = _figure(figures, name)
    if value < 0 or value != int(value):
        msg = f"指标 complaints.{name} 应为非负整数，不是{value}"
        raise ValueError(msg)
    return int(value)


def _rate(figures: Figures, name: str) -> Decimal:
    value = _figure(figures, name)
    if not 0 <= value <= 100:  # noqa: PLR2004 - percent
        msg = f"指标 complaints.{name} 应为 0 至 100 的百分数，不是{value}"
        raise ValueError(msg)
    return value


def _figure(figures: Figures, name: str) -> Decimal:
    value = figures.get(f"complaints.{name}")
    if value is None:
        msg = f"缺少指标 complaints.{name}"
        raise ValueError(msg)
    return Decimal(value)


def _accepted(counted: Counts, year: Year, random: Random) -> list[Plan]:
    """Plan the complaints that count, with the long, reopened, urgent and corrected among them."""
    days = year.spread(counted.accepted, random, end=ACCEPTED_END)
    plans = [
        _paced(Plan(day, contact=contact, stop=stop), year, random)
        for day, (contact, stop) in zip(days, _fates(counted, random), strict=True)
    ]
    if plans:
        plans[0] = replace(plans[0], corrected="channel")
        plans[-1] = replace(plans[-1], corrected="time")
    return plans


def _fates(counted: Counts, random: Random) -> list[tuple[bool, Stop]]:
    """Whether each reporter can be reached and how far the handling came, in random order.

    The unhandled are first taken from the reachable that have no reply.
    """
    unhandled = counted.accepted - counted.handled
    unanswered = counted.reachable - counted.replied
    unreachable = counted.accepted - counted.reachable
    open_reachable = min(unhandled, unanswered)
    open_unreachable = unhandled - open_reachable
    closed: tuple[Stop, ...] = ("closed",)
    groups = (
        (True, closed, counted.replied),
        (True, UNHANDLED, open_reachable),
        (True, UNANSWERED, unanswered - open_reachable),
        (False, UNHANDLED, open_unreachable),
        (False, closed, unreachable - open_unreachable),
    )
    fates = [
        (contact, stop) for contact, stops, count in groups for stop in islice(cycle(stops), count)
    ]
    random.shuffle(fates)
    return fates


def _paced(plan: Plan, year: Year, random: Random) -> Plan:
    """Let a complaint take as long as the rest of the year holds."""
    urgent = random.random() < 3 / 100
    kind = random.random()
    if plan.day > year.day(USUAL_END) or urgent or kind < 1 / 6:
        return replace(plan, pace="brisk", urgent=urgent)
    if plan.day > year.day(LONG_END):
        return plan
    if kind < 1 / 4:
        return replace(plan, pace="long")
    return replace(plan, reopened=kind < 1 / 3)


def _not_counted(accepted: int, year: Year, random: Random) -> list[Plan]:
    """Plan the complaints that no figure counts: about one to nine that do."""
    count = (accepted + 8) // 9
    if not count:
        return []
    days = year.spread(count, random, begin=0.05, end=ACCEPTED_END)
    plans = [
        Plan(day, ending, contact=random.random() < REACHABLE)
        for day, ending in zip(days, islice(cycle(ENDINGS), count), strict=True)
    ]
    return [*plans, Plan(year.before(year.workdays[0], CARRIED_OVER))]


def _mediators(count: int, year: Year, people: People, random: Random) -> Iterator[Line]:
    """Appoint the mediators in office at the year's end, and one who leaves before it."""
    appointed = [year.day(random.random() / 2) for _ in range(count + 1)]
    for number, day in enumerate(appointed, 1):
        course = Course("complaints", f"mediator-{number:04}", random)
        leader = random.choice(("leader1", "leader2"))
        person = people.individual(phone=False)
        course.take("appoint-mediator", leader, day, account=f"mediator{number}", person=person)
        if number > count:
            left = year.after(day, random, 20, 90)
            course.take("dismiss-mediator", leader, left, reason="聘期届满")
        yield from course


def _cross_events(count: int, year: Year, random: Random) -> Iterator[Line]:
    """Take on the kinds of event in force at the year's end, and one given up before it."""
    days = year.spread(count + 1, random, end=0.6)
    for number, day in enumerate(days, 1):
        title = EVENTS[number - 1] if number <= len(EVENTS) else f"示例多跨事件第{number}类"
        course = Course("complaints", f"cross-event-{number:04}", random)
        leader = random.choice(("leader1", "leader2"))
        course.take("take-on-event", leader, day, code=f"CROSS-{number:02}", title=title)
        if number > count:
            left = year.after(day, random, 20, 90)
            course.take("give-up-event", leader, left, reason="调整由其他部门承接")
        yield from course
