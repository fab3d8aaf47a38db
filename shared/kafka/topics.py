"""The services' topics: made where they are missing, checked where they are there.

Twelve partitions, for ever, since an aggregate's events keep to one; kept for ever, since they are
history; never compacted. A newer generation of a topic is filled by `republish`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.events.envelope import PARTITIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.kafka.cluster import Cluster

SETTINGS: Mapping[str, str] = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
}


@dataclass(frozen=True, slots=True)
class TopicState:
    """How a topic stands: whether it was made just now, and what is wrong with it (Chinese)."""

    name: str
    made: bool
    faults: Sequence[str]


async def ensure_topics(
    cluster: Cluster, services: Sequence[str], *, replication: int
) -> list[TopicState]:
    """Make what is missing of the services' topics, and check what is there; raises KafkaError."""
    admin = AIOKafkaAdminClient(**_without_name(cluster))
    await admin.start()
    try:
        existing = await admin.list_topics()
        states = []
        for service in services:
            name = cluster.topic(service, max(cluster.generations(service, existing), default=1))
            made = name not in existing and await _make(admin, name, replication)
            # What was just made is as it was asked for, and may not be seen everywhere yet.
            states.append(TopicState(name, made, () if made else await _faults(admin, name)))
        return states
    finally:
        await admin.close()


async def make_next_generation(cluster: Cluster, service: str, *, replication: int) -> str:
    """Make the next generation of a service's topic, empty; gives its name. Raises KafkaError."""
    admin = AIOKafkaAdminClient(**_without_name(cluster))
    await admin.start()
    try:
        generations = cluster.generations(service, await admin.list_topics())
        name = cluster.topic(service, max(generations, default=0) + 1)
        await _make(admin, name, replication)
        return name
    finally:
        await admin.close()


def _without_name(cluster: Cluster) -> dict[str, Any]:
    return {**cluster.client("topics"), "request_timeout_ms": 15_000}


async def _make(admin: AIOKafkaAdminClient, name: str, replication: int) -> bool:
    topic = NewTopic(name, PARTITIONS, replication, topic_configs=dict(SETTINGS))
    answer = await admin.create_topics([topic])
    for _, code, *said in answer.topic_errors:
        error = for_code(code)
        if error is TopicAlreadyExistsError:  # another process was faster
            return False
        if code:
            raise error(f"{name}: {said[0] if said and said[0] else error.__name__}")
    return True


async def _faults(admin: AIOKafkaAdminClient, name: str) -> list[str]:
    [described] = await admin.describe_topics([name])
    faults = []
    if len(described["partitions"]) != PARTITIONS:
        faults.append(f"分区为 {len(described['partitions'])} 个，应为 {PARTITIONS} 个")
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
    held = {
        entry[0]: entry[1]
        for answer in answers
        for resource in answer.resources
        for entry in resource[4]
    }
    faults += [
        f"{setting} 为 {held.get(setting)}，应为 {wanted}"
        for setting, wanted in SETTINGS.items()
        if held.get(setting) != wanted
    ]
    return faults
