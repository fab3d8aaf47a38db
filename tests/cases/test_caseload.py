"""The synthetic year of cases: lawful at every step, and exactly its figures."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from services.cases.workflow import CATALOGUE_ITEM, PENALTY_CASE, PROCEDURES
from services.launch.caseload import cases
from services.launch.caseload.people import People
from services.launch.caseload.year import Year
from shared.clock import reckoning
from tests.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.launch.caseload.line import Line
    from tests.replay import Replayed

Figures = dict[str, int | Decimal]


def figures(
    causes: Sequence[int], *, minimum: int, exempted: int, police: int, seized: int,
    penalties: int, coercions: int, other: int = 0,
) -> Figures:  # fmt: skip
    """A set of figures; `causes` in the order of `cases.CAUSES`."""
    return {
        **{f"cases.penalised.{name}": n for name, n in zip(cases.CAUSES, causes, strict=True)},
        "cases.penalised": sum(causes) + other,
        "cases.minimum_penalty": minimum,
        "cases.exempted": exempted,
        "cases.transferred_to_police": police,
        "cases.seizures": seized,
        "cases.catalogue.penalties": penalties,
        "cases.catalogue.coercions": coercions,
    }


PUBLISHED = figures(
    [2, 16, 4, 3, 1], minimum=7, exempted=6, police=2, seized=1, penalties=339, coercions=15
)
NOTHING = figures([0] * 5, minimum=0, exempted=0, police=0, seized=0, penalties=0, coercions=0)
UNPUNISHED = figures([0] * 5, minimum=0, exempted=3, police=3, seized=2, penalties=0, coercions=1)
LARGER = figures(
    [5, 10, 9, 8, 4], minimum=12, exempted=20, police=9, seized=7, penalties=400, coercions=30,
    other=4,
)  # fmt: skip
LEAST = figures([1] * 5, minimum=5, exempted=0, police=1, seized=0, penalties=5, coercions=5)
CROWDED = figures(
    [0, 1, 0, 0, 0], minimum=0, exempted=1, police=6, seized=4, penalties=1, coercions=0, other=300
)


def made(wanted: Figures, seed: str = "1", year: int = 2024) -> list[Line]:
    """The lines in the order of their times, as they stand in a file."""
    lines = cases.lines(wanted, Year(year), People(), Random(seed))  # noqa: S311 - no secret
    return sorted(lines, key=lambda line: line.at)


def replayed(lines: Sequence[Line]) -> Replay:
    replay = Replay(PROCEDURES)
    for line in lines:
        replay.apply(line)
    return replay


def counted(replay: Replay, year: str) -> Figures:
    """Count what the figures count, from the facts as they stand after the corrections."""

    def within(case: Replayed, command: str) -> Mapping[str, Any] | None:
        fact = case.last(command)
        return fact if fact and fact["on"].startswith(year) else None

    penal = list(replay.of(PENALTY_CASE).values())
    penalised = [one for one in penal if within(one, "decide") and one.state != "revoked"]
    causes = Counter(one.columns["cause"] for one in penalised)
    items = Counter(
        one.columns["kind"]
        for one in replay.of(CATALOGUE_ITEM).values()
        if one.state == "in_force" and one.facts["claim-item"][0]["on"] <= f"{year}-12-31"
    )
    return {
        **{f"cases.penalised.{cause}": causes[cause] for cause in cases.CAUSES},
        "cases.penalised": len(penalised),
        "cases.minimum_penalty": sum(one.facts["decide"][0]["at_minimum"] for one in penalised),
        "cases.exempted": sum(
            bool((fact := within(one, "exempt")) and fact["minor"]) for one in penal
        ),
        "cases.transferred_to_police": sum(
            within(one, "transfer-to-police") is not None for one in penal
        ),
        "cases.seizures": sum(within(one, "seize") is not None for one in penal),
        "cases.catalogue.penalties": items["penalty"],
        "cases.catalogue.coercions": items["coercion"],
    }


@pytest.mark.parametrize("seed", ["1", "2", "3"])
@pytest.mark.parametrize(
    "wanted",
    [PUBLISHED, NOTHING, UNPUNISHED, LARGER, LEAST, CROWDED],
    ids=["published", "nothing", "unpunished", "larger", "least", "crowded"],
)
def test_a_lawful_year_adds_up_to_its_figures(wanted: Figures, seed: str) -> None:
    assert counted(replayed(made(wanted, seed)), "2024") == wanted


@pytest.mark.parametrize("year", [2025, 2026])
def test_another_year_is_lawful_too_also_the_one_of_the_code(year: int) -> None:
    assert counted(replayed(made(PUBLISHED, year=year)), str(year)) == PUBLISHED


def test_a_seed_gives_one_year_and_another_seed_another() -> None:
    assert made(PUBLISHED, "1") == made(PUBLISHED, "1")
    assert made(PUBLISHED, "1") != made(PUBLISHED, "2")


def test_a_case_keeps_the_order_of_its_commands_in_the_order_of_their_times() -> None:
    lines = list(cases.lines(PUBLISHED, Year(2024), People(), Random("1")))  # noqa: S311 - no secret
    ordered = sorted(lines, key=lambda line: line.at)
    for ref in {line.ref for line in lines}:
        times = [line.at for line in lines if line.ref == ref]
        assert times == sorted(set(times))
        assert [line for line in ordered if line.ref == ref] == [
            line for line in lines if line.ref == ref
        ]


def test_a_year_holds_more_than_what_is_counted() -> None:
    replay = replayed(made(PUBLISHED))
    states = Counter(case.state for case in replay.of(PENALTY_CASE).values())
    assert states["not_filed"] == cases.NOT_FILED
    assert states["revoked"] == 1
    assert states["dismissed"] == 2
    faultless = [
        case
        for case in replay.of(PENALTY_CASE).values()
        if case.last("exempt") and not case.facts["exempt"][0]["minor"]
    ]
    assert len(faultless) == 1
    before = [
        case
        for case in replay.of(PENALTY_CASE).values()
        if case.last("decide") and case.facts["decide"][0]["on"] < "2024-01-01"
    ]
    assert len(before) == 1


def test_a_busy_year_takes_every_command_but_one() -> None:
    taken = {line.command for line in made(LARGER)}
    every = {row.command for procedure in PROCEDURES for row in procedure.rows}
    assert every - taken == {"revoke-closed"}


def test_durations_differ_and_nearly_every_deadline_is_kept() -> None:
    replay = replayed(made(PUBLISHED))
    ended = [
        (clock, PENALTY_CASE.periods.at(clock.period, clock.state.started))
        for case in replay.of(PENALTY_CASE).values()
        for name, clock in case.clocks.items()
        if clock.state.ended and name != "payment"
    ]
    stands = [
        reckoning.reckon(clock.state, period, replay.calendar, clock.state.ended)
        for clock, period in ended
        if clock.state.ended
    ]
    assert sum(stand.overdue for stand in stands) <= len(stands) // 20
    assert len({stand.elapsed for stand in stands}) > 20


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"cases.penalised": 25}, "各案由合计26件，多于行政处罚案件25件"),
        ({"cases.minimum_penalty": 27}, "法定最低处罚27件，多于行政处罚案件26件"),
        ({"cases.exempted": -1}, "非负整数"),
        ({"cases.seizures": Decimal("1.5")}, "非负整数"),
    ],
)
def test_figures_that_contradict_themselves_are_refused(changes: Figures, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        made(PUBLISHED | changes)


@pytest.mark.parametrize("missing", sorted(PUBLISHED))
def test_a_missing_figure_is_named(missing: str) -> None:
    with pytest.raises(ValueError, match=f"缺少指标 {missing}$"):
        made({name: value for name, value in PUBLISHED.items() if name != missing})
