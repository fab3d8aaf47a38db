"""Every aggregate of a service: its state row and its events side by side, and its chain.

A page is bounded in events too, and its faults are reckoned in a thread, so that the service goes
on answering while it is verified.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import BaseModel, Field

from shared.events.table import WRITTEN
from shared.verification.chain import chain_faults
from shared.verification.findings import Finding, Verification
from shared.verification.standing import standing_faults
from shared.workflow.refold import Refold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import asyncpg

    from shared.clock.calendar import WorkCalendar
    from shared.postgres.database import Connection, Database
    from shared.workflow.table import Procedure
    from shared.workflow.tables import ServiceTables

EVENTS_A_PAGE = 20_000


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


@dataclass(frozen=True, slots=True)
class _Stretch:
    """What one snapshot holds of some aggregates; `rows` with the procedure of each."""

    compared: Sequence[Compared]
    chains: Mapping[UUID, Sequence[asyncpg.Record]]
    rows: Mapping[UUID, tuple[str, asyncpg.Record]]
    parties: Mapping[UUID, asyncpg.Record]

    @property
    def events(self) -> int:
        """How many events it holds."""
        return sum(map(len, self.chains.values()))


class AggregateAudit:
    """Reads a service's state rows and events side by side."""

    def __init__(
        self, procedures: Sequence[Procedure], tables: ServiceTables, database: Database
    ) -> None:
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
        self._states = {
            procedure: f"SELECT * FROM {table.name} WHERE id = ANY($1)"
            for procedure, table in tables.aggregates.items()
        }
        self._refolds = {procedure.name: Refold(procedure) for procedure in procedures}

    async def page(self, after: UUID, limit: int) -> list[Compared]:
        """Compare the aggregates after an id, in the order of ids, in one snapshot."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(self._compared, after, limit)
        return [_compared(row) for row in rows]

    async def verify(self, after: UUID, limit: int, calendar: WorkCalendar) -> Verification:
        """Walk the aggregates after an id, in one snapshot."""
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            rows = await connection.fetch(self._compared, after, limit)
            taken = _bounded(rows)
            stretch = await self._stretch(connection, taken)
        return Verification(
            aggregates=len(taken),
            events=stretch.events,
            findings=await asyncio.to_thread(self._faults, stretch, calendar),
            next=taken[-1]["id"] if len(taken) < len(rows) or len(rows) == limit else None,
        )

    async def _stretch(
        self, connection: Connection, compared: Sequence[asyncpg.Record]
    ) -> _Stretch:
        ids = [row["id"] for row in compared]
        chains: dict[UUID, list[asyncpg.Record]] = {one: [] for one in ids}
        for event in await connection.fetch(_CHAIN, ids):
            chains[event["aggregate_id"]].append(event)
        rows = {
            row["id"]: (procedure, row)
            for procedure, query in self._states.items()
            for row in await connection.fetch(query, ids)
        }
        parties = await connection.fetch(_PARTIES, [row["party_id"] for _, row in rows.values()])
        return _Stretch(
            [_compared(row) for row in compared], chains, rows, {row["id"]: row for row in parties}
        )

    def _faults(self, stretch: _Stretch, calendar: WorkCalendar) -> list[Finding]:
        findings: list[Finding] = []
        for compared in stretch.compared:
            chain = stretch.chains[compared.id]
            faults = [*chain_faults(compared.id, chain), *_side_faults(compared)]
            if not faults:
                procedure, row = stretch.rows[compared.id]
                party = stretch.parties.get(row["party_id"])
                refold = self._refolds[procedure]
                faults += standing_faults(row, chain, party, refold, calendar)
            findings += faults
        return findings


_CHAIN = f"""
SELECT {", ".join(f"e.{column}" for column in WRITTEN)}, e.epoch, e.xid, e.seq,
       coalesce(k.aggregate_id = e.aggregate_id AND k.aggregate_version = e.aggregate_version,
                false) AS recorded
FROM event AS e LEFT JOIN idempotency AS k ON k.bureau = e.bureau AND k.key = e.idempotency_key
WHERE e.aggregate_id = ANY($1)
ORDER BY e.aggregate_id, e.aggregate_version
"""
_PARTIES = "SELECT id, name, code FROM party WHERE id = ANY($1)"


def _bounded(rows: Sequence[asyncpg.Record]) -> Sequence[asyncpg.Record]:
    """As many aggregates as have `EVENTS_A_PAGE` events together, and at least one."""
    events = 0
    for number, row in enumerate(rows):
        events += row["events"]
        if number and events > EVENTS_A_PAGE:
            return rows[:number]
    return rows


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


def _side_faults(compared: Compared) -> Iterable[Finding]:
    """Name what is wrong between a state row and the last event."""
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
