"""An edited fact or rollup is found, and the cell that it changed is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from services.reporting.reconciliation import Reconciler, Reconciliation
from shared.http.problem import Unavailable
from tests.event_history import Story

if TYPE_CHECKING:
    from tests.reporting.conftest import Told


async def counted(told: Told) -> Story:
    """A case that was penalised, and one that was not filed."""
    case, clue = Story("cases"), Story("cases")
    await told.tell(
        case,
        ("clue-registered", "2024-01-02", {"source": "monitoring"}),
        ("case-filed", "2024-01-05", {"cause": "air"}),
        ("penalty-decided", "2024-05-06", {"amount": "150000.50", "at_minimum": False}),
    )
    await told.tell(clue, ("clue-registered", "2024-01-02", {"source": "inspection"}))
    return case


async def compared(told: Told, *statements: str) -> Reconciliation:
    async with told.database.connection() as connection:
        for statement in statements:
            await connection.execute(statement)
    return await Reconciler(told.database).compare()


def named(found: Reconciliation) -> list[tuple[str, str, str, int, int]]:
    return [
        (one.cell.day, one.cell.kind, one.measure, one.rolled_up, one.summed)
        for one in found.disagreements
    ]


async def test_what_nobody_touched_agrees(told: Told) -> None:
    await counted(told)
    found = await compared(told)
    assert (found.facts, found.disagreements, found.unreadable) == (2, [], [])
    assert found.cells > 0


async def test_a_corrected_case_agrees(told: Told) -> None:
    case = await counted(told)
    change = {"target": "decide", "occurrence": 0, "changes": {"amount": "100.00"}}
    await told.tell(case, ("case-corrected", "2024-06-01", change))
    assert (await compared(told)).disagreements == []


async def test_an_edited_rollup_is_named(told: Told) -> None:
    await counted(told)
    found = await compared(
        told, "UPDATE rollup SET penalised = penalised + 1 WHERE day = '2024-05-06'"
    )
    assert named(found) == [("2024-05-06", "air", "penalised", 2, 1)]


async def test_a_removed_rollup_is_named(told: Told) -> None:
    await counted(told)
    found = await compared(told, "DELETE FROM rollup WHERE day = '2024-05-06'")
    assert named(found) == [
        ("2024-05-06", "air", "penalised", 0, 1),
        ("2024-05-06", "air", "fined_fen", 0, 15_000_050),
    ]


async def test_a_rollup_put_in_is_named(told: Told) -> None:
    await counted(told)
    found = await compared(
        told,
        "INSERT INTO rollup (generation, day, combination, partition, issued)"
        " SELECT generation, '2024-07-01', 77, 0, 5 FROM serving",
    )
    assert named(found) == [("2024-07-01", "?", "issued", 5, 0)]


async def test_an_edited_combination_is_named(told: Told) -> None:
    await counted(told)
    found = await compared(told, "UPDATE combination SET kind = 'water' WHERE kind = 'air'")
    assert ("2024-05-06", "air", "penalised", 0, 1) in named(found)
    assert ("2024-05-06", "water", "penalised", 1, 0) in named(found)


@pytest.mark.parametrize(
    "old, new, cell",
    [
        ("15000050", "15000051", ("2024-05-06", "air", "fined_fen", 15_000_050, 15_000_051)),
        ("2024-05-06", "2023-05-06", ("2023-05-06", "air", "penalised", 0, 1)),
        ("2024-05-06", "some day", ("some day", "air", "penalised", 0, 1)),
        ('"air"', '"water"', ("2024-05-06", "water", "penalised", 0, 1)),
        ("false", "true", ("2024-05-06", "air", "minimum_penalty", 0, 1)),
    ],
)
async def test_an_edited_fact_is_named_by_the_cell_it_counts_in(
    told: Told, old: str, new: str, cell: tuple[str, str, str, int, int]
) -> None:
    await counted(told)
    found = await compared(
        told,
        f"UPDATE fact SET body = replace(body::text, '{old}', '{new}')::jsonb",
    )
    assert cell in named(found)


async def test_a_removed_fact_is_named_by_its_cells(told: Told) -> None:
    case = await counted(told)
    found = await compared(told, f"DELETE FROM fact WHERE aggregate_id = '{case.id}'")
    assert ("2024-05-06", "air", "penalised", 1, 0) in named(found)


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "[]",
        '{"procedure": "penalty-case", "done": {"decide": [{}]}}',
        '{"procedure": "penalty-case", "done": {"register": [{"on": 5, "source": "x"}]}}',
        '{"procedure": "penalty-case", "done": {"register": [{"on": "2024-01-02"}]}}',
        '{"procedure": "mediator", "done": {"appoint-mediator": [{"on": null}]}}',
    ],
)
async def test_a_fact_whose_body_is_nonsense_is_named(told: Told, body: str) -> None:
    case = await counted(told)
    found = await compared(
        told,
        f"UPDATE fact SET body = '{body}' WHERE aggregate_id = '{case.id}'",
    )
    assert found.unreadable == [case.id]


async def test_a_sum_beyond_every_column_is_still_named(told: Told) -> None:
    await counted(told)
    found = await compared(
        told,
        "UPDATE rollup SET clues = 9223372036854775807",
        "INSERT INTO rollup (generation, day, combination, partition, clues)"
        " SELECT generation, day, combination, 5, clues FROM rollup",
    )
    assert 2**64 - 2 in {rolled_up for *_, rolled_up, _ in named(found)}


async def test_one_comparison_at_a_time(told: Told) -> None:
    reconciler = Reconciler(told.database)
    await reconciler._busy.acquire()
    with pytest.raises(Unavailable, match="正在进行"):
        await reconciler.compare()
