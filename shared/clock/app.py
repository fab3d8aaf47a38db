"""The calendar's API: which days are working days, and loading the next year's notice."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request
from pydantic import BaseModel, Field

from shared.audit.api import keep_trail
from shared.audit.dependency import CurrentTrail
from shared.audit.log import AuditLog
from shared.clock.calendar import CalendarError
from shared.clock.calendar_store import parse_calendar
from shared.clock.calendars import Calendars
from shared.http.app import Lifespan, create_app
from shared.http.problem import InvalidInput, RoleForbidden
from shared.identity.dependency import CurrentCaller
from shared.identity.roles import Role
from shared.identity.tokens import TokenVerifier
from shared.postgres.availability import is_unavailable

MAX_DAYS = 1_000


class DueAnswer(BaseModel):
    """A day counted off."""

    due: date = Field(title="届满日")
    provisional: bool = Field(title="暂定", description="跨入尚未公布放假安排的年度")


class LoadedAnswer(BaseModel):
    """A notice that was loaded."""

    year: int
    version: int
    known_until: date = Field(title="已公布至")


class Notice(BaseModel):
    """国务院办公厅放假通知: the days off, and the weekend days worked in exchange."""

    year: int = Field(ge=2004, le=2100)
    source: str = Field(min_length=1, max_length=200)
    holidays: list[date] = Field(max_length=366)
    workdays: list[date] = Field(max_length=366)


def calendar_app(
    calendars: Calendars,
    verifier: TokenVerifier,
    *,
    audit: AuditLog,
    version: str,
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """Make the calendar's application."""
    router = APIRouter(tags=["工作日历"])

    @router.get("/working-days", summary="数工作日")
    async def working_days(
        _caller: CurrentCaller,
        start: Annotated[date, Query(ge=date(1990, 1, 1), le=date(2190, 1, 1))],
        days: Annotated[int, Query(ge=0, le=MAX_DAYS)],
    ) -> DueAnswer:
        """Count working days off from a day, which is itself not counted."""
        due = calendars.calendar.add_workdays(start, days)
        return DueAnswer(due=due.on, provisional=due.provisional)

    @router.post(
        "/notices",
        summary="载入放假安排",
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": Notice.model_json_schema()}},
            }
        },
    )
    async def load(request: Request, caller: CurrentCaller, trail: CurrentTrail) -> LoadedAnswer:
        """Keep a notice; due dates that were provisional are reckoned by it from now on."""
        if Role.SYSTEM_ADMIN not in caller.roles:
            raise RoleForbidden("载入放假安排须由系统管理员办理")
        try:
            notice = parse_calendar(await request.body())
            await trail.administered(caller, year=notice.year)
            kept = await calendars.load(notice, caller.account)
        except CalendarError as error:
            raise InvalidInput(error.reason, field=error.field) from error
        return LoadedAnswer(
            year=notice.year, version=kept, known_until=calendars.calendar.known_until
        )

    app = create_app(
        service="clock",
        title="工作日历",
        description="法定期限所用的工作日历：国务院办公厅放假通知，逐年载入。",
        version=version,
        lifespan=lifespan,
        unreachable=is_unavailable,
    )
    app.state.verifier = verifier
    app.include_router(router)
    keep_trail(app, audit, verifier)
    return app
