"""The publishing end of Kafka behind the relay's port.

Each page becomes one batch a partition, in order, by an idempotent producer that waits for all
in-sync replicas. A producer belongs to one term of leadership: it is closed when that ends, so that
nothing of an old leader is still under way afterwards, and made anew after any error.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed, UnknownTopicOrPartitionError

from shared.events.envelope import PARTITIONS
from shared.events.wire import write
from shared.kafka.interruption import connection_lost_is_an_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.events.envelope import Envelope
    from shared.kafka.cluster import Cluster
    from shared.relay.log import Page

log = structlog.stdlib.get_logger("ecocase.kafka")

BATCH_BYTES = 512 * 1024
REQUEST_BYTES = 8 * 1024 * 1024
"""Room for a batch of every partition; the brokers bound each batch (`max.message.bytes`)."""
REQUEST_MILLISECONDS = 10_000
CLOSE_SECONDS = 1.0


class TopicMissingError(Exception):
    """The topic does not exist, or has not its partitions; `ecocase topics` makes it."""


class KafkaBus:
    """Publishes pages to the services' topics."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._producers: dict[str, AIOKafkaProducer] = {}

    async def publish(self, topic: str, page: Page, topic_generation: int) -> None:
        """Return when every in-sync replica has the page; raises KafkaError, TopicMissingError.

        While no broker answers it waits, as long as that takes: cancel it to give up.
        """
        with connection_lost_is_an_error():
            await self._publish(topic, page, self._cluster.topic(topic, topic_generation))

    async def _publish(self, topic: str, page: Page, name: str) -> None:
        producer = await self._producer(topic)
        await _see_partitions(producer, name)
        by_partition: list[list[Envelope]] = [[] for _ in range(PARTITIONS)]
        for event in page.events:
            by_partition[event.aggregate_id.int % PARTITIONS].append(event)
        async with asyncio.TaskGroup() as together:
            for partition, events in enumerate(by_partition):
                if events:
                    together.create_task(_send(producer, name, partition, events))

    async def resign(self, topic: str) -> None:
        """Close the topic's producer, within a second; what it had under way is given up."""
        producer = self._producers.pop(topic, None)
        if producer is not None:
            await _close(producer)

    async def _producer(self, topic: str) -> AIOKafkaProducer:
        producer = self._producers.get(topic)
        if producer is None:
            producer = AIOKafkaProducer(
                **self._cluster.client(f"relay-{topic}"),
                acks="all",
                enable_idempotence=True,
                max_batch_size=BATCH_BYTES,
                max_request_size=REQUEST_BYTES,
                request_timeout_ms=REQUEST_MILLISECONDS,
            )
            self._producers[topic] = producer
            await producer.start()
        return producer


async def _see_partitions(producer: AIOKafkaProducer, name: str) -> None:
    try:
        partitions = await producer.partitions_for(name)
    except UnknownTopicOrPartitionError:
        partitions = set()
    if len(partitions) != PARTITIONS:
        raise TopicMissingError(f"{name}: {len(partitions)} partitions, {PARTITIONS} are needed")


async def _send(
    producer: AIOKafkaProducer, name: str, partition: int, events: Sequence[Envelope]
) -> None:
    """Send a partition's events in order, in as many batches as they need."""
    sent = []
    batch = producer.create_batch()
    for event in events:
        key, headers, value = write(event)
        if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
            sent.append(await producer.send_batch(batch, name, partition=partition))
            batch = producer.create_batch()
            batch.append(timestamp=None, key=key, value=value, headers=headers)
    sent.append(await producer.send_batch(batch, name, partition=partition))
    await asyncio.gather(*sent)


async def _close(producer: AIOKafkaProducer) -> None:
    """Close, orderly where the brokers answer.

    Where they don't, `stop` would wait for them to take what is left: then its sender is ended
    first. There is no public way to that.
    """
    stopping = asyncio.create_task(producer.stop())
    done, _ = await asyncio.wait({stopping}, timeout=CLOSE_SECONDS)
    if not done:
        producer._message_accumulator.fail_all(ProducerClosed())  # noqa: SLF001
        await producer.client.close()
        sender = producer._sender.sender_task  # noqa: SLF001
        if sender is not None:
            sender.cancel()
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await stopping
    except (KafkaError, TimeoutError, asyncio.CancelledError) as error:
        log.warning("producer closed the hard way", error=type(error).__name__)
