"""The port through which seals are published: where they go is out of the database's reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.seals.seal import Seal


class SealSink(Protocol):
    """Takes a service's seals in order."""

    async def last(self) -> Seal | None:
        """The newest seal it holds."""

    async def publish(self, seals: Sequence[Seal]) -> None:
        """Return when the seals are safe; they follow the last one held."""

    async def begin_anew(self) -> None:
        """Keep what it holds as it is and begin anew: the table no longer agrees with it."""
