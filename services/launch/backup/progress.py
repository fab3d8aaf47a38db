"""How a backup or a restore says how far it has come."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Shows one step at a time."""

    def step(self, title: str, total: int | None = None) -> None:
        """Begin a step, of `total` bytes where it is known."""

    def advance(self, count: int) -> None:
        """Go on within the step by so many bytes."""
