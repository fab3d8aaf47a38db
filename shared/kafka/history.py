"""All events on Kafka, read from any place on outside the consumer group: for a rebuild."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.consumer.slice import Place
from shared.events.envelope import PARTITIONS
from shared.kafka.interruption import connection_lost_is_an_error
from shared.kafka.lookout import Lookout
from shared.kafka.records import Partition, slice_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from shared.consumer.slice import Slice
    from shared.kafka.cluster import Cluster

RECORDS_AT_ONCE = 5_000
PATIENCE_MILLISECONDS = 1_000
FETCH_BYTES = 4 * 1024 * 1024
SILENCE_SECONDS = 60.0


class HistoryInterrupted(Exception):  # noqa: N818 - a turn of events, not a fault
    """The topic was changed or fell silent while it was read."""


class KafkaHistory:
    """Reads the services' topics, each in its newest generation unless told where to go on."""

    def __init__(self, cluster: Cluster, services: Sequence[str]) -> None:
        self._cluster = cluster
        self._services = tuple(services)

    @property
    def topics(self) -> Sequence[str]:
        """The services."""
        return self._services

    async def read(self, topic: str, since: Mapping[int, Place]) -> AsyncIterator[Slice]:
        """Read on until what was there at the end of the last look is read.

        A topic that does not exist yet has no events. Raises KafkaError, HistoryInterrupted.
        """
        generation = await self._generation(topic, since)
        if generation is None:
            return
        name = self._cluster.topic(topic, generation)
        places = {
            number: since.get(number, Place(generation, 0, None)) for number in range(PARTITIONS)
        }
        async with self._reader(name, places) as consumer:
            partitions = [TopicPartition(name, number) for number in places]
            ends = await _ends(consumer, partitions)
            while any(places[one.partition].next_offset < ends[one] for one in partitions):
                async for each in _upto(consumer, topic, places, ends):
                    yield each
                ends = await _ends(consumer, partitions)

    async def _generation(self, topic: str, since: Mapping[int, Place]) -> int | None:
        if since:
            return max(place.topic_generation for place in since.values())
        async with Lookout(self._cluster, "history") as lookout:
            found = self._cluster.generations(topic, await lookout.topics())
        return found[-1] if found else None

    @asynccontextmanager
    async def _reader(
        self, name: str, places: Mapping[int, Place]
    ) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            **self._cluster.client("history"),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        try:
            await consumer.start()
            consumer.assign([TopicPartition(name, number) for number in places])
            for number, place in places.items():
                consumer.seek(TopicPartition(name, number), place.next_offset)
            yield consumer
        finally:
            await consumer.stop()


async def _ends(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition]
) -> dict[TopicPartition, int]:
    with connection_lost_is_an_error():
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
    return ends


async def _upto(
    consumer: AIOKafkaConsumer,
    topic: str,
    places: dict[int, Place],
    ends: Mapping[TopicPartition, int],
) -> AsyncIterator[Slice]:
    """Read until the ends are reached, moving the places along."""
    silent_since = asyncio.get_running_loop().time()
    while any(places[one.partition].next_offset < end for one, end in ends.items()):
        with connection_lost_is_an_error():
            found = await consumer.getmany(
                timeout_ms=PATIENCE_MILLISECONDS, max_records=RECORDS_AT_ONCE
            )
        now = asyncio.get_running_loop().time()
        if not found and now - silent_since > SILENCE_SECONDS:
            raise HistoryInterrupted(f"{topic} has fallen silent")
        for one, records in found.items():
            place = places[one.partition]
            if records[0].offset < place.next_offset:
                raise HistoryInterrupted(f"{topic} is shorter than it was")
            partition = Partition(topic, place.topic_generation, one.partition)
            each = slice_of(partition, place.next_offset, place.last_event_id, records)
            places[one.partition] = each.place
            silent_since = now
            yield each
