"""What an auditor asks of a service: its state rows and events side by side, and the hash chains.

`GET /aggregates` pages through what reconciliation compares. `GET /verification` walks every
chain and names each row that was edited, removed or put elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from shared.events.hashing import canonical, event_hash
from shared.events.table import WRITTEN
from shared.http.problem import RoleForbidden
from shared.identity.caller import Caller
from shared.identity.dependency import CurrentCaller
from shared.identity.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import asyncpg

    from shared.postgres.database import Database
    from shared.workflow.tables import ServiceTables

AUDITORS = frozenset({Role.AUDIT_ADMIN, Role.SYSTEM_ADMIN, Role.SUPERVISOR})
FIRST = UUID(int=0)
After = Annotated[UUID, Query(description="上一页最后一个事项")]


class Side(BaseModel):
    """One side of an aggregate: a state row, or its last event."""

    version: int
    state: str
    hash: str


class Compared(BaseModel):
    """An aggregate by its state row and by its last event."""

    id: UUID
    row: Side | None = None
    event: Side | None = None
    events: int = Field(title="事件数")


class Finding(BaseModel):
    """One thing wrong with an aggregate's chain."""

    aggregate_id: UUID
    version: int | None = None
    event_id: UUID | None = None
    what: str = Field(
        title="问题", description="edited|removed|reordered|state-differs|no-events|no-state"
    )
    reason: str = Field(title="说明")


class Verification(BaseModel):
    """A stretch of the walk; `next` is where the following one begins."""

    aggregates: int
    events: int
    findings: list[Finding]
    next: UUID | None = None


class Audit:
    """Reads a service's state rows and events side by side."""

    def __init__(self, tables: ServiceTables, database: Database) -> None:
        self._database = database
        states = " UNION ALL ".join(
            f"SELECT id, version, state, hash FROM {table.name}"
            for table in tables.aggregates.values()
        )
        self._compared = f"""
            WITH rows AS ({states}),
            ids AS (
                SELECT id FROM (
                    (SELECT id FROM rows WHERE id > $1 ORDER BY id LIMIT $2)
                    UNION
                    (SELECT DISTINCT aggregate_id FROM event WHERE aggregate_id > $1
                     ORDER BY aggregate_id LIMIT $2)
                ) AS either ORDER BY id LIMIT $2
            )
            SELECT ids.id, r.version, r.state, r.hash,
                   e.aggregate_version AS event_version, e.state AS event_state,
                   e.hash AS event_hash,
                   (SELECT count(*) FROM event WHERE aggregate_id = ids.id) AS events
            FROM ids LEFT JOIN rows AS r ON r.id = ids.id
            LEFT JOIN LATERAL (
                SELECT aggregate_version, state, hash FROM event WHERE aggregate_id = ids.id
                ORDER BY aggregate_version DESC LIMIT 1
            ) AS e ON true
            ORDER BY ids.id
        """
        self._chain = f"""
            SELECT {", ".join(f"e.{column}" for column in WRITTEN)}
            FROM event AS e WHERE e.aggregate_id = ANY($1)
            ORDER BY e.aggregate_id, e.aggregate_version
        """

    async def page(self, after: UUID, limit: int) -> list[Compared]:
        """Compare the aggregates after an id, in the order of ids, in one snapshot."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(self._compared, after, limit)
        return [_compared(row) for row in rows]

    async def verify(self, after: UUID, limit: int) -> Verification:
        """Walk the chains of the aggregates after an id, in one snapshot."""
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            rows = await connection.fetch(self._compared, after, limit)
            events = await connection.fetch(self._chain, [row["id"] for row in rows])
        chains: dict[UUID, list[asyncpg.Record]] = {row["id"]: [] for row in rows}
        for event in events:
            chains[event["aggregate_id"]].append(event)
        findings = [
            finding for row in rows for finding in _faults(_compared(row), chains[row["id"]])
        ]
        return Verification(
            aggregates=len(rows),
            events=len(events),
            findings=findings,
            next=rows[-1]["id"] if len(rows) == limit else None,
        )


def _compared(row: asyncpg.Record) -> Compared:
    return Compared(
        id=row["id"],
        row=None
        if row["version"] is None
        else Side(version=row["version"], state=row["state"], hash=row["hash"].hex()),
        event=None
        if row["event_version"] is None
        else Side(
            version=row["event_version"], state=row["event_state"], hash=row["event_hash"].hex()
        ),
        events=row["events"],
    )


def _faults(compared: Compared, chain: Sequence[asyncpg.Record]) -> Iterable[Finding]:
    """Name what is wrong with one aggregate: its chain link by link, then its state row."""
    expected, previous = 1, None
    for event in chain:
        where: dict[str, Any] = {
            "aggregate_id": compared.id,
            "version": event["aggregate_version"],
            "event_id": event["id"],
        }
        if event["aggregate_version"] != expected:
            yield Finding(**where, what="removed", reason=f"缺少第 {expected} 版的事件")
        elif event["previous_hash"] != previous:
            yield Finding(**where, what="reordered", reason="与前一事件的散列不相连")
        if event["hash"] != _rehash(event):
            yield Finding(**where, what="edited", reason="内容与散列不符")
        expected, previous = event["aggregate_version"] + 1, event["hash"]
    if compared.row is None:
        yield Finding(aggregate_id=compared.id, what="no-state", reason="有事件而没有状态行")
    elif compared.event is None:
        yield Finding(aggregate_id=compared.id, what="no-events", reason="有状态行而没有事件")
    elif compared.row != compared.event:
        missing = compared.row.version > compared.event.version
        yield Finding(
            aggregate_id=compared.id,
            version=compared.row.version,
            what="removed" if missing else "state-differs",
            reason=f"状态行为第 {compared.row.version} 版（{compared.row.state}），"
            f"最后事件为第 {compared.event.version} 版（{compared.event.state}）",
        )


def _rehash(event: asyncpg.Record) -> bytes:
    columns = dict(event)
    try:
        columns["data"] = canonical(orjson.loads(event["data"]))
        return event_hash(columns)
    except (KeyError, TypeError, ValueError, OverflowError):
        return b""  # what no event of ours can hold: a float, an unknown algorithm, an endless time


def audit_routes(router: APIRouter, tables: ServiceTables, database: Database) -> None:
    """Add the routes by which a service is compared and verified."""
    audit = Audit(tables, database)

    def permitted(caller: Caller) -> None:
        if not caller.roles & AUDITORS:
            raise RoleForbidden("须由审计管理员、系统管理员或督查办理")

    @router.get("/aggregates", summary="状态与事件对照", tags=["核对"])
    async def aggregates(
        caller: CurrentCaller,
        after: After = FIRST,
        limit: Annotated[int, Query(ge=1, le=5_000)] = 1_000,
    ) -> list[Compared]:
        """Page through the service's aggregates by state row and by last event."""
        permitted(caller)
        return await audit.page(after, limit)

    @router.get("/verification", summary="校验散列链", tags=["核对"])
    async def verification(
        caller: CurrentCaller,
        after: After = FIRST,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 500,
    ) -> Verification:
        """Walk the hash chains of a stretch of aggregates and name every fault."""
        permitted(caller)
        return await audit.verify(after, limit)
