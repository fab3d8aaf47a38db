"""What is asked of the statistics: sums of rollups, limits in force, how far events have come.

A query sums rollups, so that it costs by days and combinations, never by cases.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import orjson

from services.reporting.figures import FIGURES, Figure, InForce, Limit, Rate, Sum
from services.reporting.measures import DIMENSIONS, MEASURES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from shared.postgres.database import Database

_SERVED = "(SELECT generation FROM serving)"
_DIMENSIONS = ", ".join(dimension.name for dimension in DIMENSIONS)
_SUMMED = ", ".join(f"sum({it.name})::bigint AS {it.name}" for it in MEASURES)
_SUMS = f"""
SELECT {_DIMENSIONS}, {_SUMMED}
FROM combination AS c JOIN rollup AS r ON r.combination = c.id
WHERE r.generation = {_SERVED} AND c.bureau = $1 AND r.day BETWEEN $2 AND $3
GROUP BY {_DIMENSIONS}
"""  # noqa: S608 - names of our own columns
_REGISTERS = _SUMS.replace(
    "GROUP BY", "AND c.procedure IN ('catalogue-item', 'mediator', 'cross-event') GROUP BY"
)
_LIMITS = f"""
SELECT body FROM fact
WHERE generation = {_SERVED} AND bureau = $1 AND body ->> 'procedure' = 'time-limit'
"""  # noqa: S608 - a constant
_COVERAGE = f"""
SELECT count(*) + (SELECT count(*) FROM unreadable WHERE generation = {_SERVED}) AS parked,
       count(DISTINCT aggregate_id) AS waiting,
       (SELECT error IS NOT NULL FROM generation WHERE number = {_SERVED}) AS rebuild_due
FROM parked WHERE generation = {_SERVED} AND bureau = $1
"""  # noqa: S608 - a constant
_APPLIED = f"""
SELECT wanted.id FROM unnest($1::uuid[], $2::integer[]) AS wanted (id, version)
LEFT JOIN fact ON fact.generation = {_SERVED} AND fact.aggregate_id = wanted.id
WHERE fact.version IS NULL OR fact.version < wanted.version
"""  # noqa: S608 - a constant
_FACTS = f"""
SELECT aggregate_id AS id, version, state, hash FROM fact
WHERE generation = {_SERVED} AND topic = $1 AND aggregate_id > $2
ORDER BY aggregate_id LIMIT $3
"""  # noqa: S608 - a constant
_PARKED = f"""
SELECT id, topic, type, aggregate_id, version, reason, error, parked_at FROM parked
WHERE generation = {_SERVED}
UNION ALL
SELECT id, topic, '', NULL, NULL, 'unreadable',
    format('%s（分区 %s，位置 %s）', error, partition, place), parked_at
FROM unreadable WHERE generation = {_SERVED}
ORDER BY parked_at, id LIMIT $1
"""  # noqa: S608 - a constant
_STAMP = f"""
SELECT generation, sum(next_offset)::bigint AS applied FROM position
WHERE generation = {_SERVED} GROUP BY generation
"""  # noqa: S608 - a constant
_GENERATION = """
SELECT number AS generation, state, events, error,
       EXTRACT(EPOCH FROM coalesce(ended_at, now()) - started_at)::float8 AS seconds,
       (SELECT count(*) FROM fact WHERE generation = number) AS aggregates
FROM generation WHERE number = $1
"""

# By way of a timestamp without a zone: with one, every day would go through the zone's rules.
_BUCKETS = {
    "day": "r.day",
    "month": "date_trunc('month', r.day::timestamp)::date",
    "year": "date_trunc('year', r.day::timestamp)::date",
}
_PERCENT = Decimal(100)
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Asked:
    """A query of one measure."""

    measure: str
    dimensions: tuple[str, ...]
    begins: date
    ends: date
    bucket: str | None


@dataclass(frozen=True, slots=True)
class Reservations:
    """How many events are parked, how many aggregates wait behind them, and whether more is amiss.

    `rebuild_due`: a service's history went back in time, so that events count which are no more.
    """

    parked: int
    waiting: int
    rebuild_due: bool


class Queries:
    """Reads the served generation. `lag` gives how many seconds events are behind."""

    def __init__(self, database: Database, lag: Callable[[], float]) -> None:
        self._database = database
        self._lag = lag

    def standing(self) -> tuple[datetime, float]:
        """The instant up to which every event is counted (UTC), and how many seconds ago it was."""
        lag = max(self._lag(), 0.0)
        return datetime.now(UTC) - timedelta(seconds=lag), lag

    async def figures(self, bureau: str, year: int) -> list[tuple[Figure, str | None]]:
        """Every figure of a year with its value as a plain decimal, None where unknown."""
        begins, ends = date(year, 1, 1), date(year, 12, 31)
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            sums = [dict(row) for row in await connection.fetch(_SUMS, bureau, begins, ends)]
            registers = [
                dict(row) for row in await connection.fetch(_REGISTERS, bureau, date.min, ends)
            ]
            limits = [orjson.loads(row["body"]) for row in await connection.fetch(_LIMITS, bureau)]
        for row in sums:
            row["concluded"] = row["approved"] + row["refused"]
        return [(figure, _value(figure, sums, registers, limits, ends)) for figure in FIGURES]

    async def reservations(self, bureau: str) -> Reservations:
        """With what reservations a bureau's figures are to be read."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(_COVERAGE, bureau)
        assert row is not None  # noqa: S101 - an aggregate's single row
        return Reservations(row["parked"], row["waiting"], bool(row["rebuild_due"]))

    async def metrics(self, bureau: str, asked: Asked) -> list[dict[str, Any]]:
        """A measure by dimensions and bucket of time, in their order."""
        chosen = [f"c.{name}" for name in asked.dimensions]
        if asked.bucket is not None:
            chosen.insert(0, f"{_BUCKETS[asked.bucket]} AS bucket")
        columns = ", ".join([*chosen, f"sum(r.{asked.measure})::bigint AS value"])
        places = ", ".join(str(number) for number in range(1, len(chosen) + 1))
        grouped = f"GROUP BY {places} ORDER BY {places}" if chosen else ""
        query = f"""
            SELECT {columns} FROM combination AS c JOIN rollup AS r ON r.combination = c.id
            WHERE r.generation = {_SERVED} AND c.bureau = $1 AND r.day BETWEEN $2 AND $3
              AND r.{asked.measure} <> 0 {grouped}
        """  # noqa: S608 - names were looked up among our own
        async with self._database.connection() as connection:
            rows = await connection.fetch(query, bureau, asked.begins, asked.ends)
        return [dict(row) for row in rows if row["value"] is not None]

    async def not_applied(self, wanted: Sequence[tuple[UUID, int]]) -> list[UUID]:
        """Which aggregates have not reached a version yet."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                _APPLIED, [one for one, _ in wanted], [version for _, version in wanted]
            )
        return [row["id"] for row in rows]

    async def facts(self, topic: str, after: UUID, limit: int) -> list[dict[str, Any]]:
        """A topic's facts after an id, in the order of ids."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_FACTS, topic, after, limit)
        return [{**dict(row), "hash": row["hash"].hex()} for row in rows]

    async def parked(self, limit: int) -> list[dict[str, Any]]:
        """The events parked, the oldest first."""
        async with self._database.connection() as connection:
            return [dict(row) for row in await connection.fetch(_PARKED, limit)]

    async def stamp(self) -> tuple[int, int]:
        """A pair that changes whenever the statistics do."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(_STAMP)
        return (0, 0) if row is None else (row["generation"], row["applied"])

    async def generation(self, number: int) -> dict[str, Any] | None:
        """How building a generation stands."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(_GENERATION, number)
        return None if row is None else dict(row)


def _value(
    figure: Figure,
    sums: Sequence[Mapping[str, Any]],
    registers: Sequence[Mapping[str, Any]],
    limits: Sequence[Mapping[str, Any]],
    ends: date,
) -> str | None:
    match figure.computed:
        case None:
            return None
        case Sum() as wanted:
            return str(_sum(sums, wanted))
        case InForce(measure=measure, where=where):
            return str(_sum(registers, Sum(measure, where)))
        case Rate(numerator=numerator, denominator=denominator):
            return percent(_sum(sums, numerator), _sum(sums, denominator))
        case Limit(field=field, items=items):
            return _limit(limits, field, items, ends)


def _sum(rows: Sequence[Mapping[str, Any]], wanted: Sum) -> int:
    return sum(
        row[wanted.measure]
        for row in rows
        if all(row[name] in values for name, values in wanted.where.items())
    )


def percent(numerator: int, denominator: int) -> str | None:
    """A percentage to two decimals, half up, without trailing zeros; None of nothing."""
    if denominator == 0:
        return None
    rate = (_PERCENT * numerator / denominator).quantize(_CENT, ROUND_HALF_UP)
    return f"{rate:f}".rstrip("0").rstrip(".")


def _limit(
    bodies: Sequence[Mapping[str, Any]], field: str, items: Sequence[str], ends: date
) -> str | None:
    """The limit in force on a day; of several entries for one item, the one set last."""
    newest: dict[str, tuple[str, int]] = defaultdict(lambda: ("", 0))
    for body in bodies:
        taken = body["done"]
        [entry] = taken.get("set-limit") or [{"kind": "", "item": ""}]
        if entry["kind"] != "new" or entry["item"] not in items:
            continue
        withdrawn = sum(o["on"] <= ends.isoformat() for o in taken.get("withdraw-limit", ()))
        for said in (*taken.get("set-limit", ()), *taken.get("change-limit", ())):
            if said["withdraw-limit"] < withdrawn:
                continue  # and not put in force again since
            if newest[entry["item"]][0] <= said["on"] <= ends.isoformat():
                newest[entry["item"]] = (said["on"], said[field])
    if any(not newest[item][0] for item in items):
        return None
    return str(max(newest[item][1] for item in items))
