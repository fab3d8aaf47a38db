"""How far behind the statistics are: what is published and not applied yet, and since when.

Of the partitions that this instance reads it is known with every fetch. Of the others, once a
second, by comparing the ends of the topics with the places in the database. While the brokers
cannot be asked nothing is known, so the lag grows from the last good look on.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka import TopicPartition
from prometheus_client import Gauge

from shared.events.envelope import PARTITIONS
from shared.kafka.interruption import connection_lost_is_an_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.kafka.feed import Projected, Topic

log = structlog.stdlib.get_logger("ecocase.kafka")

LOOK_SECONDS = 1.0
DOUBT_SECONDS = 3.0
"""How old the last good look may be before what it said is no longer relied upon."""

BEHIND = Gauge("ecocase_feed_behind_events", "Published events not yet applied, of all partitions.")
LAG = Gauge("ecocase_feed_lag_seconds", "Age of the oldest event published and not applied.")
NEWER_TOPIC = Gauge(
    "ecocase_feed_newer_topic",
    "1 where a newer generation of a service's topic exists than is applied: rebuild.",
    ["service"],
)


class Standing:
    """What is known of the lag."""

    def __init__(self, projected: Projected) -> None:
        self._projected = projected
        self._looked = time.monotonic()
        self._behind_here: dict[TopicPartition, float] = {}
        self._awaited: list[tuple[float, dict[TopicPartition, int]]] = []
        LAG.set_function(lambda: self.lag_seconds)

    @property
    def lag_seconds(self) -> float:
        """Seconds since when something has been waiting, 0 where nothing is known to."""
        now = time.monotonic()
        since = [now, *self._behind_here.values()]
        if self._awaited:
            since.append(self._awaited[0][0])
        if now - self._looked > DOUBT_SECONDS:
            since.append(self._looked)
        return now - min(since)

    def note(self, consumer: Any, next_offsets: Mapping[TopicPartition, int]) -> None:
        """Note how far this instance's own partitions are read."""
        now = time.monotonic()
        assigned = consumer.assignment()
        behind = {}
        for one, wanted in next_offsets.items():
            highwater = consumer.highwater(one) if one in assigned else None
            if highwater is not None and highwater > wanted:
                behind[one] = self._behind_here.get(one, now)
        self._behind_here = behind

    def left(self) -> None:
        """Note that this instance reads nothing any more."""
        self._behind_here = {}

    def moved(self, service: str, applied: int, newest: int) -> None:
        """Note which generation of a topic is applied, and which is the newest there is."""
        NEWER_TOPIC.labels(service).set(newest > applied)

    async def watch(self, consumer: Any, topics: Mapping[str, Topic]) -> None:
        """Look at every partition once a second, until cancelled."""
        while True:
            try:
                began = time.monotonic()
                everywhere = [
                    TopicPartition(name, number) for name in topics for number in range(PARTITIONS)
                ]
                with connection_lost_is_an_error():
                    ends = await consumer.end_offsets(everywhere)
                places = await self._projected.places()
                applied = {
                    one: places[key].next_offset if key in places else 0
                    for one in everywhere
                    for key in [(topics[one.topic].service, one.partition)]
                }
                self._compare(began, ends, applied, consumer.assignment())
            except Exception as error:  # noqa: BLE001 - a look fails with the brokers; the lag grows
                log.warning("the topics could not be looked at", error=type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)

    def _compare(
        self,
        began: float,
        ends: Mapping[TopicPartition, int],
        applied: Mapping[TopicPartition, int],
        own: set[TopicPartition],
    ) -> None:
        waiting = {one: end for one, end in ends.items() if end > applied[one]}
        BEHIND.set(sum(end - applied[one] for one, end in waiting.items()))
        self._awaited = [
            (since, missing)
            for since, wanted in self._awaited
            if (missing := {one: end for one, end in wanted.items() if applied[one] < end})
        ]
        elsewhere = {one: end for one, end in waiting.items() if one not in own}
        if elsewhere:
            self._awaited.append((began, elsewhere))
        self._looked = began
