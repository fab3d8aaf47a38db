"""The trail's routes, for the audit administrator; and what every application does to have one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from shared.audit.dependency import CurrentTrail
from shared.audit.entry import Kind, Outcome
from shared.audit.refusals import Refusals
from shared.audit.search import Asked, AuditPage, search
from shared.audit.verification import (
    BEFORE_ALL,
    PLACE_PATTERN,
    Place,
    TrailVerification,
    TrailVerifier,
)
from shared.clock.law_time import SHANGHAI, parse_instant
from shared.http.problem import InvalidInput, RoleForbidden
from shared.identity.caller import Caller
from shared.identity.dependency import CurrentCaller
from shared.identity.roles import Role
from shared.personal import names_a_person

if TYPE_CHECKING:
    from fastapi import FastAPI

    from shared.audit.log import AuditLog
    from shared.identity.tokens import TokenVerifier

VERIFIERS = frozenset({Role.AUDIT_ADMIN, Role.SYSTEM_ADMIN, Role.SUPERVISOR})
INSTANT = "RFC 3339 或日期，无时区按 Asia/Shanghai；止于某日的含当日"
DAY = len("2024-01-01")

ACCOUNT = "^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$"
Bound = Annotated[str, Query(max_length=40, description=INSTANT)]


def keep_trail(app: FastAPI, log: AuditLog, verifier: TokenVerifier) -> None:
    """Record an application's refusals in `log`, and let auditors read it.

    The log also stands in `app.state.audit`, where `CurrentTrail` finds it.
    """
    app.state.audit = log
    app.state.witness = Refusals(log, verifier)
    app.include_router(_routes(log))


def _routes(log: AuditLog) -> APIRouter:
    router = APIRouter(tags=["审计日志"])
    verifier = TrailVerifier(log.database)

    @router.get("/audit-log", summary="检索审计日志")
    async def found(
        caller: CurrentCaller,
        trail: CurrentTrail,
        account: Annotated[str | None, Query(pattern=ACCOUNT, description="账号")] = None,
        kind: Annotated[Kind | None, Query(description="类别")] = None,
        outcome: Annotated[Outcome | None, Query(description="结果")] = None,
        object: Annotated[  # noqa: A002
            str | None, Query(pattern=ACCOUNT, description="对象：事项编号，或账号")
        ] = None,
        begins: Annotated[Bound | None, Query(alias="from")] = None,
        ends: Annotated[Bound | None, Query(alias="to")] = None,
        q: Annotated[
            str | None, Query(max_length=60, description="操作、依据、事由中的字词")
        ] = None,
        after: Annotated[UUID | None, Query(description="上一页的 next")] = None,
        limit: Annotated[int, Query(ge=1, le=200, description="每页条数")] = 50,
    ) -> AuditPage:
        """List entries, newest first; the search is itself recorded."""
        _permit(caller, frozenset({Role.AUDIT_ADMIN}), "检索审计日志")
        for field, typed in (("object", object), ("q", q)):
            if typed and names_a_person(typed):
                raise InvalidInput("不得含有手机号或身份证号", field=field)
        asked = Asked(
            account=account,
            kind=kind,
            outcome=outcome,
            object_id=object,
            begins=_bound(begins, "from"),
            ends=_bound(ends, "to", after_day=True),
            text=q,
        )
        await log.flush()
        page = await search(log.database, caller.bureau, asked, after, limit)
        await trail.administered(caller, **asked.as_details())
        return page

    @router.get("/audit-log/verification", summary="校验审计日志")
    async def verification(
        caller: CurrentCaller,
        after: Annotated[
            str | None, Query(pattern=PLACE_PATTERN, description="上一段的 next")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=5_000)] = 1_000,
    ) -> TrailVerification:
        """Walk the chains of the audit trail and name every fault."""
        _permit(caller, VERIFIERS, "校验审计日志")
        place = BEFORE_ALL if after is None else Place.parse(after)
        return await verifier.walk(place, limit, log.head)

    return router


def _permit(caller: Caller, roles: frozenset[Role], what: str) -> None:
    if not caller.holds(roles):
        allowed = "、".join(sorted(role.title for role in roles))
        raise RoleForbidden(f"{what}须由{allowed}办理")


def _bound(text: str | None, field: str, *, after_day: bool = False) -> datetime | None:
    """An end of a stretch of time; a bare date is its first moment, or that of the next day."""
    if text is None:
        return None
    try:
        if len(text) != DAY:
            return parse_instant(text)
        day = datetime.combine(date.fromisoformat(text), time(), SHANGHAI)
        return (day + timedelta(days=1) if after_day else day).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput("不是 RFC 3339 的时间或日期", field=field) from error
