"""The bus within one process: pages go straight from the relay to the consumers.

Each topic has one partition, 0, and an event's offset is its place in the service's log. So a
consumer that is behind, or was told of a page before, reads on from the log itself.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from shared.consumer.slice import Displaced, Place, Slice
from shared.relay.log import START, EventLog, Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence

    from shared.consumer.slice import Subscriber
    from shared.postgres.database import Database
    from shared.relay.log import Position

log = structlog.stdlib.get_logger("ecocase.bus")

PARTITION = 0
PAGE_EVENTS = 5_000
NOWHERE = Place(1, 0, None)


class DirectHistory:
    """Reads the services' event tables from any place on."""

    def __init__(self, databases: Sequence[Database], *, page_events: int = PAGE_EVENTS) -> None:
        self._logs = {database.service: EventLog(database) for database in databases}
        self._page_events = page_events

    @property
    def topics(self) -> Sequence[str]:
        """The services."""
        return tuple(self._logs)

    async def read(self, topic: str, since: Mapping[int, Place]) -> AsyncIterator[Slice]:
        """Read on from a place until nothing more is settled, the next page while one is used."""
        place = since.get(PARTITION, NOWHERE)
        position = await self.find(topic, place)
        if position is None:
            position = START
        page = await self.page(topic, position)
        while page.events:
            following = asyncio.create_task(self.page(topic, page.end))
            try:
                yield slice_of(topic, page, place.topic_generation)
                page = await following
            finally:
                following.cancel()

    async def find(self, topic: str, place: Place) -> Position | None:
        """The log's position at a place; None where the log does not hold the event before it."""
        return await self._logs[topic].find(place.last_event_id, place.next_offset)

    async def page(self, topic: str, start: Position, limit: int | None = None) -> Page:
        """Read a page of a topic's log."""
        return await self._logs[topic].page(
            start, min(limit or self._page_events, self._page_events)
        )

    def close(self) -> None:
        """Drop the connections."""
        for reader in self._logs.values():
            reader.close()


class DirectBus:
    """Hands each page to every subscriber, and returns when each has committed it."""

    def __init__(self, history: DirectHistory) -> None:
        self._history = history
        self._subscribers: list[Subscriber] = []
        self._topic_generation: dict[tuple[str, int], int] = {}

    def subscribe(self, subscriber: Subscriber) -> None:
        """Hand everything to `subscriber` from now on; what it missed it reads from the log."""
        self._subscribers.append(subscriber)

    async def find_lost(self) -> None:
        """See, before anything is published, that each log still holds what was applied of it.

        Else a service restored from an older backup, and quiet since, would not be found out.
        """
        for topic in self._history.topics:
            await self._hand_to_all(topic, Page(START, (), START))

    async def publish(self, topic: str, page: Page, topic_generation: int) -> None:
        """Hand a page to every subscriber; raises what they raise.

        There are no topics to have generations: each subscriber is asked for its own.
        """
        del topic_generation
        await self._hand_to_all(topic, page)

    async def resign(self, topic: str) -> None:
        """Do nothing: nothing is held for a topic."""

    async def _hand_to_all(self, topic: str, page: Page) -> None:
        async with asyncio.TaskGroup() as together:
            for subscriber in self._subscribers:
                together.create_task(self._hand(subscriber, topic, page))

    async def _hand(self, subscriber: Subscriber, topic: str, page: Page) -> None:
        generation = self._topic_generation.get((topic, id(subscriber)), NOWHERE.topic_generation)
        displaced = await _attempt(subscriber.apply([slice_of(topic, page, generation)]))
        # More than once only where it goes over to another generation of statistics meanwhile.
        while displaced is not None:
            place = displaced.places[topic, PARTITION]
            displaced = await _attempt(self._catch_up(subscriber, topic, place, page.end))

    async def _catch_up(
        self, subscriber: Subscriber, topic: str, place: Place, end: Position
    ) -> None:
        """Give a subscriber what it lacks up to a position; it may lack nothing.

        Where the log is not the one that it has applied, since a restore went back in time, it
        begins anew: with a new generation of the topic, from the log's start.
        """
        position = await self._history.find(topic, place)
        if position is not None:
            position = await self._read_on(subscriber, topic, place, position, end)
        # At the same offset another event: the log lacks one that came before the last applied.
        if position is None or (position.offset == end.offset and position != end):
            log.error("the log no longer holds what was applied", topic=topic)
            place = await subscriber.begin_anew(topic, PARTITION, place, place.topic_generation + 1)
            await self._read_on(subscriber, topic, place, START, end)

    async def _read_on(
        self, subscriber: Subscriber, topic: str, place: Place, position: Position, end: Position
    ) -> Position:
        """Apply the log from a position on, until as many events as `end` says are applied."""
        self._topic_generation[topic, id(subscriber)] = place.topic_generation
        while position.offset < end.offset:
            page = await self._history.page(topic, position, end.offset - position.offset)
            await subscriber.apply([slice_of(topic, page, place.topic_generation)])
            position = page.end
        return position


def slice_of(topic: str, page: Page, topic_generation: int) -> Slice:
    """A page as a slice of the topic's one partition."""
    return Slice(
        topic=topic,
        partition=PARTITION,
        topic_generation=topic_generation,
        start=page.start.offset,
        end=page.end.offset,
        events=page.events,
        after=page.start.event_id,
    )


async def _attempt(application: Coroutine[object, object, None]) -> Displaced | None:
    try:
        await application
    except Displaced as displaced:
        return displaced
    return None
