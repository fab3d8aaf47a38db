"""Asking a service to publish its events again, over HTTP; `republishing` does the work."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Path as PathParam
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.audit.dependency import CurrentTrail
from shared.http.problem import InvalidInput, NotFound, RoleForbidden
from shared.identity.caller import Caller
from shared.identity.dependency import CurrentCaller
from shared.identity.roles import Role
from shared.postgres.database import Database

_ASK = """
INSERT INTO republication (requested_at, requested_by, since, into_new_topic)
VALUES (now(), $1, $2, $3) RETURNING number
"""
_STANDING = """
SELECT number, since, into_new_topic, events, ended_at, error FROM republication WHERE number = $1
"""


class Wanted(BaseModel):
    """What to publish again."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime | None = Field(
        None, title="自此时刻记录的事件起", description="缺省为全部"
    )
    into_new_topic: bool = Field(default=False, title="发布到下一代主题")


class Republication(BaseModel):
    """How a request stands."""

    number: int
    since: datetime | None
    into_new_topic: bool
    events: int = Field(title="已再次发布的事件")
    ended_at: datetime | None = Field(title="完成于")
    error: str | None = Field(title="未完成的原因")


def republication_routes(database: Database) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/republications", tags=["运维"])

    @router.post("", summary="再次发布事件", status_code=202)
    async def ask(caller: CurrentCaller, trail: CurrentTrail, wanted: Wanted) -> Republication:
        """Have events published again; whoever has them already counts none twice."""
        _permit(caller)
        if wanted.into_new_topic and wanted.since is not None:
            raise InvalidInput("新一代主题须有全部事件", field="since")
        await trail.administered(caller, into_new_topic=wanted.into_new_topic)
        async with database.connection() as connection:
            number = await connection.fetchval(
                _ASK, caller.account, wanted.since, wanted.into_new_topic
            )
        return await standing(number)

    @router.get("/{number}", summary="再次发布的进度")
    async def look(
        caller: CurrentCaller, number: Annotated[int, PathParam(ge=1, le=2**31 - 1)]
    ) -> Republication:
        """Say how a request stands."""
        _permit(caller)
        return await standing(number)

    async def standing(number: Any) -> Republication:
        async with database.connection() as connection:
            row = await connection.fetchrow(_STANDING, number)
        if row is None:
            raise NotFound("没有这一次再次发布")
        return Republication.model_validate(dict(row))

    return router


def _permit(caller: Caller) -> None:
    if Role.SYSTEM_ADMIN not in caller.roles:
        raise RoleForbidden("再次发布事件须由系统管理员办理")
