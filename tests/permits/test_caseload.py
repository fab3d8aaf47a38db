"""The synthetic year's permits give exactly the figures asked for, and are lawful throughout."""

from __future__ import annotations

from collections import Counter
from datetime import date
from random import Random

import pytest

from services.launch.caseload.line import Line
from services.launch.caseload.make import SHIPPED, read_figures
from services.launch.caseload.people import People
from services.launch.caseload.permits import Figures, lines
from services.launch.caseload.year import Year
from services.permits.limits import TIME_LIMIT
from services.permits.rules import EIA
from services.permits.workflow import PERMIT_APPLICATION, PROCEDURES
from shared.clock import reckoning
from tests.replay import Replay, Replayed


def _figures(eia: int, discharge: int, radiation: int, online: int, committed: int) -> Figures:
    return {
        "permits.eia.approved": eia,
        "permits.discharge.issued": discharge,
        "permits.radiation.issued": radiation,
        "permits.online.concluded": online,
        "permits.eia.report.statutory_days": 60,
        "permits.eia.form.statutory_days": 30,
        "permits.eia.committed_days": committed,
    }


PUBLISHED = {
    name: value
    for name, value in read_figures(SHIPPED.read_text(encoding="utf-8")).items()
    if name.startswith("permits.")
}
FIGURES = {
    "published": PUBLISHED,
    "more-and-some-through-the-window": _figures(60, 33, 29, 100, 12),
    "none": _figures(0, 0, 0, 0, 5),
    "few-all-by-window": _figures(2, 1, 1, 0, 30),
    "only-others": _figures(0, 0, 0, 37, 1),
}
EVERY = pytest.mark.parametrize("figures", FIGURES.values(), ids=FIGURES)


def _made(figures: Figures, seed: int = 7) -> list[Line]:
    return list(lines(figures, Year(2024), People(), Random(seed)))  # noqa: S311 - no secret


def _replayed(figures: Figures, seed: int = 7) -> Replay:
    replay = Replay(PROCEDURES)
    for line in _made(figures, seed):
        replay.apply(line)
    return replay


def _in_2024(case: Replayed, command: str) -> bool:
    occurrence = case.last(command)
    return occurrence is not None and date.fromisoformat(occurrence["on"]).year == 2024


def _counted(replay: Replay) -> dict[str, int]:
    count: Counter[str] = Counter()
    for case in replay.of(PERMIT_APPLICATION).values():
        receipt = case.facts["receive"][-1]
        approved = _in_2024(case, "approve")
        issued = _in_2024(case, "issue")
        count["eia.approved"] += approved and receipt["item"] in EIA
        count["discharge.issued"] += issued and receipt["item"].startswith("discharge")
        count["radiation.issued"] += issued and receipt["item"] == "radiation"
        count["online.concluded"] += receipt["channel"] == "online" and (
            approved or _in_2024(case, "refuse")
        )
    limits = {
        case.columns["item"]: case.columns
        for case in replay.of(TIME_LIMIT).values()
        if case.state == "in_force"
    }
    count["eia.report.statutory_days"] = limits["eia_report"]["statutory_days"]
    count["eia.form.statutory_days"] = limits["eia_form"]["statutory_days"]
    count["eia.committed_days"] = limits["eia_report"]["committed_days"]
    assert limits["eia_form"]["committed_days"] == limits["eia_report"]["committed_days"]
    return {f"permits.{name}": number for name, number in count.items()}


@EVERY
@pytest.mark.parametrize("seed", [1, 7])
def test_a_year_counts_exactly_what_was_asked_for(figures: Figures, seed: int) -> None:
    assert _counted(_replayed(figures, seed)) == figures


def test_the_published_figures_are_those_of_2024() -> None:
    assert _figures(26, 41, 14, 216, 5) == PUBLISHED


@EVERY
def test_every_day_in_the_year_is_a_working_day_and_nothing_counts_outside(
    figures: Figures,
) -> None:
    year = Year(2024)
    for line in _made(figures):
        assert year.calendar.is_workday(line.at.date()), line
        assert line.at.utcoffset() is not None
        if line.command in {"issue", "approve", "refuse"} and line.at.year != 2024:
            assert line.at.year == 2023


def test_what_is_committed_to_is_kept_unless_the_limit_was_extended() -> None:
    replay = _replayed(PUBLISHED)
    overdue = Counter(
        "extend" in case.facts
        for case in replay.of(PERMIT_APPLICATION).values()
        if (clock := case.clocks.get("committed")) and clock.state.ended
        if reckoning.reckon(
            clock.state,
            case.procedure.periods.at(clock.period, clock.state.started),
            replay.calendar,
            date(2024, 12, 31),
        ).overdue
    )
    assert overdue[False] == 0
    assert overdue[True] > 0


def test_no_statutory_limit_is_overrun() -> None:
    replay = _replayed(PUBLISHED)
    for ref, case in replay.of(PERMIT_APPLICATION).items():
        for name in ("statutory", "certificate"):
            clock = case.clocks.get(name)
            if clock and clock.state.ended:
                period = case.procedure.periods.at(clock.period, clock.state.started)
                stand = reckoning.reckon(clock.state, period, replay.calendar, date(2025, 6, 30))
                assert not stand.overdue, (ref, name)


def test_the_year_differs_from_case_to_case() -> None:
    cases = _replayed(PUBLISHED).of(PERMIT_APPLICATION).values()
    assert {case.state for case in cases} >= {
        "issued", "concluded", "approved", "refused", "revoked", "withdrawn", "lapsed",
        "not_accepted", "accepted",
    }  # fmt: skip
    taken = {command for case in cases for command in case.facts}
    assert taken >= {
        "request-supplement", "deem-accepted", "begin-special", "extend", "correct",
        "reject-correction",
    }  # fmt: skip
    assert {case.columns["kind"] for case in cases} == {"new", "renewal", "change", "reissue"}
    decided = {case.facts["approve"][-1]["on"][5:7] for case in cases if "approve" in case.facts}
    assert len(decided) == 12


def test_the_same_seed_makes_the_same_year_and_another_another() -> None:
    assert _made(PUBLISHED) == _made(PUBLISHED)
    assert _made(PUBLISHED, 8) != _made(PUBLISHED)


@pytest.mark.parametrize(
    "changed,reason",
    [
        ({"permits.eia.report.statutory_days": 61}, "法定时限为60"),
        ({"permits.eia.form.statutory_days": 60}, "法定时限为30"),
        ({"permits.eia.committed_days": 31}, "承诺时限31"),
        ({"permits.eia.committed_days": 0}, "承诺时限0"),
        ({"permits.eia.approved": -1}, "非负整数"),
    ],
)
def test_figures_that_contradict_the_law_are_refused(changed: dict[str, int], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        _made({**PUBLISHED, **changed})


def test_a_year_claims_nothing_so_that_it_loads_again_under_another_name() -> None:
    replay = Replay(PROCEDURES)
    assert not any(replay.apply(line).claims for line in _made(PUBLISHED))


def test_a_missing_figure_is_named() -> None:
    figures = dict(PUBLISHED)
    del figures["permits.radiation.issued"]
    with pytest.raises(ValueError, match=r"permits\.radiation\.issued"):
        _made(figures)
