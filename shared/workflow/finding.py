"""Finding words in a list that is read newest first.

A frequent word is found by walking the list's own order, a rare one by the index on words; the
other way round each takes seconds at a million rows. Statistics cannot choose: they know how often
a word occurs in all bureaus together, and nothing of a word that is rare. So the newest rows are
looked through first, which fills the page where the word is frequent, and else says how rare it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

LOOKED_THROUGH = 500
WORTH_WALKING = 5
"""Rows found among those looked through, from which on walking further beats the index."""


async def find_newest(
    connection: AsyncConnection,
    query: sa.Select[Any],
    table: sa.Table,
    words: Sequence[str],
    wanted: int,
) -> Sequence[sa.RowMapping]:
    """The newest rows of `query`, which selects from `table`, that hold all `words`."""

    async def found(how: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        rows: Sequence[sa.RowMapping] = (await connection.execute(how)).mappings().all()
        return rows

    rows = await found(by_walking(query, table, words, wanted, LOOKED_THROUGH))
    if WORTH_WALKING <= len(rows) < wanted:
        further = LOOKED_THROUGH * wanted * 2 // len(rows)
        rows = await found(by_walking(query, table, words, wanted, further))
    return rows if len(rows) == wanted else await found(by_index(query, table, words, wanted))


def by_walking(
    query: sa.Select[Any], table: sa.Table, words: Sequence[str], wanted: int, rows: int
) -> sa.Select[Any]:
    """Look through the newest rows in the list's order, no more of them than given."""
    newest = query.add_columns(table.c.words).order_by(table.c.id.desc()).limit(rows).subquery()
    columns = [newest.c[column.name] for column in query.selected_columns]
    return (
        sa.select(*columns)
        .where(newest.c.words.contains(words))
        .order_by(newest.c.id.desc())
        .limit(wanted)
    )


def by_index(
    query: sa.Select[Any], table: sa.Table, words: Sequence[str], wanted: int
) -> sa.Select[Any]:
    """Gather every row first, by the index on words, so that no order tempts into walking."""
    every = query.where(table.c.words.contains(words)).cte("every").prefix_with("MATERIALIZED")
    return sa.select(*every.c).order_by(every.c.id.desc()).limit(wanted)
