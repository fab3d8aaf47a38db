"""The port through which the relay hands events on: all that it knows of a bus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shared.relay.log import Page


class Bus(Protocol):
    """Takes events in order."""

    async def publish(self, topic: str, page: Page, topic_generation: int) -> None:
        """Return when the page is safe with the bus, so that the cursor may move past it.

        The same page may come again after a crash. An error leaves the cursor where it is.
        """

    async def resign(self, topic: str) -> None:
        """Let go of what publishing a topic needs: this process no longer leads there."""
