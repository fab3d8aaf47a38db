"""The rollups of many facts, made in SQL: each fact falls on a day and a combination at random."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product

import asyncpg

from services.reporting.projection import combination_id

BUREAU = "500152"
LAST = date(2024, 12, 31)
_KINDS = {
    ("cases", "penalty-case"): (
        ("air", "water", "solid_waste", "unapproved_construction", "three_simultaneities"),
        ("monitoring", "inspection"),
    ),
    ("permits", "eia"): (("eia_report", "eia_form"), ("online",)),
    ("complaints", "complaint"): (("air", "water", "noise"), ("hotline",)),
}
_COMBINE = """
INSERT INTO reporting.combination (id, bureau, service, procedure, kind, channel)
VALUES ($1, $2, $3, $4, $5, $6)
"""
_ROLL = """
INSERT INTO reporting.rollup (generation, day, combination, partition, clues, filed, fined_fen)
SELECT (SELECT generation FROM reporting.serving), day, ($3::bigint[])[place], 0,
    count(*), count(*), 100000 * count(*)
FROM (
    SELECT $2::date + floor(random() * $4)::integer AS day,
        1 + floor(random() * cardinality($3::bigint[]))::integer AS place
    FROM generate_series(1, $1::integer)
) AS fact
GROUP BY day, place ORDER BY day, place
"""


@dataclass(frozen=True, slots=True)
class Rolled:
    """Facts of so many bureaus and years that end with 2024."""

    facts: int
    bureaus: int
    years: int


BUREAU_YEAR = Rolled(10_000, 1, 1)
CITY = Rolled(10_000_000, 38, 5)
"""Each of 38 bureaus has five times a bureau-year's facts a year.

The bureau and year asked for have the same days and combinations in both, nearly all of them taken.
"""


async def load(url: str, rolled: Rolled) -> None:
    """Load into a database that serves a generation; `url` is that of a superuser."""
    first = date(LAST.year - rolled.years + 1, 1, 1)
    combinations = [
        (BUREAU if number == 0 else f"{int(BUREAU) + number}", *source, kind, channel)
        for number in range(rolled.bureaus)
        for source, (kinds, channels) in _KINDS.items()
        for kind, channel in product(kinds, channels)
    ]
    ids = [combination_id(*dimensions) for dimensions in combinations]
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET work_mem = '512MB'; SET synchronous_commit = off")
        rows = [(number, *dims) for number, dims in zip(ids, combinations, strict=True)]
        await connection.executemany(_COMBINE, rows)
        days = (LAST - first + timedelta(days=1)).days
        await connection.execute(_ROLL, rolled.facts, first, ids, days)
        await connection.execute("VACUUM (FREEZE, ANALYZE) reporting.rollup")
        await connection.execute("ANALYZE reporting.combination")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
