"""What a verification answers: how much it walked, and what it found."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, Field


class Finding(BaseModel):
    """One thing wrong: with an aggregate's chain or state row, or with a seal."""

    aggregate_id: UUID | None = None
    version: int | None = None
    event_id: UUID | None = None
    seal: int | None = Field(None, title="封签号")
    what: str = Field(
        title="问题",
        description="edited|removed|reordered|unrecorded|unknown-type|state-differs|no-events|"
        "no-state|seal-edited|seal-removed|seal-forked|seal-differs|not-yet-drawn",
    )
    reason: str = Field(title="说明")


class Verification(BaseModel):
    """A stretch of the walk over aggregates; `next` is where the following one begins."""

    aggregates: int
    events: int
    findings: list[Finding]
    next: UUID | None = None


class TraceVerification(BaseModel):
    """A stretch of the walk over what stands beside the events; `next` begins the following."""

    rows: int
    findings: list[Finding]
    next: str | None = None


class SealVerification(BaseModel):
    """A stretch of the walk over seals, up to the one numbered `last`.

    At the end of all, `unsealed` is the first settled event that no seal covers yet.
    """

    seals: int
    events: int
    findings: list[Finding]
    last: int
    more: bool
    unsealed: UUID | None = None
