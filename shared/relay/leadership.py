"""Leading a service's relay: one process at a time, told from those before it by its term."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.postgres.database import Connection


class LeadershipLost(Exception):  # noqa: N818 - a turn of events, not a fault
    """Another process leads now."""


@dataclass(frozen=True, slots=True)
class Leadership:
    """The session that holds the lock, and the term it began.

    What a leader writes it writes here, where its term still stands. The session takes one
    statement at a time: whoever uses it holds `turn`.
    """

    connection: Connection
    term: int
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
