"""From a commit through Kafka to the projection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.event_history import Story, write
from tests.kafka.conftest import feeding, relaying
from tests.tally import tallied
from tests.waiting import until

if TYPE_CHECKING:
    from shared.consumer.consumer import Consumer
    from shared.kafka.cluster import Cluster
    from shared.postgres.database import Database


async def applied(reporting: Database, events: int, amount: int, topic: str = "cases") -> None:
    async def all_there() -> bool:
        return await tallied(reporting, topic) == (events, amount)

    await until(all_there, f"{events} events of {amount} applied, not {await tallied(reporting)}")


async def test_what_is_committed_is_soon_applied(
    cases: Database, permits: Database, reporting: Database, consumer: Consumer, topics: Cluster
) -> None:
    one, other = Story("cases"), Story("permits")
    async with relaying(topics, cases, permits), feeding(topics, consumer):
        await write(cases, one.tell("filed", {"amount": 1}))
        await write(permits, other.tell("filed", {"amount": 5}))
        await applied(reporting, 1, 1)
        await applied(reporting, 1, 5, "permits")
        await write(cases, one.tell("noted", {"amount": 2}))
        await applied(reporting, 2, 3)
