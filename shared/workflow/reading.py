"""Reading a procedure: lists, one aggregate, what the caller may do now, its history.

Every query is scoped to the caller's bureau here, in `_scoped`, and nowhere else.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from shared.clock.law_time import law_day
from shared.http.handlers import problem_responses
from shared.http.problem import InvalidInput, NotFound, Problem, RoleForbidden, WrongState
from shared.identity.caller import Caller
from shared.identity.dependency import CurrentCaller
from shared.search import bigrams
from shared.workflow import clocks as legal_clocks
from shared.workflow.decision import standing_refusal, state_refusal
from shared.workflow.finding import find_newest
from shared.workflow.masking import Sight, ordinary
from shared.workflow.router import path_id
from shared.workflow.table import Situation

if TYPE_CHECKING:
    from shared.postgres.database import Database
    from shared.workflow.desk import Desk
    from shared.workflow.table import Row

PAGE = 50
LISTED = ("id", "state", "version", "opened_at", "stepped_at", "party_name")

Limit = Annotated[int, Query(ge=1, le=200, description="每页条数")]


class Listed(BaseModel):
    """One line of a list."""

    id: UUID
    state: str
    state_title: str
    version: int
    opened_at: datetime
    stepped_at: datetime
    party_name: str | None = None
    columns: dict[str, Any] = Field(default_factory=dict)


class Page(BaseModel):
    """A page of a list, newest first; `next` is the cursor of the following one."""

    items: list[Listed]
    next: UUID | None = Field(None, title="下一页游标")


class Action(BaseModel):
    """A row of the procedure, as it stands for the caller now."""

    command: str
    title: str
    kind: str = Field(description="step 改变状态；record 只作记载")
    article: dict[str, Any]
    allowed: bool
    reason: str | None = Field(None, title="不能办理的原因")
    refused_by: dict[str, Any] | None = Field(None, title="拒绝所依条文")


class Reader:
    """Reads one procedure's aggregates."""

    def __init__(self, desk: Desk, database: Database) -> None:
        self._desk = desk
        self._database = database
        self._table = desk.table
        self._procedure = desk.procedure

    def _scoped(self, caller: Caller, *columns: sa.Column[Any]) -> sa.Select[Any]:
        """Start a query within the caller's bureau; raises `RoleForbidden`."""
        if not caller.roles & self._procedure.readers:
            raise RoleForbidden(f"当前角色不得查阅{self._procedure.title}")
        return sa.select(*columns).where(self._table.c.bureau == caller.bureau)

    async def page(
        self,
        caller: Caller,
        state: str | None,
        party: UUID | None,
        words: str | None,
        after: UUID | None,
        limit: int,
    ) -> Page:
        """List aggregates, newest first, from a cursor on."""
        table, extra = self._table.c, self._procedure.columns
        query = self._scoped(caller, *(table[name] for name in (*LISTED, *extra)))
        if state is not None:
            if state not in self._procedure.states:
                known = "、".join(self._procedure.states)
                raise InvalidInput(f"没有这一状态，可选：{known}", field="state")
            query = query.where(table.state == state)
        if party is not None:
            query = query.where(table.party_id == party)
        if after is not None:
            query = query.where(table.id < after)
        async with self._database.engine.connect() as connection:
            if words:
                rows = await find_newest(connection, query, self._table, bigrams(words), limit + 1)
            else:
                newest = query.order_by(table.id.desc()).limit(limit + 1)
                rows = (await connection.execute(newest)).mappings().all()
        items = [
            Listed(
                **{name: row[name] for name in LISTED},
                state_title=self._procedure.states[row["state"]].title,
                columns={name: row[name] for name in extra},
            )
            for row in rows[:limit]
        ]
        return Page(items=items, next=items[-1].id if len(rows) > limit else None)

    async def one(
        self, caller: Caller, aggregate_id: UUID, sight: Sight | None = None
    ) -> dict[str, Any]:
        """Read an aggregate whole: clocks reckoned today, free texts put back.

        Persons and texts are masked as `sight` says; without one, as in every ordinary read.
        """
        sight = sight or ordinary(self._procedure, caller)
        table = self._table
        query = self._scoped(caller, *table.c).where(table.c.id == aggregate_id)
        tables = self._desk.tables
        async with self._database.engine.connect() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
            if row is None:
                raise NotFound("没有这一事项，或不在本机关管辖范围内")
            texts = await connection.execute(
                sa.select(tables.particulars.c.id, tables.particulars.c.content).where(
                    tables.particulars.c.aggregate_id == aggregate_id
                )
            )
            said = {
                str(found.id): {
                    name: sight.text(value) for name, value in _loaded(found.content).items()
                }
                for found in texts
            }
            persons: dict[str, Any] = {}
            for name, people in tables.persons.items():
                found = await connection.execute(
                    sa.select(people).where(people.c.aggregate_id == aggregate_id)
                )
                for person in found.mappings():
                    persons[str(person["id"])] = sight.person(name, dict(person))
        return self._shown(dict(row), said, persons)

    def _shown(
        self, row: dict[str, Any], said: dict[str, Any], persons: dict[str, Any]
    ) -> dict[str, Any]:
        procedure = self._procedure
        facts = {
            command: [
                {**occurrence, **said.get(occurrence.get("particulars_id", ""), {})}
                for occurrence in occurrences
            ]
            for command, occurrences in _loaded(row["facts"]).items()
        }
        clocks = legal_clocks.show(
            legal_clocks.from_json(_loaded(row["clocks"])),
            procedure.periods,
            self._desk.calendars.calendar,
            law_day(datetime.now(UTC)),
        )
        return {
            "id": row["id"],
            "bureau": row["bureau"],
            "state": row["state"],
            "state_title": procedure.states[row["state"]].title,
            "version": row["version"],
            "hash": row["hash"].hex(),
            "opened_at": row["opened_at"],
            "stepped_at": row["stepped_at"],
            "columns": {name: row[name] for name in procedure.columns},
            "clocks": clocks,
            "facts": facts,
            "persons": persons,
        }

    async def actions(self, caller: Caller, aggregate_id: UUID) -> list[Action]:
        """Say of each row whether the caller may take it now; if not, why, by which article."""
        table = self._table.c
        query = self._scoped(caller, table.state, table.facts, table.clocks)
        async with self._database.engine.connect() as connection:
            row = (await connection.execute(query.where(table.id == aggregate_id))).one_or_none()
        if row is None:
            raise NotFound("没有这一事项，或不在本机关管辖范围内")
        now = datetime.now(UTC)
        situation = Situation(
            state=row.state,
            facts=_loaded(row.facts),
            clocks=legal_clocks.from_json(_loaded(row.clocks)),
            caller=caller,
            at=now,
            day=law_day(now),
            calendar=self._desk.calendars.calendar,
            periods=self._procedure.periods,
        )
        return [self._action(row_, situation) for row_ in self._procedure.rows if not row_.opens]

    def _action(self, row: Row, situation: Situation) -> Action:
        refusal = self._refusal(row, situation)
        return Action(
            command=row.command,
            title=row.title,
            kind="record" if row.is_record else "step",
            article=row.article.as_json(),
            allowed=refusal is None,
            reason=refusal.detail if refusal else None,
            refused_by=refusal.as_json()["article"] if refusal else None,
        )

    def _refusal(self, row: Row, situation: Situation) -> Problem | None:
        """How a row would be refused whatever were sent with it."""
        if (reason := state_refusal(self._procedure, row, situation.state)) is not None:
            return WrongState(reason, article=row.article)
        if not situation.caller.roles & row.roles:
            allowed = "、".join(sorted(role.title for role in row.roles))
            return RoleForbidden(f"须由{allowed}办理", article=row.article)
        return standing_refusal(row, situation)

    async def history(self, caller: Caller, aggregate_id: UUID) -> list[dict[str, Any]]:
        """Every event of an aggregate, oldest first."""
        event = self._desk.tables.event.c
        async with self._database.engine.connect() as connection:
            scope = self._scoped(caller, self._table.c.id).where(self._table.c.id == aggregate_id)
            if (await connection.execute(scope)).one_or_none() is None:
                raise NotFound("没有这一事项，或不在本机关管辖范围内")
            query = sa.select(
                *(column for column in event if column.name not in {"epoch", "xid", "seq"})
            )
            rows = await connection.execute(
                query.where(event.aggregate_id == aggregate_id).order_by(event.aggregate_version)
            )
            return [_event(dict(row)) for row in rows.mappings()]


def _event(row: dict[str, Any]) -> dict[str, Any]:
    shown = {f"{name}": value for name, value in row.items()}  # plain names, not SQLAlchemy's
    shown["data"] = _loaded(row["data"])
    shown["hash"] = row["hash"].hex()
    shown["previous_hash"] = row["previous_hash"].hex() if row["previous_hash"] else None
    return shown


def _loaded(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def as_json(content: Any, headers: dict[str, str] | None = None) -> Response:
    """An answer that needs no model."""
    raw = orjson.dumps(content, default=str)  # asyncpg's UUIDs are of a class of its own
    return Response(raw, media_type="application/json", headers=headers)


def reading_routes(router: APIRouter, desk: Desk, database: Database) -> None:
    """Add the GET routes of the desk's procedure."""
    reader = Reader(desk, database)
    procedure = desk.procedure
    path = f"/{procedure.path}"
    options: dict[str, Any] = {"tags": [procedure.title], "responses": problem_responses(404)}

    @router.get(path, summary=f"{procedure.title}列表", **options)
    async def listed(
        caller: CurrentCaller,
        state: Annotated[str | None, Query(max_length=40, description="状态")] = None,
        party: Annotated[UUID | None, Query(description="当事人编号")] = None,
        q: Annotated[
            str | None, Query(max_length=60, description="当事人名称或代码中的字词")
        ] = None,
        after: Annotated[UUID | None, Query(description="上一页的 next")] = None,
        limit: Limit = PAGE,
    ) -> Page:
        """List, newest first, by state, party or words."""
        return await reader.page(caller, state, party, q, after, limit)

    @router.get(path + "/{id}", summary=f"{procedure.title}详情", response_model=None, **options)
    async def one(caller: CurrentCaller, id: str) -> Response:  # noqa: A002 - the path's own name
        """Read one whole, with its clocks as of today; the ETag is its version."""
        shown = await reader.one(caller, path_id(id))
        return as_json(shown, {"etag": f'"{shown["version"]}"'})

    @router.get(path + "/{id}/actions", summary="现在可以办理什么", **options)
    async def actions(caller: CurrentCaller, id: str) -> list[Action]:  # noqa: A002 - as above
        """Say what the caller may do now, and what not, why, and by which article."""
        return await reader.actions(caller, path_id(id))

    @router.get(path + "/{id}/events", summary="办理经过", response_model=None, **options)
    async def history(caller: CurrentCaller, id: str) -> Response:  # noqa: A002 - as above
        """Give every event of it, oldest first."""
        return as_json(await reader.history(caller, path_id(id)))
