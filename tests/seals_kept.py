"""Seals kept in memory, and leaders that seal without a relay."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.relay.leadership import Leadership
from shared.relay.log import SETTINGS
from shared.seals.sealer import Sealer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.postgres.database import Database
    from shared.seals.seal import Seal


@dataclass
class Kept:
    """A sink that keeps seals, and what was set aside."""

    seals: list[Seal] = field(default_factory=list)
    aside: list[list[Seal]] = field(default_factory=list)

    async def last(self) -> Seal | None:
        return self.seals[-1] if self.seals else None

    async def publish(self, seals: Sequence[Seal]) -> None:
        self.seals += seals

    async def begin_anew(self) -> None:
        self.aside.append(self.seals)
        self.seals = []


async def begin_term(database: Database) -> int:
    """Begin a leader's term, as a relay does."""
    async with database.connection() as connection:
        term: int = await connection.fetchval(
            "INSERT INTO relay_cursor (term, epoch, xid, seq, position) VALUES (1, 0, '0', 0, 0)"
            " ON CONFLICT (one) DO UPDATE SET term = relay_cursor.term + 1 RETURNING term"
        )
    return term


async def seal_everything(database: Database, sealed_events: int = 10_000) -> list[Seal]:
    """Seal all that is settled, as a new leader."""
    session = await database.connect(SETTINGS)
    try:
        leadership = Leadership(session, await begin_term(database))
        sealer = Sealer(database.service, leadership, Kept(), sealed_events=sealed_events)
        made = []
        while (seal := await sealer.seal()) is not None:
            made.append(seal)
        return made
    finally:
        session.terminate()
