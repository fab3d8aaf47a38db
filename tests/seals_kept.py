"""A place for seals in memory, and relays that seal into it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    async def set_aside(self) -> None:
        self.aside.append(self.seals)
        self.seals = []
