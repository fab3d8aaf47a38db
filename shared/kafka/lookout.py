"""What there is on a cluster right now: which topics, and whether each is still the same one.

A topic that was deleted and made again has its old name, and offsets that mean other events. Each
topic has an id of its own, which only newer requests tell than our client library sends, so the
request stands here.

Source: Kafka protocol, Metadata version 12 (KIP-516, topic identifiers).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from uuid import UUID

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError, NodeNotReadyError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from shared.kafka.interruption import connection_lost_is_an_error

if TYPE_CHECKING:
    from io import BytesIO

    from shared.kafka.cluster import Cluster

REQUEST_MILLISECONDS = 5_000
_ID_BYTES = 16
_NO_ID = UUID(int=0)


class _Uuid(Int8):  # type: ignore[misc]  # the library has no types
    """Sixteen bytes; a subclass because schemas take nothing but the library's own types."""

    @classmethod
    def encode(cls, value: UUID) -> bytes:
        """Write one."""
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        """Read one."""
        return UUID(bytes=data.read(_ID_BYTES))


class _MetadataResponse(Response):  # type: ignore[misc]  # as above
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataRequestV12(RequestStruct):  # type: ignore[misc]  # as above
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic_id", _Uuid),
                ("name", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataRequestV12]):  # type: ignore[misc]  # as above
    API_KEY = 3

    def __init__(self, topics: list[str] | None) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_MetadataRequestV12]) -> _MetadataRequestV12:
        """Make the request as it is sent."""
        wanted: list[tuple[UUID, str, dict[int, bytes]]] | None = None
        if self._topics is not None:
            wanted = [(_NO_ID, name, {}) for name in self._topics]
        return request_struct_class(wanted, False, False, {})  # noqa: FBT003 - a struct's fields


class Lookout:
    """Asks a cluster for its topics; an asynchronous context. Raises KafkaError."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._client = AIOKafkaClient(
            **cluster.client(f"{name}-lookout"), request_timeout_ms=REQUEST_MILLISECONDS
        )

    async def __aenter__(self) -> Self:
        """Connect."""
        try:
            await self._client.bootstrap()
        except BaseException:
            await self._client.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        await self._client.close()

    async def topics(self, names: list[str] | None = None) -> dict[str, UUID]:
        """The id of each topic there is, of all or of some."""
        node = self._client.get_random_node()
        if node is None:
            raise KafkaConnectionError("no broker is known")
        try:
            with connection_lost_is_an_error():
                answer = await self._client.send(node, _MetadataRequest(names))
        except NodeNotReadyError:
            await self._client.force_metadata_update()
            raise
        return {
            topic[1]: topic[2] for topic in answer.topics if topic[0] == 0 and topic[2] != _NO_ID
        }
