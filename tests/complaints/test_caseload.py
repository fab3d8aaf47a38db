"""The synthetic year's complaints give exactly the figures asked for, and are lawful throughout."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from random import Random

import pytest

from services.complaints.workflow import COMPLAINT, CROSS_EVENT, MEDIATOR, PROCEDURES
from services.launch.caseload.complaints import Counts, counts, lines
from services.launch.caseload.line import Line
from services.launch.caseload.people import People
from services.launch.caseload.year import Year
from shared.clock.law_time import law_day
from tests.replay import Replay, Replayed

Figures = dict[str, int | Decimal]


def _figures(accepted: int, handled: str, replied: str, mediators: int, events: int) -> Figures:
    return {
        "complaints.accepted": accepted,
        "complaints.handled_rate": Decimal(handled),
        "complaints.replied_rate": Decimal(replied),
        "complaints.mediators": mediators,
        "complaints.cross_events": events,
    }


PUBLISHED = _figures(424, "100", "100", 3, 8)
FIGURES = {
    "published": PUBLISHED,
    "behind": _figures(611, "97.22", "93.75", 5, 2),
    "nothing": _figures(0, "100", "100", 0, 0),
    "one": _figures(1, "100", "100", 1, 1),
}
SETS = pytest.mark.parametrize("figures", FIGURES.values(), ids=FIGURES.keys())


def _made(figures: Figures, seed: int = 1, year: int = 2024) -> list[Line]:
    return list(lines(figures, Year(year), People(), Random(seed)))  # noqa: S311 - no secret


def _replayed(made: list[Line]) -> Replay:
    """Apply every line by the law alone, which raises at the first that it forbids."""
    replay = Replay(PROCEDURES)
    for line in made:
        replay.apply(line)
    return replay


def _rate(part: int, whole: int) -> Decimal:
    return (Decimal(100 * part) / whole).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _accepted(replay: Replay, year: int) -> list[Replayed]:
    return [
        case
        for case in replay.of(COMPLAINT).values()
        if any(date.fromisoformat(fact["on"]).year == year for fact in case.all("accept"))
    ]


def _in_force(replay: Replay, year: int) -> tuple[int, int]:
    mediators = replay.of(MEDIATOR).values()
    events = replay.of(CROSS_EVENT).values()
    opened = [case.opened_at for case in (*mediators, *events)]
    assert all(at is not None and law_day(at).year <= year for at in opened)
    return (
        sum(case.state == "appointed" for case in mediators),
        sum(case.state == "taken_on" for case in events),
    )


@SETS
def test_a_year_gives_exactly_its_figures(figures: Figures) -> None:
    replay = _replayed(_made(figures))
    accepted = _accepted(replay, 2024)
    assert len(accepted) == figures["complaints.accepted"]
    if accepted:
        handled = [case for case in accepted if case.all("conclude-investigation")]
        reachable = [case for case in accepted if case.all("register")[0]["contact"]]
        replied = [case for case in reachable if case.all("reply")]
        assert _rate(len(handled), len(accepted)) == figures["complaints.handled_rate"]
        assert _rate(len(replied), len(reachable)) == figures["complaints.replied_rate"]
    assert _in_force(replay, 2024) == (
        figures["complaints.mediators"],
        figures["complaints.cross_events"],
    )


@pytest.mark.parametrize("seed", range(4))
def test_any_seed_is_lawful_and_ends_within_the_year(seed: int) -> None:
    made = _made(PUBLISHED, seed)
    replay = _replayed(made)
    assert len(_accepted(replay, 2024)) == 424
    assert max(law_day(line.at) for line in made) <= date(2024, 12, 31)


def test_every_reply_of_the_published_year_is_in_time() -> None:
    replay = _replayed(_made(PUBLISHED))
    replies = [fact for case in replay.of(COMPLAINT).values() for fact in case.all("reply")]
    assert replies
    assert all(fact["in_time"] for fact in replies)


def test_the_year_is_as_varied_as_a_real_one() -> None:
    replay = _replayed(_made(PUBLISHED))
    complaints = replay.of(COMPLAINT).values()
    taken = Counter(command for case in complaints for command in case.facts)
    for command in (
        "decline", "transfer", "merge", "withdraw", "uphold-objection", "dismiss-objection",
        "extend-handling", "turn-into-clue", "report-emergency", "return-draft", "reopen",
        "close-unreachable", "correct",
    ):  # fmt: skip
        assert taken[command], command
    registrations = [case.all("register")[0] for case in complaints]
    assert len({one["channel"] for one in registrations}) == 9
    assert len({one["pollution"] for one in registrations}) >= 8
    assert len({case.all("accept")[0]["on"] for case in complaints if case.all("accept")}) > 100
    assert {one["anonymous"] for one in registrations} == {True, False}


def test_the_same_seed_makes_the_same_year() -> None:
    assert _made(PUBLISHED, 7) == _made(PUBLISHED, 7)
    assert _made(PUBLISHED, 7) != _made(PUBLISHED, 8)


def test_another_year_is_made_as_well() -> None:
    assert len(_accepted(_replayed(_made(PUBLISHED, year=2025)), 2025)) == 424


@pytest.mark.parametrize(
    "figures,expected",
    [
        (_figures(424, "100", "100", 0, 0), Counts(424, 373, 424, 373)),
        (_figures(3, "66.67", "50", 0, 0), Counts(3, 2, 2, 1)),
        (_figures(10, "0", "0", 0, 0), Counts(10, 8, 0, 0)),
    ],
)
def test_rates_become_counts(figures: Figures, expected: Counts) -> None:
    assert counts(figures) == expected


@pytest.mark.parametrize(
    "figures,reason",
    [
        (_figures(3, "99.9", "100", 0, 0), "调查处理率"),
        (_figures(1, "100", "50", 0, 0), "回复率"),
        (_figures(10, "0", "100", 0, 0), "回复率"),
        (_figures(10, "101", "100", 0, 0), "百分数"),
        (_figures(-1, "100", "100", 0, 0), "非负整数"),
        ({"complaints.accepted": Decimal("1.5")}, "非负整数"),
        ({}, "缺少指标"),
    ],
)
def test_figures_that_contradict_themselves_are_refused_in_chinese(
    figures: Figures, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        _made(figures)
