"""Reporting's API: figures, metrics, the live stream, and what the operator needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as PathParam
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.reporting.live import Changes
from services.reporting.measures import BY_NAME, DIMENSIONS
from services.reporting.queries import Asked, Queries
from services.reporting.reconciliation import NAMED, Reconciler
from services.reporting.schemas import (
    AppliedAnswer,
    Coverage,
    DisagreementAnswer,
    FactAnswer,
    FigureAnswer,
    FiguresAnswer,
    GenerationAnswer,
    MetricsAnswer,
    ParkedAnswer,
    ParkedEvent,
    PendingVersion,
    ReconciliationAnswer,
    Replay,
    ReplayAnswer,
    WantedVersion,
)
from shared.audit.dependency import CurrentTrail
from shared.clock.law_time import law_day
from shared.consumer.consumer import Consumer
from shared.consumer.rebuild import AlreadyRebuilding, Rebuilder
from shared.http.handlers import problem_responses
from shared.http.problem import (
    InvalidInput,
    NotFound,
    RoleForbidden,
    Unauthenticated,
    Unavailable,
    WrongState,
)
from shared.identity.caller import Caller
from shared.identity.dependency import CurrentCaller, authenticate
from shared.identity.roles import Role

ADMINISTRATORS = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
READERS = frozenset(Role) - {Role.SECURITY_ADMIN}
COMPARERS = frozenset({Role.SYSTEM_ADMIN, Role.AUDIT_ADMIN, Role.SUPERVISOR})
OPERATORS = frozenset({Role.SYSTEM_ADMIN})
PARKED_SHOWN = 1_000
FIRST = UUID(int=0)
DIMENSION_NAMES = tuple(dimension.name for dimension in DIMENSIONS)
EARLIEST, LATEST = 1990, 2199

Day = Annotated[date, Query(ge=date(EARLIEST, 1, 1), le=date(LATEST, 12, 31))]


@dataclass(frozen=True, slots=True)
class Reporting:
    """What the API works with."""

    queries: Queries
    consumer: Consumer
    rebuilder: Rebuilder
    changes: Changes
    reconciler: Reconciler

    async def current(self) -> None:
        """Refuse, raising `Unavailable`, while the statistics are of an older shape."""
        if not self.consumer.is_current:
            raise Unavailable("系统升级后正在由事件重算统计，请稍后再试", retry_after=2)

    async def figures(self, caller: Caller, year: int) -> FiguresAnswer:
        """The figures of a year, of the caller's bureau."""
        as_of, lag = self.queries.standing()
        found = await self.queries.figures(caller.bureau, year)
        reservations = await self.queries.reservations(caller.bureau)
        known = [figure for figure, value in found if value is not None]
        return FiguresAnswer(
            year=year,
            bureau=caller.bureau,
            as_of=as_of,
            lag_seconds=lag,
            coverage=Coverage(
                known=len(known),
                total=len(found),
                parked=reservations.parked,
                waiting=reservations.waiting,
                rebuild_due=reservations.rebuild_due,
                owners=sorted({figure.owner for figure in known}),
            ),
            figures=[
                FigureAnswer(
                    id=figure.id,
                    title=figure.title,
                    unit=figure.unit,
                    owner=figure.owner,
                    value=value,
                )
                for figure, value in found
            ],
        )


def _permit(caller: Caller, roles: frozenset[Role], what: str) -> None:
    if not caller.roles & roles:
        allowed = "、".join(sorted(role.title for role in roles))
        raise RoleForbidden(f"{what}须由{allowed}办理")


async def _listener(caller: CurrentCaller) -> Caller:
    """Refuse before the stream begins: after that its status has been sent."""
    _permit(caller, READERS, "查看实时数字")
    return caller


def _asked(measure: str, dimensions: str, begins: date, ends: date, bucket: str | None) -> Asked:
    """What is asked of the rollups; raises `InvalidInput` naming the field."""
    if measure not in BY_NAME:
        raise InvalidInput(f"没有这一指标，可选：{'、'.join(BY_NAME)}", field="measure")
    chosen = tuple(dict.fromkeys(name for name in dimensions.split(",") if name))
    if unknown := [name for name in chosen if name not in DIMENSION_NAMES]:
        raise InvalidInput(
            f"没有维度 {'、'.join(unknown)}，可选：{'、'.join(DIMENSION_NAMES)}", field="dimensions"
        )
    if begins > ends:
        raise InvalidInput("开始日期不得晚于结束日期", field="from")
    return Asked(measure, chosen, begins, ends, bucket)


def statistics_routes(reporting: Reporting) -> APIRouter:
    """Make the routes that anybody in office reads."""
    router = APIRouter(tags=["统计"], dependencies=[Depends(reporting.current)])
    queries = reporting.queries

    @router.get("/figures/{year}", summary="年度数字")
    async def figures(
        caller: CurrentCaller, year: Annotated[int, PathParam(ge=EARLIEST, le=LATEST)]
    ) -> FiguresAnswer:
        """The figures of the annual report, computed from events alone."""
        _permit(caller, READERS, "查看年度数字")
        return await reporting.figures(caller, year)

    @router.get("/metrics", summary="指标")
    async def metrics(
        caller: CurrentCaller,
        measure: Annotated[str, Query(max_length=40, description="、".join(BY_NAME))],
        begins: Annotated[Day, Query(alias="from")],
        ends: Annotated[Day, Query(alias="to")],
        dimensions: Annotated[
            str, Query(max_length=100, description=f"以逗号分隔：{'、'.join(DIMENSION_NAMES)}")
        ] = "",
        bucket: Annotated[str | None, Query(pattern="^(day|month|year)$")] = None,
    ) -> MetricsAnswer:
        """Sum a measure over days, by dimensions and bucket of time."""
        _permit(caller, READERS, "查看指标")
        asked = _asked(measure, dimensions, begins, ends, bucket)
        found = BY_NAME[measure]
        as_of, lag = queries.standing()
        rows = await queries.metrics(caller.bureau, asked)
        reservations = await queries.reservations(caller.bureau)
        return MetricsAnswer(
            measure=found.name,
            title=found.title,
            unit=found.unit,
            as_of=as_of,
            lag_seconds=lag,
            parked=reservations.parked,
            rebuild_due=reservations.rebuild_due,
            rows=rows,
        )

    @router.get("/stream", summary="实时数字", response_class=EventSourceResponse)
    async def stream(
        request: Request,
        caller: Annotated[Caller, Depends(_listener)],
        year: Annotated[int | None, Query(ge=EARLIEST, le=LATEST, description="缺省为本年")] = None,
    ) -> AsyncIterator[ServerSentEvent]:
        """Send the figures at once, and again whenever they change; end with the sign-in."""
        async for _ in reporting.changes.listen():
            try:
                await authenticate(request)
            except Unauthenticated:
                return
            as_of, _ = queries.standing()
            answer = await reporting.figures(caller, year or law_day(as_of).year)
            yield ServerSentEvent(event="figures", data=answer)

    @router.post("/applied", summary="是否已计入")
    async def applied(caller: CurrentCaller, wanted: list[WantedVersion]) -> AppliedAnswer:
        """Say which aggregates have not come as far as wanted; at most 1000 at once."""
        _permit(caller, READERS, "查询")
        if len(wanted) > PARKED_SHOWN:
            raise InvalidInput(f"一次最多 {PARKED_SHOWN} 项", field="")
        missing = await queries.not_applied([(one.id, one.version) for one in wanted])
        return AppliedAnswer(pending=[PendingVersion(id=one) for one in missing])

    return router


def operating_routes(reporting: Reporting) -> APIRouter:
    """Make the routes of those who operate and audit."""
    router = APIRouter(tags=["运维"])
    queries = reporting.queries
    current = [Depends(reporting.current)]

    @router.get("/facts", summary="逐项核对", dependencies=current)
    async def facts(
        caller: CurrentCaller,
        trail: CurrentTrail,
        topic: Annotated[str, Query(max_length=40, description="服务")],
        after: UUID = FIRST,
        limit: Annotated[int, Query(ge=1, le=5_000)] = 1_000,
    ) -> list[FactAnswer]:
        """Page through what the statistics know of a service's aggregates."""
        _permit(caller, COMPARERS, "核对")
        await trail.exported(caller, topic=topic, after=str(after), limit=limit)
        rows = await queries.facts(topic, after, limit)
        return [FactAnswer.model_validate(row) for row in rows]

    @router.get("/reconciliation", summary="核对汇总", dependencies=current)
    async def reconciliation(caller: CurrentCaller) -> ReconciliationAnswer:
        """Compare the rollups with the sums of what the facts contribute."""
        _permit(caller, COMPARERS, "核对")
        found = await reporting.reconciler.compare()
        return ReconciliationAnswer(
            facts=found.facts,
            cells=found.cells,
            unreadable=found.unreadable[:NAMED],
            disagreements=[
                DisagreementAnswer.model_validate(
                    {
                        **one.cell._asdict(),
                        "measure": one.measure,
                        "title": BY_NAME[one.measure].title,
                        "rolled_up": one.rolled_up,
                        "summed": one.summed,
                    }
                )
                for one in found.disagreements[:NAMED]
            ],
        )

    @router.get("/parked", summary="搁置的事件")
    async def parked(caller: CurrentCaller) -> ParkedAnswer:
        """List the events that could not be applied."""
        _permit(caller, COMPARERS, "查看搁置的事件")
        rows = await queries.parked(PARKED_SHOWN)
        return ParkedAnswer(parked=[ParkedEvent.model_validate(row) for row in rows])

    @router.post("/parked/replay", summary="重放搁置的事件", dependencies=current)
    async def replay(caller: CurrentCaller, trail: CurrentTrail, asked: Replay) -> ReplayAnswer:
        """Try parked events again, and what waits behind them."""
        _permit(caller, OPERATORS, "重放搁置的事件")
        await trail.administered(caller, events=None if asked.ids is None else len(asked.ids))
        freed = await reporting.consumer.replay(asked.ids)
        return ReplayAnswer(replayed=freed, parked=len(await queries.parked(PARKED_SHOWN)))

    @router.post("/rebuild", summary="重算统计", status_code=202, responses=problem_responses(409))
    async def rebuild(caller: CurrentCaller, trail: CurrentTrail) -> GenerationAnswer:
        """Recompute all statistics from the events; the old ones are served until they are done."""
        _permit(caller, OPERATORS, "重算统计")
        await trail.administered(caller)
        try:
            number = await reporting.rebuilder.start()
        except AlreadyRebuilding:
            raise WrongState("已有一次重算正在进行") from None
        return await generation(number)

    @router.get("/rebuild/{number}", summary="重算进度")
    async def rebuilding(
        caller: CurrentCaller, number: Annotated[int, PathParam(ge=1, le=2**31 - 1)]
    ) -> GenerationAnswer:
        """Say how a rebuild stands."""
        _permit(caller, COMPARERS, "查看重算进度")
        return await generation(number)

    async def generation(number: int) -> GenerationAnswer:
        row = await queries.generation(number)
        if row is None:
            raise NotFound("没有这一代统计")
        return GenerationAnswer.model_validate(row)

    return router
