"""Records of a partition as a slice: those that are events, and those that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from shared.consumer.slice import Slice
from shared.events.wire import Unreadable, UnreadableError, content_id, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka import ConsumerRecord


class Partition(NamedTuple):
    """A partition of one generation of a service's topic."""

    service: str
    generation: int
    number: int


def slice_of(
    partition: Partition, start: int, after: UUID | None, records: Sequence[ConsumerRecord]
) -> Slice:
    """Records, at least one, as the slice that begins at offset `start`, after a message."""
    events, unreadable = [], []
    service = partition.service
    for record in records:
        try:
            events.append(read(service, record.headers, record.value))
        except UnreadableError as error:
            unreadable.append(
                Unreadable(
                    topic=service,
                    partition=partition.number,
                    topic_generation=partition.generation,
                    offset=record.offset,
                    key=record.key,
                    headers=tuple(record.headers),
                    value=record.value,
                    error=str(error),
                )
            )
    ends_unread = bool(unreadable) and unreadable[-1].offset == records[-1].offset
    return Slice(
        topic=service,
        partition=partition.number,
        topic_generation=partition.generation,
        start=start,
        end=records[-1].offset + 1,
        events=events,
        after=after,
        unreadable=unreadable,
        last=name_of(records[-1]) if ends_unread else None,
    )


def name_of(record: ConsumerRecord) -> UUID:
    """What names a message: its event's id, or one made of its content where it is none."""
    for name, held in record.headers:
        if name == "ce_id":
            try:
                return UUID(held.decode())
            except ValueError:
                break
    return content_id(b"", record.key, record.headers, record.value)
