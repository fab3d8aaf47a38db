"""The statistics as a projection: what each aggregate contributes, summed by day and dimensions."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from services.reporting.folds import COUNTS, TYPES
from services.reporting.folds.notes import note
from services.reporting.measures import DIMENSIONS, MEASURES
from services.reporting.shape import SHAPE
from shared.consumer.projection import UnfitEventError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from services.reporting.folds.notes import Counted
    from shared.consumer.projection import Change
    from shared.consumer.working_set import Body
    from shared.events.envelope import Envelope
    from shared.postgres.database import Connection

COLUMNS = tuple(measure.name for measure in MEASURES)
_PLACE = {name: number for number, name in enumerate(COLUMNS)}
_DIMENSIONS = ("bureau", *(dimension.name for dimension in DIMENSIONS))
_KEY = ("combination", "day", "partition")

_PREPARE = f"""
CREATE TEMPORARY TABLE incoming_rollup (
    combination bigint, day date, partition integer,
    {", ".join(f"{name} bigint" for name in COLUMNS)}
) ON COMMIT DELETE ROWS
"""
_TEXTS = ", ".join(f"${number}::text[]" for number, _ in enumerate(_DIMENSIONS, 2))
_COMBINE = f"""
INSERT INTO combination (id, {", ".join(_DIMENSIONS)})
SELECT * FROM unnest($1::bigint[], {_TEXTS}) ON CONFLICT DO NOTHING
"""  # noqa: S608 - the columns are ours
_MERGE = f"""
INSERT INTO rollup (generation, {", ".join(_KEY)}, {", ".join(COLUMNS)})
SELECT $1, {", ".join(_KEY)}, {", ".join(COLUMNS)} FROM incoming_rollup ORDER BY {", ".join(_KEY)}
ON CONFLICT (generation, {", ".join(_KEY)}) DO UPDATE SET
    {", ".join(f"{name} = rollup.{name} + excluded.{name}" for name in COLUMNS)}
"""  # noqa: S608 - the columns are ours


class Cell(NamedTuple):
    """Where a contribution is summed."""

    partition: int
    day: str
    bureau: str
    service: str
    procedure: str
    kind: str
    channel: str


class Statistics:
    """Folds every service's events and keeps the rollups."""

    shape = SHAPE
    tables: Sequence[str] = ("rollup",)

    def fold(self, body: Body | None, event: Envelope) -> Body:
        """Note an event; raises `UnfitEventError` for one of an unknown type."""
        noted = TYPES.get(event.type)
        if noted is None:
            raise UnfitEventError(f"unknown type {event.type}")
        return note(noted, body, event)

    async def prepare(self, connection: Connection) -> None:
        """Make the temporary table of differences."""
        await connection.execute(_PREPARE)

    async def write(
        self, connection: Connection, generation: int, changes: Sequence[Change]
    ) -> None:
        """Add the difference between what the aggregates contributed and what they do now."""
        differences = {cell: sums for cell, sums in difference(changes).items() if any(sums)}
        if not differences:
            return
        combinations = {cell[2:]: combination_id(*cell[2:]) for cell in differences}
        ordered = sorted((number, *dims) for dims, number in combinations.items())
        await connection.execute(_COMBINE, *(list(column) for column in zip(*ordered, strict=True)))
        await connection.copy_records_to_table(
            "incoming_rollup",
            records=[
                (combinations[cell[2:]], date.fromisoformat(cell.day), cell.partition, *sums)
                for cell, sums in differences.items()
            ],
            columns=(*_KEY, *COLUMNS),
        )
        await connection.execute(_MERGE, generation)


def contributions(body: Body) -> Iterable[Counted]:
    """What an aggregate contributes to the rollups."""
    return COUNTS[body["procedure"]](body["done"])


def difference(changes: Iterable[Change]) -> dict[Cell, list[int]]:
    """Sum up what changes add to each cell, by measure."""
    cells: dict[Cell, list[int]] = defaultdict(lambda: [0] * len(COLUMNS))
    for partition, topic, bureau, before, after in changes:
        for body, sign in ((before, -1), (after, 1)):
            if body is None:
                continue
            procedure = body["procedure"]
            for measure, on, kind, channel, amount in contributions(body):
                cell = Cell(partition, on, bureau, topic, procedure, kind, channel)
                cells[cell][_PLACE[measure]] += sign * amount
    return cells


def combination_id(*dimensions: str) -> int:
    """The number of a combination, made of its dimensions alone.

    So every instance and every generation knows it without asking the database. 63 bits: among a
    million combinations two would share a number with a probability of 1 in 18 million.
    """
    digest = blake2b("\0".join(dimensions).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1
