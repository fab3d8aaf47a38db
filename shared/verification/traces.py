"""What stands beside the events and names an aggregate: what is left of one that was removed.

Records of commands (幂等记录), free texts, claims and persons are written by the statement that
writes the event. Where one is left and the event is not, the event was removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from sqlalchemy.dialects import postgresql as pg

from shared.http.problem import InvalidInput
from shared.verification.findings import Finding, TraceVerification

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg
    import sqlalchemy as sa

    from shared.postgres.database import Database
    from shared.workflow.tables import ServiceTables


@dataclass(frozen=True, slots=True)
class _Kind:
    """A table whose rows name an aggregate, walked in the order of its key."""

    title: str
    table: sa.Table
    versions: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of its primary key."""
        return tuple(column.name for column in self.table.primary_key)

    def query(self, *, begins: bool) -> str:
        """The rows after a key ($2 …), or the first ones; $1 is how many."""
        version = "t.aggregate_version" if self.versions else "NULL::integer"
        exact = f" AND event.aggregate_version = {version}" if self.versions else ""
        places = ", ".join(f"${number}" for number, _ in enumerate(self.key, 2))
        order = ", ".join(f"t.{name}" for name in self.key)
        return f"""
            SELECT {order}, t.aggregate_id, {version} AS version,
                   EXISTS (SELECT FROM event WHERE event.aggregate_id = t.aggregate_id{exact})
                       AS stands
            FROM {self.table.name} AS t {"" if begins else f"WHERE ({order}) > ({places})"}
            ORDER BY {order} LIMIT $1
        """

    def read_key(self, parts: Sequence[Any]) -> list[Any]:
        """Read a key from a cursor; raises ValueError or TypeError where it is none."""
        columns = self.table.primary_key
        return [_read(column, part) for column, part in zip(columns, parts, strict=True)]


def _read(column: sa.Column[Any], part: Any) -> Any:
    if isinstance(column.type, pg.UUID):
        return UUID(part)
    if not isinstance(part, str) or "\0" in part:
        raise TypeError(part)
    return part


class TraceAudit:
    """Looks for rows whose aggregate, or event, is gone."""

    def __init__(self, tables: ServiceTables, database: Database) -> None:
        self._database = database
        kinds = (
            _Kind("幂等记录", tables.idempotency, versions=True),
            _Kind("具体内容", tables.particulars),
            _Kind("文号或行为的占用", tables.claim),
            *(_Kind("人员登记", table) for table in tables.persons.values()),
        )
        self._kinds = {kind.table.name: kind for kind in kinds}

    async def verify(self, after: str, limit: int) -> TraceVerification:
        """Walk some rows of one table; raises `InvalidInput` for a cursor that is none of ours."""
        kind, key = self._place(after)
        async with self._database.connection() as connection:
            rows = await connection.fetch(kind.query(begins=not key), limit, *key)
        gone = {(row["aggregate_id"], row["version"]) for row in rows if not row["stands"]}
        missing = "这一版的事件" if kind.versions else "该事项的事件"
        return TraceVerification(
            rows=len(rows),
            findings=[
                Finding(
                    aggregate_id=aggregate_id,
                    version=version,
                    what="removed",
                    reason=f"留有{kind.title}，而{missing}已不在",
                )
                for aggregate_id, version in sorted(gone, key=str)
            ],
            next=self._next(kind, rows, limit),
        )

    def _place(self, after: str) -> tuple[_Kind, Sequence[Any]]:
        """Read a cursor, JSON: the table, and its last key where one was read."""
        if not after:
            return next(iter(self._kinds.values())), ()
        try:
            table, *key = orjson.loads(after)
            kind = self._kinds[table]
            return kind, kind.read_key(key) if key else ()
        except (AttributeError, KeyError, TypeError, ValueError):
            raise InvalidInput("应为上一页的 next", field="after") from None

    def _next(self, kind: _Kind, rows: Sequence[asyncpg.Record], limit: int) -> str | None:
        if len(rows) == limit:
            key = (str(rows[-1][name]) for name in kind.key)
            return orjson.dumps([kind.table.name, *key]).decode()
        names = list(self._kinds)
        following = names[names.index(kind.table.name) + 1 :]
        return orjson.dumps(following[:1]).decode() if following else None
