"""The routes by which auditors compare and verify a service, each bounded in what it reads."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from shared.audit.dependency import CurrentTrail
from shared.http.problem import RoleForbidden
from shared.identity.caller import Caller
from shared.identity.dependency import CurrentCaller
from shared.identity.roles import Role
from shared.verification.aggregates import AggregateAudit, Compared
from shared.verification.findings import SealVerification, TraceVerification, Verification
from shared.verification.seals import SealAudit
from shared.verification.traces import TraceAudit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.postgres.database import Database
    from shared.workflow.desk import CalendarSource
    from shared.workflow.table import Procedure
    from shared.workflow.tables import ServiceTables

AUDITORS = frozenset({Role.AUDIT_ADMIN, Role.SYSTEM_ADMIN, Role.SUPERVISOR})
FIRST = UUID(int=0)
After = Annotated[UUID, Query(description="上一页最后一个事项")]
AfterSeal = Annotated[int, Query(ge=0, le=2**63 - 1, description="上一页最后一个封签的编号")]


class SealAnswer(BaseModel):
    """A seal as it is published; bytes as hex."""

    service: str
    number: int = Field(title="封签号")
    epoch: int
    first_xid: int
    first_seq: int
    last_xid: int
    last_seq: int
    events: int = Field(title="事件数")
    digest: str
    previous_hash: str | None
    hash_algorithm: str
    term: int
    sealed_at: datetime = Field(title="封签时间")
    hash: str


def verification_routes(
    router: APIRouter,
    procedures: Sequence[Procedure],
    tables: ServiceTables,
    database: Database,
    calendars: CalendarSource,
) -> None:
    """Add the routes by which a service is compared and verified."""
    aggregates_audit = AggregateAudit(procedures, tables, database)
    traces_audit = TraceAudit(tables, database)
    seals_audit = SealAudit(database)

    def permitted(caller: Caller) -> None:
        if not caller.roles & AUDITORS:
            raise RoleForbidden("须由审计管理员、系统管理员或督查办理")

    @router.get("/aggregates", summary="状态与事件对照", tags=["核对"])
    async def aggregates(
        caller: CurrentCaller,
        trail: CurrentTrail,
        after: After = FIRST,
        limit: Annotated[int, Query(ge=1, le=5_000)] = 1_000,
    ) -> list[Compared]:
        """Page through the service's aggregates by state row and by last event."""
        permitted(caller)
        await trail.exported(caller, after=str(after), limit=limit)
        return await aggregates_audit.page(after, limit)

    @router.get("/verification", summary="校验散列链与状态", tags=["核对"])
    async def verification(
        caller: CurrentCaller,
        after: After = FIRST,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 500,
    ) -> Verification:
        """Walk the chains of a stretch of aggregates, make their state rows anew, name faults."""
        permitted(caller)
        return await aggregates_audit.verify(after, limit, calendars.calendar)

    @router.get("/verification/traces", summary="校验事件之外的痕迹", tags=["核对"])
    async def traces(
        caller: CurrentCaller,
        after: Annotated[str, Query(max_length=1_000, description="上一页的 next")] = "",
        limit: Annotated[int, Query(ge=1, le=10_000)] = 5_000,
    ) -> TraceVerification:
        """Walk what stands beside the events, and name what is left of removed ones."""
        permitted(caller)
        return await traces_audit.verify(after, limit)

    @router.get("/verification/seals", summary="校验封签", tags=["核对"])
    async def sealed(caller: CurrentCaller, after: AfterSeal = 0) -> SealVerification:
        """Reckon a stretch of seals again from the events, and name every fault."""
        permitted(caller)
        return await seals_audit.verify(after)

    @router.get("/seals", summary="封签", tags=["核对"])
    async def seals(
        caller: CurrentCaller,
        after: AfterSeal = 0,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 500,
    ) -> list[SealAnswer]:
        """Page through the seals, for whoever keeps a copy of them."""
        permitted(caller)
        page = await seals_audit.page(after, limit)
        return [SealAnswer.model_validate(seal.as_json()) for seal in page]
