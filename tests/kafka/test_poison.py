"""What on a topic cannot be applied is parked, and keeps nothing else from being applied."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from shared.consumer.rebuild import Rebuilder
from shared.events.envelope import Envelope, partition_of
from shared.events.wire import write as message_of
from shared.kafka.history import KafkaHistory
from shared.kafka.topics import ensure_topics, make_next_generation
from tests.event_history import Story, envelope, write
from tests.kafka.conftest import SERVICES, feeding, relaying
from tests.kafka.crowd import Crowd, everything
from tests.tally import tallied
from tests.waiting import until

if TYPE_CHECKING:
    from shared.consumer.consumer import Consumer
    from shared.kafka.cluster import Cluster
    from shared.postgres.database import Database

pytestmark = pytest.mark.slow


async def send(cluster: Cluster, event: Envelope, **changes: Any) -> None:
    """Send an event as the relay would, with something changed."""
    key, headers, value = message_of(event)
    message = {"key": key, "headers": headers, "value": value, **changes}
    producer = AIOKafkaProducer(bootstrap_servers=cluster.bootstrap)
    await producer.start()
    await producer.send_and_wait(
        cluster.topic(event.topic), partition=partition_of(event.aggregate_id), **message
    )
    await producer.stop()


async def reasons(reporting: Database) -> list[str]:
    async with reporting.connection() as connection:
        rows = await connection.fetch(
            "SELECT reason FROM parked UNION ALL SELECT 'unreadable' FROM unreadable ORDER BY 1"
        )
    return [row[0] for row in rows]


async def test_what_cannot_be_applied_is_parked_and_others_go_on(
    reporting: Database, consumer: Consumer, topics: Cluster
) -> None:
    garbled, unknown, headless, foreign, gap, sound = (Story("cases") for _ in range(6))
    first = [
        envelope("cases", one.tell("filed", {"amount": 1})) for one in (garbled, headless, gap)
    ]
    async with feeding(topics, consumer):
        await send(topics, first[0], value=b"{not JSON")
        await send(topics, envelope("cases", garbled.tell("noted", {"amount": 1})))  # waits
        await send(topics, envelope("cases", unknown.tell("filed.v2")))
        await send(topics, first[1], headers=message_of(first[1]).headers[:3])
        await send(topics, envelope("cases", foreign.tell("filed")), headers=[], value=b"hello")
        await send(topics, envelope("cases", gap.tell("noted", {"amount": 1})))
        await send(topics, envelope("cases", sound.tell("filed", {"amount": 7})))

        async def all_seen() -> bool:
            parked = await reasons(reporting)
            return (len(parked), await tallied(reporting)) == (6, (1, 7))

        await until(all_seen, f"six are parked, one applied, {await reasons(reporting)}")
        assert await reasons(reporting) == [
            "gap",
            "gap",
            "poison",
            "poison",
            "unreadable",
            "unreadable",
        ]

        # The causes are mended: the type is known, and what was lacking is published again.
        consumer.projection.known.add("v2")  # type: ignore[attr-defined]  # the tally's
        for event in first:
            await send(topics, event)

        async def mended() -> bool:
            return (await tallied(reporting))[1] == 7 + 1 + 1 + 1 + 1 + 1

        await until(mended, "what was published again is applied, and what waited behind it")
        await consumer.replay()
    assert await tallied(reporting) == (7, 12)
    assert await reasons(reporting) == ["unreadable", "unreadable"]


async def test_a_rebuild_from_the_topics_counts_the_same(
    cases: Database, reporting: Database, consumer: Consumer, topics: Cluster
) -> None:
    crowd = Crowd(cases)
    async with relaying(topics, cases), feeding(topics, consumer):
        await crowd.write(300)
        await crowd.all_applied(reporting)
        await send(topics, envelope("cases", Story("cases").tell("filed")), headers=[])
        rebuilder = Rebuilder(consumer, KafkaHistory(topics, SERVICES))
        writing = asyncio.create_task(crowd.write(200, pause=0.005))
        assert await rebuilder.start() == 2
        await rebuilder.finished()
        await writing
        await crowd.all_applied(reporting)
        await rebuilder.close()
    async with reporting.connection() as connection:
        assert await connection.fetchval("SELECT generation FROM serving") == 2
        assert (
            await connection.fetchval("SELECT count(*) FROM unreadable WHERE generation = 2") == 1
        )


@pytest.mark.parametrize("running", [True, False], ids=["while it is read", "while nobody reads"])
async def test_a_topic_that_was_deleted_and_made_again_is_found_out(
    cases: Database, reporting: Database, consumer: Consumer, topics: Cluster, *, running: bool
) -> None:
    crowd = Crowd(cases)
    async with relaying(topics, cases):
        async with feeding(topics, consumer):
            await crowd.write(200)
            await crowd.all_applied(reporting)
            if running:
                await made_again(topics)
                await crowd.write(50)
                await rebuild_is_due(reporting)
        if not running:
            await made_again(topics)
            await crowd.write(50)
            async with feeding(topics, consumer):
                await rebuild_is_due(reporting)
        # What is lacking is published again; nothing is lost or counted twice by then.
        async with cases.connection() as connection:
            await connection.execute(
                "INSERT INTO republication (requested_at, requested_by, into_new_topic)"
                " VALUES (now(), 'sysadmin', false)"
            )
        async with feeding(topics, consumer):
            await crowd.all_applied(reporting)
            rebuilder = Rebuilder(consumer, KafkaHistory(topics, SERVICES))
            await rebuilder.start()
            await rebuilder.finished()
            await crowd.all_applied(reporting)
    assert await consumer_is_clean(reporting)


async def made_again(cluster: Cluster) -> None:
    """Delete the topic and make it again, as large as it was: its offsets alone tell nothing."""
    name = cluster.topic("cases")
    ends = await everything(cluster, name)
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap)
    await admin.start()
    await admin.delete_topics([name])

    async def made() -> bool:
        await ensure_topics(cluster, ["cases"], replication=1)
        return name in await admin.list_topics()

    await until(made, "the topic is there again")
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=cluster.bootstrap)
    await producer.start()
    for record in ends:  # others' messages in its place
        await producer.send(name, value=b"another's", key=b"x", partition=record.partition)
    await producer.flush()
    await producer.stop()


async def rebuild_is_due(reporting: Database) -> None:
    async def due() -> bool:
        async with reporting.connection() as connection:
            return bool(await connection.fetchval("SELECT count(error) FROM generation"))

    await until(due, "a rebuild is due")


async def consumer_is_clean(reporting: Database) -> bool:
    async with reporting.connection() as connection:
        return not await connection.fetchval(
            "SELECT count(error) FROM generation JOIN serving ON generation = number"
        )


async def test_everything_is_published_into_a_new_generation_of_the_topic(
    cases: Database, reporting: Database, consumer: Consumer, topics: Cluster
) -> None:
    crowd = Crowd(cases)
    async with relaying(topics, cases, page_events=10), feeding(topics, consumer):
        await crowd.write(200)
        await make_next_generation(topics, "cases", replication=1)
        writing = asyncio.create_task(crowd.write(200, pause=0.005))
        async with cases.connection() as connection:
            await connection.execute(
                "INSERT INTO republication (requested_at, requested_by, into_new_topic)"
                " VALUES (now(), 'sysadmin', true)"
            )

        async def gone_over() -> bool:
            async with cases.connection() as connection:
                return bool(
                    await connection.fetchval("SELECT topic_generation FROM relay_cursor") == 2
                )

        await until(gone_over, "the relay has gone over")
        await writing
        rebuilder = Rebuilder(consumer, KafkaHistory(topics, SERVICES))
        await rebuilder.start()
        await rebuilder.finished()
        await write(cases, crowd.stories[0].tell("noted", {"amount": 1}))
        crowd.written += 1
        await crowd.all_applied(reporting)
    await crowd.log_is_whole(topics, 2)
