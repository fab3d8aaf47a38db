"""The one statement that a command writes: state, event, record and what stands beside them.

What makes a command slow is round trips and commits. So a command that changes anything is one
statement, in which all else is selected from the compare-and-set of the state row: where another
command was faster nothing is written at all. Built once for each shape from the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from shared.events.table import WRITTEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    import asyncpg

    from shared.workflow.tables import ServiceTables

PERSON_SAID = ("kind", "name", "code", "id_number", "phone", "address")
PERSON = ("id", "bureau", "aggregate_id", *PERSON_SAID)
PARTICULARS = ("id", "bureau", "aggregate_id", "content")
IDEMPOTENCY = ("bureau", "key", "fingerprint", "aggregate_id", "aggregate_version")
OPENED = ("id", "bureau", "opened_at", "stepped_at")
MOVED = ("state", "version", "hash", "facts", "clocks")
STEPPED = "stepped_at"
PARTY = ("party_id", "party_name", "words")

_DIALECT = pg.dialect()  # type: ignore[no-untyped-call]


class Shape(NamedTuple):
    """What a command writes beside state, event and record."""

    aggregate: str
    opens: bool
    steps: bool
    columns: tuple[str, ...]
    party: bool = False
    particulars: bool = False
    persons: tuple[str, ...] = ()
    claims: bool = False


# What stands in several rows at once is one parameter, named as in the event.
_SAME = {
    "row.id": "aggregate_id",
    "row.state": "state",
    "row.version": "aggregate_version",
    "row.hash": "hash",
    "row.opened_at": "occurred_at",
    "row.stepped_at": "occurred_at",
    "record.key": "idempotency_key",
    "record.aggregate_version": "aggregate_version",
}
_EVERYWHERE = ("bureau", "aggregate_id")


class _Parameters:
    """Numbers parameters as they are first named, each cast to its column's type."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, group: str, column: sa.Column[Any]) -> str:
        name = f"{group}.{column.name}"
        if group == "event" or column.name in _EVERYWHERE:
            name = column.name
        name = _SAME.get(name, name)
        # JSON goes as text, which the driver passes on without asking a codec of ours.
        cast = "text::jsonb" if isinstance(column.type, pg.JSONB) else _type_of(column)
        return f"{self.number(name)}::{cast}"

    def number(self, name: str) -> str:
        """The placeholder of a parameter."""
        if name not in self.names:
            self.names.append(name)
        return f"${self.names.index(name) + 1}"


def _type_of(column: sa.Column[Any]) -> str:
    return str(column.type.compile(_DIALECT))


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with the names of its parameters in order.

    An event's columns go by their names, the rest as `group.column`.
    """

    sql: str
    names: tuple[str, ...]

    async def run(self, connection: Any, values: Mapping[str, Any]) -> asyncpg.Record | None:
        """Run it; the answer is None where the compare-and-set found another version."""
        record: asyncpg.Record | None = await connection.fetchrow(
            self.sql, *[values[name] for name in self.names]
        )
        return record


class Statements:
    """A service's write statements, built when first needed and kept."""

    def __init__(self, tables: ServiceTables) -> None:
        self._tables = tables
        self.of = lru_cache(maxsize=None)(self._build)

    def _build(self, shape: Shape) -> Statement:
        tables = self._tables
        parameters = _Parameters()
        parts = [self._moved(shape, parameters)]

        def insert(cte: str, table: sa.Table, group: str, columns: tuple[str, ...]) -> None:
            selected = ", ".join(parameters(group, table.c[column]) for column in columns)
            parts.append(
                f"{cte} AS (INSERT INTO {table.name} ({', '.join(columns)})"
                f" SELECT {selected} FROM moved)"
            )

        insert("recorded", tables.event, "event", WRITTEN)
        insert("answered", tables.idempotency, "record", IDEMPOTENCY)
        if shape.particulars:
            insert("said", tables.particulars, "particulars", PARTICULARS)
        for field in shape.persons:
            name, _, table = field.partition(":")
            insert(f"person_{name}", tables.persons[table], f"person_{name}", PERSON)
        if shape.claims:
            claim = tables.claim
            kinds, keys = (f"{parameters.number(f'claims.{of}')}::text[]" for of in ("kind", "key"))
            parts.append(
                f"claimed AS (INSERT INTO {claim.name} (bureau, kind, key, aggregate_id)"
                f" SELECT moved.bureau, kind, key, moved.id"
                f" FROM moved, unnest({kinds}, {keys}) AS wanted (kind, key))"
            )
        sql = "WITH " + ",\n".join(parts) + "\nSELECT id FROM moved"
        return Statement(sql, tuple(parameters.names))

    def _moved(self, shape: Shape, parameters: _Parameters) -> str:
        table = self._tables.aggregates[shape.aggregate]
        columns = [*MOVED, *shape.columns]
        if shape.party or shape.opens:
            columns += PARTY
        if shape.opens:
            columns = [*OPENED, *columns]
            values = ", ".join(parameters("row", table.c[column]) for column in columns)
            return (
                f"moved AS (INSERT INTO {table.name} ({', '.join(columns)})"
                f" VALUES ({values}) RETURNING id, bureau)"
            )
        if shape.steps:
            columns.append(STEPPED)
        changes = ", ".join(
            f"{column} = {parameters('row', table.c[column])}" for column in columns
        )
        read = f"{parameters.number('read_version')}::integer"
        return (
            f"moved AS (UPDATE {table.name} SET {changes}"
            f" WHERE id = {parameters('row', table.c.id)} AND version = {read}"
            f" RETURNING id, bureau)"
        )


def read_sql(table: sa.Table) -> str:
    """Write the one select before a step: the state row and the idempotency record together.

    Parameters: aggregate id, bureau, idempotency key.
    """
    columns = ("bureau", "state", "version", "hash", "opened_at", "stepped_at", "facts", "clocks")
    selected = ", ".join(f"a.{column}" for column in columns)
    return (
        f"SELECT {selected}, k.fingerprint, k.aggregate_id AS answered_id,"
        f" k.aggregate_version AS answered_version"
        f" FROM (SELECT $1::uuid AS id, $2::text AS bureau, $3::text AS key) AS asked"
        f" LEFT JOIN {table.name} AS a ON a.id = asked.id"
        f" LEFT JOIN idempotency AS k ON k.bureau = asked.bureau AND k.key = asked.key"
    )


ANSWERED_SQL = (
    "SELECT k.fingerprint, e.id, e.aggregate_id, e.aggregate_version, e.type, e.state,"
    " e.occurred_at, e.recorded_at FROM idempotency AS k JOIN event AS e"
    " ON e.aggregate_id = k.aggregate_id AND e.aggregate_version = k.aggregate_version"
    " WHERE k.bureau = $1 AND k.key = $2"
)
