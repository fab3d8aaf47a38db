"""An event as consumers see it, whichever bus brought it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

PARTITIONS = 12
"""Partitions of every topic; they never change, since an aggregate's events keep to one."""


class Envelope(NamedTuple):
    """One event.

    `topic` is the service that published it, `data` raw JSON, times are aware UTC, `traceparent`
    the W3C trace context of the request that made it. A tuple, because hundreds of thousands are
    made while statistics are rebuilt.
    """

    topic: str
    id: UUID
    type: str
    aggregate_id: UUID
    version: int
    bureau: str
    state: str
    actor: str
    occurred_at: datetime
    recorded_at: datetime
    hash: bytes
    previous_hash: bytes | None
    data: bytes
    traceparent: str | None = None


def partition_of(aggregate_id: UUID, partitions: int = PARTITIONS) -> int:
    """The partition that all events of an aggregate go to: its id modulo their number."""
    return aggregate_id.int % partitions
