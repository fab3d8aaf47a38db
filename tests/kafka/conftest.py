"""Two services' events, topics of their own on a real broker, and a consumer that tallies them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from shared.kafka.feed import KafkaFeed, Membership
from shared.kafka.publisher import KafkaBus
from shared.kafka.topics import ensure_topics
from shared.relay.relay import Relay
from tests.consumer.conftest import cases, consumer, fresh, permits, reporting
from tests.kafka_fixture import settled
from tests.seals_kept import Kept

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.consumer.consumer import Consumer
    from shared.kafka.cluster import Cluster
    from shared.postgres.database import Database

__all__ = ["cases", "consumer", "fresh", "permits", "reporting"]

SERVICES = ("cases", "permits")
SESSION_SECONDS = 6.0


@pytest.fixture
async def topics(cluster: Cluster) -> Cluster:
    """The cluster with the topics made."""
    await ensure_topics(cluster, SERVICES, replication=1)
    return cluster


@asynccontextmanager
async def relaying(
    cluster: Cluster, *databases: Database, page_events: int = 100
) -> AsyncIterator[list[Relay]]:
    """Relay services' events to the cluster."""
    relays = [Relay(one, KafkaBus(cluster), Kept(), page_events=page_events) for one in databases]
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield relays
    finally:
        await settled(*tasks)


@asynccontextmanager
async def feeding(
    cluster: Cluster, consumer: Consumer, instance: str = "first"
) -> AsyncIterator[KafkaFeed]:
    """Feed a consumer from the cluster, as an instance of its group."""
    membership = Membership(f"{cluster.prefix}-group", instance, SESSION_SECONDS)
    feed = KafkaFeed(cluster, consumer, SERVICES, membership)
    task = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        await settled(task)
