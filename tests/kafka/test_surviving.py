"""What must not lose or double anything: ended brokers, relays and consumers, in every order."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from shared.consumer.consumer import Consumer
from shared.kafka.cluster import Cluster
from shared.kafka.topics import ensure_topics
from tests.consumer.test_relaying import drop_advisory_locks
from tests.kafka.conftest import SERVICES, feeding, relaying
from tests.kafka.crowd import Crowd
from tests.kafka_fixture import settled
from tests.tally import Tally, tallied
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from deploy.kafka.broker import Broker
    from shared.postgres.database import Database
    from tests.postgres_fixture import FreshDatabase

pytestmark = pytest.mark.slow

OUTAGE_SECONDS = 5.0


async def stopped_and_started(broker: Broker, how: Callable[[Broker], None]) -> None:
    await asyncio.to_thread(how, broker)
    await asyncio.sleep(OUTAGE_SECONDS)  # the outage itself
    await asyncio.to_thread(broker.start)


@pytest.mark.parametrize("how", ["kill", "stop"])
async def test_a_broker_that_is_away_for_a_while_loses_nothing(
    cases: Database, reporting: Database, consumer: Consumer,
    own_broker: Callable[[], Broker], how: str,
) -> None:  # fmt: skip
    broker = await asyncio.to_thread(own_broker)
    cluster = Cluster(broker.bootstrap)
    await ensure_topics(cluster, SERVICES, replication=1)
    crowd = Crowd(cases)
    async with relaying(cluster, cases), feeding(cluster, consumer) as feed:
        writing = asyncio.create_task(crowd.write(700, pause=0.01))
        await until(lambda: some_applied(reporting, 50), "events flow")
        await stopped_and_started(broker, lambda it: getattr(it, how)())
        await writing
        await crowd.all_applied(reporting)
        await until(lambda: caught_up(feed), "nothing is known to wait")
    await crowd.log_is_whole(cluster)


async def some_applied(reporting: Database, events: int) -> bool:
    return (await tallied(reporting))[0] >= events


async def caught_up(feed: object) -> bool:
    return feed.lag_seconds == 0  # type: ignore[attr-defined, no-any-return]


async def test_relays_killed_at_random_publish_each_aggregate_in_order(
    cases: Database, reporting: Database, consumer: Consumer, topics: Cluster
) -> None:
    crowd = Crowd(cases)

    async def restless() -> None:
        while True:
            async with relaying(topics, cases, page_events=crowd.dice.choice([2, 7, 50])):
                await asyncio.sleep(crowd.dice.random() * 0.3)

    relay = asyncio.create_task(restless())
    async with feeding(topics, consumer):
        await crowd.write(600)
        await settled(relay)
        async with relaying(topics, cases):
            await crowd.all_applied(reporting)
    await crowd.log_is_whole(topics)


async def test_a_leader_that_wakes_after_another_took_over_disorders_nothing(
    cases: Database, reporting: Database, consumer: Consumer, fresh: FreshDatabase,
    own_broker: Callable[[], Broker],
) -> None:  # fmt: skip
    broker = await asyncio.to_thread(own_broker)
    cluster = Cluster(broker.bootstrap)
    await ensure_topics(cluster, SERVICES, replication=1)
    crowd = Crowd(cases)
    async with relaying(cluster, cases, page_events=5), feeding(cluster, consumer):
        await crowd.write(100)
        await until(lambda: some_applied(reporting, 20), "events flow")
        with broker.frozen():  # the first leader hangs in the middle of a page
            await crowd.write(100)
            await drop_advisory_locks(fresh)  # as if its session had been lost unnoticed
            async with relaying(cluster, cases, page_events=7) as [other]:
                await crowd.write(50)
                await asyncio.sleep(1)  # it leads, and hangs as well
                del other
        await crowd.write(50)
        await crowd.all_applied(reporting)
    await crowd.log_is_whole(cluster)


async def test_instances_that_join_and_leave_count_everything_once(
    cases: Database, reporting: Database, consumer: Consumer, topics: Cluster
) -> None:
    crowd = Crowd(cases)
    async with AsyncExitStack() as stack:
        others = [Consumer(reporting, Tally()) for _ in range(2)]
        for other in others:
            await other.open()
            stack.push_async_callback(other.close)
        await stack.enter_async_context(relaying(topics, cases, page_events=20))
        writing = asyncio.create_task(crowd.write(900, pause=0.008))
        async with feeding(topics, consumer, "first"):
            await until(lambda: some_applied(reporting, 50), "the first reads")
            async with feeding(topics, others[0], "second"):
                await until(lambda: some_applied(reporting, 200), "two read")
                async with feeding(topics, others[1], "third"):
                    await until(lambda: some_applied(reporting, 350), "three read")
        async with feeding(topics, others[1], "third"):
            await writing
            await crowd.all_applied(reporting)


class Hanging(Consumer):
    """A consumer that hangs within a batch when told to, and goes on when told to."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, Tally())
        self.hang = False
        self.hangs = asyncio.Event()
        self.go_on = asyncio.Event()

    async def apply(self, slices: object) -> None:
        if self.hang:
            self.hangs.set()
            await self.go_on.wait()
        await super().apply(slices)  # type: ignore[arg-type]


async def test_a_consumer_that_hung_past_its_session_counts_nothing_twice(
    cases: Database, reporting: Database, consumer: Consumer, topics: Cluster
) -> None:
    crowd = Crowd(cases)
    hanging = Hanging(reporting)
    await hanging.open()
    async with relaying(topics, cases, page_events=20), feeding(topics, hanging, "first"):
        await crowd.write(100)
        await crowd.all_applied(reporting)
        hanging.hang = True
        await crowd.write(100)
        await hanging.hangs.wait()
        # Under the same name, as after a restart that nobody told the first about.
        async with feeding(topics, consumer, "first"):
            await crowd.all_applied(reporting)
            hanging.hang = False
            hanging.go_on.set()
            await crowd.write(100)
            await crowd.all_applied(reporting)
    await hanging.close()
