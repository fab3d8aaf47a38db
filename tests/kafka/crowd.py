"""Many writers at once, and what must be true when everything has settled."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.events.envelope import PARTITIONS
from tests.event_history import Story, write
from tests.tally import tallied
from tests.waiting import until

if TYPE_CHECKING:
    from shared.kafka.cluster import Cluster
    from shared.postgres.database import Database


@dataclass
class Crowd:
    """Writers that note things of the same aggregates, until `stop` or so many events."""

    database: Database
    stories: list[Story] = field(default_factory=list)
    written: int = 0
    dice: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - repeatable

    async def write(self, events: int, *, writers: int = 8, pause: float = 0.0) -> None:
        """Write so many events by several connections."""
        if not self.stories:
            self.stories = [Story(self.database.service) for _ in range(40)]
        turns = {story.id: asyncio.Lock() for story in self.stories}
        left = events

        async def one() -> None:
            nonlocal left
            connection = await self.database.connect()
            try:
                while left > 0:
                    left -= 1
                    story = self.dice.choice(self.stories)
                    async with turns[story.id], connection.transaction():
                        await write(connection, story.tell("noted", {"amount": 1}))
                        await asyncio.sleep(self.dice.random() * 0.01)  # one that dawdles
                    self.written += 1
                    await asyncio.sleep(pause * writers)
            finally:
                await connection.close()

        await asyncio.gather(*(one() for _ in range(writers)))

    async def all_applied(self, reporting: Database) -> None:
        """Return when the statistics hold exactly what was written, nothing parked."""

        async def there() -> bool:
            return await tallied(reporting, self.database.service) == (self.written, self.written)

        await until(there, f"{self.written} events applied")
        async with reporting.connection() as connection:
            rows = await connection.fetch(
                "SELECT aggregate_id, version, hash FROM fact"
                " WHERE generation = (SELECT generation FROM serving) AND topic = $1",
                self.database.service,
            )
            parked = await connection.fetchval(
                "SELECT count(*) FROM parked WHERE generation = (SELECT generation FROM serving)"
            )
        told = [story for story in self.stories if story.version]
        assert {row[0]: (row[1], row[2]) for row in rows} == {
            story.id: (story.version, story.hash) for story in told
        }
        assert parked == 0

    async def log_is_whole(self, cluster: Cluster, topic_generation: int = 1) -> int:
        """See each aggregate's log gapless and ascending, versions seen before dropped.

        Gives how many messages were there twice.
        """
        seen: dict[UUID, int] = {story.id: 0 for story in self.stories}
        again = 0
        for record in await everything(
            cluster, cluster.topic(self.database.service, topic_generation)
        ):
            headers = dict(record.headers)
            aggregate = UUID(headers["ce_subject"].decode())
            version = int(headers["ce_aggregateversion"])
            assert version <= seen[aggregate] + 1, f"{aggregate} lacks {seen[aggregate] + 1}"
            again += version <= seen[aggregate]
            seen[aggregate] = max(seen[aggregate], version)
        assert seen == {story.id: story.version for story in self.stories}
        return again


async def everything(cluster: Cluster, topic: str) -> list:  # type: ignore[type-arg]
    """All messages of a topic, partition by partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=cluster.bootstrap, group_id=None, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: dict[TopicPartition, list] = {one: [] for one in partitions}  # type: ignore[type-arg]
        while any(len(found[one]) < ends[one] for one in partitions):
            for one, records in (await consumer.getmany(timeout_ms=500)).items():
                found[one] += records
        return [record for one in partitions for record in found[one]]
    finally:
        await consumer.stop()
