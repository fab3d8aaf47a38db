"""What reporting's API answers."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class Coverage(BaseModel):
    """How much of what could be known is known."""

    known: int = Field(title="已知数字")
    total: int = Field(title="全部数字")
    parked: int = Field(title="搁置的事件")
    waiting: int = Field(title="受影响的事项")
    rebuild_due: bool = Field(title="须重算", description="有服务恢复到了较早的时刻")
    owners: list[str] = Field(title="已有数字的服务")


class FigureAnswer(BaseModel):
    """One figure; `value` is a plain decimal, null where it is unknown."""

    id: str
    title: str
    unit: str
    owner: str
    value: str | None


class FiguresAnswer(BaseModel):
    """The figures of a year."""

    year: int
    bureau: str
    as_of: datetime = Field(title="截至", description="此刻以前的事件都已计入")
    lag_seconds: float = Field(title="滞后秒数")
    coverage: Coverage
    figures: list[FigureAnswer]


class MetricsAnswer(BaseModel):
    """A measure by bucket of time and dimensions."""

    measure: str
    title: str
    unit: str
    as_of: datetime
    lag_seconds: float
    parked: int
    rebuild_due: bool
    rows: list[dict[str, str | int | date]]


class WantedVersion(BaseModel):
    """An aggregate and the version that should have been applied."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    version: int = Field(ge=1, le=2**31 - 1)


class PendingVersion(BaseModel):
    """An aggregate that has not come so far yet."""

    id: UUID


class AppliedAnswer(BaseModel):
    """Which aggregates have not come so far yet."""

    pending: list[PendingVersion]


class FactAnswer(BaseModel):
    """An aggregate as the statistics know it."""

    id: UUID
    version: int
    state: str
    hash: str


class DisagreementAnswer(BaseModel):
    """A cell of the rollups that is not the sum of what the facts contribute."""

    day: str
    bureau: str
    service: str
    procedure: str
    kind: str
    channel: str
    measure: str
    title: str = Field(title="指标")
    rolled_up: int = Field(title="汇总")
    summed: int = Field(title="由各事项算得")


class ReconciliationAnswer(BaseModel):
    """Rollups and facts compared in one snapshot; at most 1000 of each kind are named."""

    facts: int = Field(title="事项数")
    cells: int = Field(title="汇总数")
    unreadable: list[UUID] = Field(title="内容不成形的事项")
    disagreements: list[DisagreementAnswer] = Field(title="不符")


class ParkedEvent(BaseModel):
    """An event that could not be applied, or a message that is none."""

    id: UUID
    topic: str
    type: str
    aggregate_id: UUID | None = Field(description="不是可读的事件时为空")
    version: int | None
    reason: str = Field(title="原因", description="gap|poison|fork|unreadable")
    error: str
    parked_at: datetime


class ParkedAnswer(BaseModel):
    """The events parked, the oldest first."""

    parked: list[ParkedEvent]


class Replay(BaseModel):
    """Which parked events to try again; all without a list."""

    model_config = ConfigDict(extra="forbid")

    ids: list[UUID] | None = Field(None, max_length=1_000)


class ReplayAnswer(BaseModel):
    """How a replay ended."""

    replayed: int
    parked: int


class GenerationAnswer(BaseModel):
    """How building a generation of statistics stands."""

    generation: int
    state: str = Field(description="building|live|retired|failed|removed")
    events: int
    aggregates: int
    seconds: float
    error: str | None = None
