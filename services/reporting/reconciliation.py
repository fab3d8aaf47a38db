"""Whether the rollups are the sums of what the facts contribute, in one snapshot.

Facts and rollups are written by the same commit, so that they agree at every moment; where they do
not, one of them was edited.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from services.reporting.measures import DIMENSIONS, MEASURES
from services.reporting.projection import Cell, difference
from shared.consumer.projection import Change
from shared.http.problem import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    import asyncpg

    from shared.postgres.database import Connection, Database

FACTS_AT_ONCE = 2_000
NAMED = 1_000
# Reads alone, so that it holds nobody's events back; the role's limits are for commands.
_UNHURRIED = {"statement_timeout": "10min", "transaction_timeout": "10min"}
_SERVED = "(SELECT generation FROM serving)"
_FACTS = f"SELECT aggregate_id, topic, bureau, body FROM fact WHERE generation = {_SERVED}"  # noqa: S608 - a constant
_DIMENSIONS = ", ".join(
    f"coalesce(c.{name}, '?')" for name in ("bureau", *(one.name for one in DIMENSIONS))
)
_SUMS = f"""
SELECT r.day::text, {_DIMENSIONS}, {", ".join(f"sum(r.{one.name})" for one in MEASURES)}
FROM rollup AS r LEFT JOIN combination AS c ON c.id = r.combination
WHERE r.generation = {_SERVED} GROUP BY 1, 2, 3, 4, 5, 6
"""  # noqa: S608 - names of our own columns


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A measure of a cell: what the rollups hold, and what the facts sum up to."""

    cell: Cell
    measure: str
    rolled_up: int
    summed: int


@dataclass(slots=True)
class Reconciliation:
    """What was compared: facts and cells; facts that cannot be read, and cells that disagree."""

    facts: int = 0
    cells: int = 0
    unreadable: list[UUID] = field(default_factory=list)
    disagreements: list[Disagreement] = field(default_factory=list)


class Reconciler:
    """Compares the served generation with itself, one comparison at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._busy = asyncio.Lock()

    async def compare(self) -> Reconciliation:
        """Compare; raises `Unavailable` while another comparison is under way."""
        if self._busy.locked():
            raise Unavailable("已有一次统计核对正在进行", retry_after=5)
        async with self._busy:
            connection = await self._database.connect(_UNHURRIED)
            try:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    return await _compare(connection)
            finally:
                connection.terminate()


async def _compare(connection: Connection) -> Reconciliation:
    result = Reconciliation()
    summed: dict[Cell, list[int]] = {}
    cursor = await connection.cursor(_FACTS)
    while rows := await cursor.fetch(FACTS_AT_ONCE):
        await asyncio.to_thread(_add, rows, summed, result)
    rolled_up = {
        Cell(0, *row[:6]): list(map(int, row[6:])) for row in await connection.fetch(_SUMS)
    }
    result.cells = len(rolled_up)
    result.disagreements = _disagreements(rolled_up, summed)
    return result


def _add(
    rows: Sequence[asyncpg.Record], summed: dict[Cell, list[int]], result: Reconciliation
) -> None:
    result.facts += len(rows)
    for aggregate_id, topic, bureau, body in rows:
        try:
            change = Change(0, topic, bureau, None, orjson.loads(body))
            contributed = difference([change])
            _refuse_unsound(contributed)
        except (AttributeError, LookupError, TypeError, ValueError):
            result.unreadable.append(aggregate_id)
            continue
        for cell, sums in contributed.items():
            so_far = summed.get(cell)
            summed[cell] = (
                sums if so_far is None else [a + b for a, b in zip(so_far, sums, strict=True)]
            )


def _refuse_unsound(contributed: Mapping[Cell, Sequence[object]]) -> None:
    """Raise TypeError for what no fold of ours gives: an edited body may hold anything."""
    for cell, sums in contributed.items():
        texts = all(isinstance(dimension, str) for dimension in cell[1:])
        if not texts or not all(type(one) is int for one in sums):
            raise TypeError(cell)


def _disagreements(
    rolled_up: dict[Cell, list[int]], summed: dict[Cell, list[int]]
) -> list[Disagreement]:
    nothing = [0] * len(MEASURES)
    return [
        Disagreement(cell, measure.name, held, wanted)
        for cell in sorted({*rolled_up, *summed})
        for measure, held, wanted in zip(
            MEASURES, rolled_up.get(cell, nothing), summed.get(cell, nothing), strict=True
        )
        if held != wanted
    ]
