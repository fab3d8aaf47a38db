"""A real Apache Kafka for the tests: one broker a process of tests, fresh topics a test.

Where Java or Maven is missing these tests are skipped, all for one reason that says what to install.
"""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import pytest

from deploy.kafka.broker import Broker, KafkaUnavailableError
from shared.kafka.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_numbers = count(1)


def unique_prefix() -> str:
    """A prefix of topics that nobody has used on the shared broker."""
    return f"test{next(_numbers)}"


def started(broker: Broker) -> Broker:
    """Start a broker, or skip the test saying what is missing."""
    try:
        broker.start()
    except KafkaUnavailableError as error:
        pytest.skip(str(error))
    return broker


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The broker that tests share; none of them ends it."""
    broker = started(Broker(tmp_path_factory.mktemp("kafka")))
    yield broker
    broker.stop()


@pytest.fixture
def cluster(broker: Broker) -> Cluster:
    """The shared broker, with topics that are this test's own."""
    return Cluster(broker.bootstrap, prefix=unique_prefix())


@pytest.fixture
def own_broker(tmp_path: object) -> Iterator[Callable[[], Broker]]:
    """Make a broker that the test may end, kill and start again."""
    made: list[Broker] = []

    def make() -> Broker:
        made.append(started(Broker(tmp_path / "kafka")))  # type: ignore[operator]  # a Path
        return made[-1]

    yield make
    for broker in made:
        broker.kill()


async def settled(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks and wait for them."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
