"""What a dashboard reads: its own bureau's days and combinations, whatever else there is."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from services.reporting.queries import Asked, Queries
from tests.event_history import BUREAU

if TYPE_CHECKING:
    from tests.reporting.conftest import Told

BUREAUS, KINDS, YEARS, DAYS = 12, 4, 3, 366
_FILL = f"""
WITH made AS (
    INSERT INTO combination (id, bureau, service, procedure, kind, channel)
    SELECT bureau * {KINDS} + kind, ({BUREAU} + bureau)::text, 'cases', 'penalty-case', 'kind-' || kind, ''
    FROM generate_series(0, {BUREAUS - 1}) AS bureau, generate_series(0, {KINDS - 1}) AS kind
    RETURNING id
)
INSERT INTO rollup (generation, day, combination, partition, clues)
SELECT generation, date '2022-12-31' + day, id, 0, 1
FROM serving, generate_series(1, {YEARS * DAYS - 2}) AS day, made ORDER BY day, id
"""
# `pg_stat_force_next_flush`: what this connection has counted is told at its transaction's end.
_READ = """
SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables
WHERE relid = 'rollup'::regclass
"""


@pytest.mark.parametrize(
    "begins, ends, rows",
    [
        (date(2024, 1, 1), date(2024, 12, 31), KINDS * DAYS),
        (date(2024, 3, 1), date(2024, 3, 31), KINDS * 31),
    ],
)
async def test_it_reads_its_own_bureaus_days_alone(
    told: Told, begins: date, ends: date, rows: int
) -> None:
    async with told.database.connection() as connection:
        await connection.execute(_FILL)
        await connection.execute("ANALYZE rollup, combination")
    before = await rows_read(told)
    months = await Queries(told.database, lambda: 0.0).metrics(
        BUREAU, Asked("clues", ("kind",), begins, ends, "month")
    )
    assert await rows_read(told) - before == rows
    assert sum(row["value"] for row in months) == rows
    assert [row["bucket"] for row in months[:KINDS]] == [begins] * KINDS


async def rows_read(told: Told) -> Any:
    async with told.database.connection() as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        return await connection.fetchval(_READ)
