"""What the consumer asks of a projection: how an event changes an aggregate, what to keep of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.consumer.working_set import Body
    from shared.events.envelope import Envelope
    from shared.postgres.database import Connection


class Change(NamedTuple):
    """An aggregate that a batch changed: its body before (None when new) and after."""

    partition: int
    topic: str
    bureau: str
    before: Body | None
    after: Body


class Projection(Protocol):
    """A projection of every topic."""

    shape: str
    """What the folds make of events, by a name that changes with it: a generation of another
    shape is built anew before it is read or added to."""

    tables: Sequence[str]
    """Its own tables, each with a column `generation`, to be cleared of retired ones."""

    def fold(self, body: Body | None, event: Envelope) -> Body:
        """An aggregate's body after an event, a new one.

        Raises, best `UnfitEventError`, what makes the event poison.
        """

    async def prepare(self, connection: Connection) -> None:
        """Make the temporary tables that `write` uses, on a new connection."""

    async def write(
        self, connection: Connection, generation: int, changes: Sequence[Change]
    ) -> None:
        """Keep the difference that the changes make, in the transaction of the caller."""


class UnfitEventError(ValueError):
    """An event that a projection cannot take: of an unknown type, or without what its type has."""
