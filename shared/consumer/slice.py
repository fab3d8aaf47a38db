"""The port between a bus and a consumer: slices of partitions, and places in them.

All that a consumer knows of a bus stands here. The direct bus has one partition a topic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from uuid import UUID

    from shared.events.envelope import Envelope
    from shared.events.wire import Unreadable


class Place(NamedTuple):
    """How far a partition has been applied.

    `topic_generation` counts how often the topic was made anew, `next_offset` is the next offset
    wanted, `last_event_id` the event before it, by which a topic cut short is found out.
    """

    topic_generation: int
    next_offset: int
    last_event_id: UUID | None


@dataclass(frozen=True, slots=True)
class Slice:
    """Consecutive events of a partition: offsets `start` up to, not with, `end`.

    `after` is the event before the first, where the bus knows it. Messages among them that are no
    events are `unreadable`; then `last` names the last message, else it is the last event's id.
    """

    topic: str
    partition: int
    topic_generation: int
    start: int
    end: int
    events: Sequence[Envelope]
    after: UUID | None = None
    unreadable: Sequence[Unreadable] = ()
    last: UUID | None = None

    @property
    def place(self) -> Place:
        """Where the partition stands once the slice has been applied."""
        last = self.last or (self.events[-1].id if self.events else self.after)
        return Place(self.topic_generation, self.end, last)


class Displaced(Exception):  # noqa: N818 - a turn of events, not a fault
    """A slice does not begin where its partition stands; nothing of the batch was applied.

    `places` holds, per (topic, partition) of the batch, where to read on.
    """

    def __init__(self, places: Mapping[tuple[str, int], Place]) -> None:
        super().__init__(f"read on at {dict(places)}")
        self.places = places


class Subscriber(Protocol):
    """Takes slices."""

    async def apply(self, slices: Sequence[Slice]) -> None:
        """Apply slices, at most one a partition, and their new places in one commit.

        Raises `Displaced`.
        """

    async def begin_anew(self, topic: str, partition: int, lost: Place, generation: int) -> Place:
        """Go back to a partition's start, since the bus no longer holds what lies before `lost`.

        It is read as that `generation` of its topic. What was applied is recognised when it comes
        again. Nothing changes where the partition stands elsewhere by now; gives where it stands.
        """


class History(Protocol):
    """All events there are, for reading outside any subscription."""

    @property
    def topics(self) -> Sequence[str]:
        """The topics there are."""

    def read(self, topic: str, since: Mapping[int, Place]) -> AsyncIterator[Slice]:
        """Read on from places (a partition not named: from its start) until nothing more waits."""
