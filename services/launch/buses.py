"""How events get from the services to the statistics: directly, or over Kafka where it is set."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Protocol

from shared.relay.direct import DirectBus, DirectHistory

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from services.launch.settings import Settings
    from services.reporting.live import Notifying
    from shared.consumer.slice import History
    from shared.kafka.cluster import Cluster
    from shared.kafka.feed import KafkaFeed
    from shared.postgres.database import Database
    from shared.relay.bus import Bus


class Carrier(Protocol):
    """A way from the services to the statistics."""

    bus: Bus
    history: History

    @property
    def lag_seconds(self) -> float:
        """How long the oldest event that was published has been on its way."""

    async def deliver(self, subscriber: Notifying) -> Coroutine[None, None, None] | None:
        """Deliver to the statistics from now on; gives what has to run for it, if anything."""

    def close(self) -> None:
        """Let go of what it holds."""


class Directly:
    """Within this process, read from the services' own tables."""

    lag_seconds = 0.0  # a page is published when it has been applied

    def __init__(self, databases: Mapping[str, Database]) -> None:
        self._direct = DirectHistory(list(databases.values()))
        self.history: History = self._direct
        self._bus = DirectBus(self._direct)
        self.bus: Bus = self._bus

    async def deliver(self, subscriber: Notifying) -> None:
        """See `Carrier`."""
        self._bus.subscribe(subscriber)
        await self._bus.find_lost()

    def close(self) -> None:
        """See `Carrier`."""
        self._direct.close()


class OverKafka:
    """Over a cluster, which other processes read and write too."""

    def __init__(self, cluster: Cluster, services: list[str], settings: Settings) -> None:
        from shared.kafka.history import KafkaHistory  # noqa: PLC0415 - not loaded without Kafka
        from shared.kafka.publisher import KafkaBus  # noqa: PLC0415

        self._cluster = cluster
        self._services = services
        self._settings = settings
        self._feed: KafkaFeed | None = None
        self.bus: Bus = KafkaBus(cluster)
        self.history: History = KafkaHistory(cluster, services)

    @property
    def lag_seconds(self) -> float:
        """See `Carrier`."""
        return 0.0 if self._feed is None else self._feed.lag_seconds

    async def deliver(self, subscriber: Notifying) -> Coroutine[None, None, None]:
        """See `Carrier`."""
        from shared.kafka.feed import KafkaFeed, Membership  # noqa: PLC0415 - as above

        settings = self._settings
        instance = settings.kafka_instance or f"{socket.gethostname()}-{settings.port}"
        membership = Membership(settings.kafka_group, instance, settings.kafka_session_seconds)
        self._feed = KafkaFeed(self._cluster, subscriber, self._services, membership)
        return self._feed.run()

    def close(self) -> None:
        """See `Carrier`: each client ends with the task that uses it."""


def carrier(settings: Settings, databases: Mapping[str, Database]) -> Carrier:
    """The way that the settings ask for; `databases` are those of the services that publish."""
    cluster = settings.kafka_cluster()
    if cluster is None:
        return Directly(databases)
    return OverKafka(cluster, list(databases), settings)
