"""The desk: the one place where every row of every procedure is applied.

A command is: one select (the aggregate and the idempotency record together), a decision in Python,
and one statement that compares the version and writes state, event and record. Three traps shape
it. A found record answers before any guard, else a retry after success would be refused. The
version compared was read before the statement's transaction began to write, else a later step
could carry a lower transaction id and the relay would emit it first. And what rests on other rows
rests on a unique constraint, never on a read before.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import asyncpg
import orjson

from shared.clock.law_time import law_day
from shared.events.hashing import ALGORITHM, canonical, event_hash
from shared.http.problem import (
    InvalidInput,
    KeyReused,
    NotFound,
    RaceLost,
    RefusedByLaw,
    RoleForbidden,
    Stale,
    WrongState,
)
from shared.identifiers import new_id
from shared.search import bigrams
from shared.workflow import clocks as legal_clocks
from shared.workflow.decision import Decision, decide
from shared.workflow.moment import moment, refuse_future
from shared.workflow.payload import split
from shared.workflow.statement import ANSWERED_SQL, PERSON_SAID, Shape, Statements, read_sql
from shared.workflow.table import Situation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.clock.calendar import WorkCalendar
    from shared.identity.caller import Caller
    from shared.identity.officers import Certificate, OfficerDirectory
    from shared.postgres.database import Database
    from shared.workflow.payload import Payload
    from shared.workflow.table import Clock, Facts, Procedure, Row
    from shared.workflow.tables import ServiceTables

RETRIES = 3


class Asked(NamedTuple):
    """A command as it came in.

    `raw` is the body's canonical JSON, for the fingerprint; `at` is aware, None for now;
    `expected` the version of an If-Match.
    """

    row: Row
    payload: Payload
    raw: bytes
    caller: Caller
    key: str
    aggregate_id: str | None = None
    at: datetime | None = None
    expected: int | None = None
    traceparent: str | None = None
    correlation_id: str | None = None


class Answer(NamedTuple):
    """What a command did, or had done when it was first asked (`replayed`); ids as text."""

    id: str
    state: str
    version: int
    event_id: str
    type: str
    occurred_at: datetime
    recorded_at: datetime
    replayed: bool = False


class CalendarSource(Protocol):
    """Gives the work calendar in force."""

    @property
    def calendar(self) -> WorkCalendar:
        """The newest calendar loaded."""


class _Read(NamedTuple):
    """The aggregate as it stood when the command was decided."""

    state: str | None
    version: int
    hash: bytes | None
    opened_at: datetime | None
    stepped_at: datetime | None
    facts: Facts
    clocks: dict[str, Clock]


_NOTHING = _Read(None, 0, None, None, None, {}, {})


class Desk:
    """Applies the rows of one procedure."""

    def __init__(
        self,
        procedure: Procedure,
        tables: ServiceTables,
        statements: Statements,
        database: Database,
        calendars: CalendarSource,
        directory: OfficerDirectory,
    ) -> None:
        self.procedure = procedure
        self.table = tables.aggregates[procedure.name]
        self.tables = tables
        self.database = database
        self.calendars = calendars
        self._directory = directory
        self._statements = statements
        self._read_sql = read_sql(self.table)
        self._types = {row: procedure.type_of(row) for row in procedure.rows}

    async def apply(self, asked: Asked) -> Answer:
        """Apply a command once, however often it is asked with the same key.

        Raises `RoleForbidden`, `NotFound`, `WrongState`, `RefusedByLaw`, `InvalidInput`, `Stale`,
        `KeyReused`, and `RaceLost` after three retries.
        """
        if not (asked.caller.roles & asked.row.roles):
            raise RoleForbidden(_role_refusal(asked.row))
        now = datetime.now(UTC)
        at = asked.at or now
        refuse_future(at, now)
        fingerprint = self._fingerprint(asked)
        officers = await self._officers(asked)
        for _ in range(RETRIES + 1):
            answer = await self._try(asked, at, now, fingerprint, officers)
            if answer is not None:
                return answer
        raise RaceLost("同一事项正被他人处理，请稍后重试")

    async def _try(
        self,
        asked: Asked,
        at: datetime,
        now: datetime,
        fingerprint: bytes,
        officers: Mapping[str, Sequence[Certificate]],
    ) -> Answer | None:
        async with self.database.connection() as connection:
            read = _NOTHING
            if not asked.row.opens:
                [found] = await connection.fetch(
                    self._read_sql, asked.aggregate_id, asked.caller.bureau, asked.key
                )
                if found["fingerprint"] is not None:
                    return await self._answered(connection, asked, fingerprint)
                read = _unpack(found, asked)
            try:
                decision = self._decide(asked, at, read, officers)
            except (RefusedByLaw, WrongState, InvalidInput):
                # An opening reads nothing first, so a retry of one that succeeded may end here.
                if asked.row.opens:
                    answered = await self._answered(connection, asked, fingerprint)
                    if answered is not None:
                        return answered
                raise
            return await self._write(connection, asked, decision, read, now, fingerprint)

    def situation(
        self,
        read: _Read,
        caller: Caller,
        at: datetime,
        payload: Payload | None,
        officers: Mapping[str, Sequence[Certificate]],
    ) -> Situation:
        """Gather what the rules may look at."""
        return Situation(
            state=read.state,
            facts=read.facts,
            clocks=read.clocks,
            caller=caller,
            at=at,
            day=law_day(at),
            calendar=self.calendars.calendar,
            periods=self.procedure.periods,
            payload=payload,
            officers=officers,
        )

    def _decide(
        self,
        asked: Asked,
        at: datetime,
        read: _Read,
        officers: Mapping[str, Sequence[Certificate]],
    ) -> Decision:
        row = asked.row
        if not row.opens:
            if asked.expected is not None and asked.expected != read.version:
                raise Stale(f"该事项已是第 {read.version} 版，请刷新后重试")
            earliest = read.opened_at if row.is_record else read.stepped_at
            at = moment(asked.at, at, earliest)
            if earliest is not None and at < earliest:
                raise RefusedByLaw(
                    f"{row.title}的发生时间早于"
                    + ("该事项的登记时间" if row.is_record else "上一步骤"),
                    field="occurred_at",
                    article=row.article,
                )
        situation = self.situation(read, asked.caller, at, asked.payload, officers)
        return decide(self.procedure, row, situation, split(asked.payload))

    async def _write(
        self,
        connection: Any,
        asked: Asked,
        decision: Decision,
        read: _Read,
        now: datetime,
        fingerprint: bytes,
    ) -> Answer | None:
        event = self._event(asked, decision, read, asked.aggregate_id or new_id(), now)
        shape, values = self._values(asked, decision, read, event, fingerprint)
        try:
            moved = await self._statements.of(shape).run(connection, values)
        except asyncpg.UniqueViolationError as violation:
            # A retry may break any constraint: it is answered before anything is refused.
            answered = await self._answered(connection, asked, fingerprint)
            if answered is None and violation.constraint_name == "claim_pkey":
                raise RefusedByLaw(
                    "该文号或行为已有其他事项占用", article=asked.row.article
                ) from violation
            return answered
        if moved is None:
            return None
        return Answer(
            id=event["aggregate_id"],
            state=decision.state,
            version=event["aggregate_version"],
            event_id=event["id"],
            type=event["type"],
            occurred_at=event["occurred_at"],
            recorded_at=now,
        )

    def _event(
        self, asked: Asked, decision: Decision, read: _Read, aggregate_id: str, now: datetime
    ) -> dict[str, Any]:
        event = {
            "id": new_id(),
            "aggregate_id": aggregate_id,
            "aggregate_version": read.version + 1,
            "type": self._types[asked.row],
            "schema_version": asked.row.schema_version,
            "bureau": asked.caller.bureau,
            "state": decision.state,
            "actor": asked.caller.account,
            "on_behalf_of": asked.caller.on_behalf_of,
            "occurred_at": decision.at,
            "recorded_at": now,
            "data": canonical(decision.data),
            "idempotency_key": asked.key,
            "correlation_id": asked.correlation_id or aggregate_id,
            "causation_id": None,
            "traceparent": asked.traceparent,
            "previous_hash": read.hash,
            "hash_algorithm": ALGORITHM,
        }
        event["hash"] = event_hash(event)
        return event

    def _values(
        self,
        asked: Asked,
        decision: Decision,
        read: _Read,
        event: dict[str, Any],
        fingerprint: bytes,
    ) -> tuple[Shape, dict[str, Any]]:
        """What is written, by the names of a statement's parameters; goes on using `event`."""
        parts = decision.split
        values = event
        values["data"] = event["data"].decode()
        values["read_version"] = read.version
        values["row.facts"] = orjson.dumps(decision.facts).decode()
        values["row.clocks"] = orjson.dumps(legal_clocks.to_json(decision.clocks)).decode()
        values["row.party_id"] = values["row.party_name"] = None
        values["row.words"] = ()
        values["record.fingerprint"] = fingerprint
        for name, value in decision.columns.items():
            values[f"row.{name}"] = value
        if parts.particulars:
            values["particulars.id"] = decision.particulars_id
            values["particulars.content"] = orjson.dumps(parts.particulars).decode()
        if decision.claims:
            values["claims.kind"] = [claim.kind for claim in decision.claims]
            values["claims.key"] = [claim.key for claim in decision.claims]
        party = False
        for field, (table, person_id, person) in parts.persons.items():
            values[f"person_{field}.id"] = person_id
            for column in PERSON_SAID:
                values[f"person_{field}.{column}"] = person.get(column)
            if table == "party":
                party = True
                values["row.party_id"] = person_id
                values["row.party_name"] = person["name"]
                values["row.words"] = bigrams(person["name"], person.get("code"))
        shape = Shape(
            aggregate=self.procedure.name,
            opens=asked.row.opens,
            steps=not asked.row.is_record,
            columns=tuple(decision.columns),
            party=party,
            particulars=bool(parts.particulars),
            persons=tuple([f"{field}:{table}" for field, (table, _, _) in parts.persons.items()]),
            claims=bool(decision.claims),
        )
        return shape, values

    async def _answered(self, connection: Any, asked: Asked, fingerprint: bytes) -> Answer | None:
        record = await connection.fetchrow(ANSWERED_SQL, asked.caller.bureau, asked.key)
        if record is None:
            return None
        if record["fingerprint"] != fingerprint:
            raise KeyReused("同一幂等键已用于另一内容的请求，不能更改后重发")
        return Answer(
            id=str(record["aggregate_id"]),
            state=record["state"],
            version=record["aggregate_version"],
            event_id=str(record["id"]),
            type=record["type"],
            occurred_at=record["occurred_at"],
            recorded_at=record["recorded_at"],
            replayed=True,
        )

    async def _officers(self, asked: Asked) -> Mapping[str, Sequence[Certificate]]:
        if asked.row.officers is None:
            return {}
        accounts = sorted(set(asked.row.officers(asked.payload)))
        return await self._directory.certificates(accounts, asked.caller.bureau)

    def _fingerprint(self, asked: Asked) -> bytes:
        target = asked.aggregate_id or ""
        parts = (self.procedure.name, target, asked.row.command, asked.caller.account)
        return hashlib.sha256("\n".join(parts).encode() + b"\n" + asked.raw).digest()


def _unpack(found: asyncpg.Record, asked: Asked) -> _Read:
    if found["version"] is None or not asked.caller.sees(found["bureau"]):
        raise NotFound("没有这一事项，或不在本机关管辖范围内")
    return _Read(
        state=found["state"],
        version=found["version"],
        hash=found["hash"],
        opened_at=found["opened_at"],
        stepped_at=found["stepped_at"],
        facts=orjson.loads(found["facts"]),
        clocks=legal_clocks.from_json(orjson.loads(found["clocks"])),
    )


def _role_refusal(row: Row) -> str:
    allowed = "、".join(sorted(role.title for role in row.roles))
    return f"{row.title}须由{allowed}办理"
