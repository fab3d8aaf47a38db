"""Events on the wire, read back by another's library; and what is no event of ours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from shared.events.wire import UnreadableError, read, write
from tests.event_history import Story, envelope

if TYPE_CHECKING:
    from shared.events.envelope import Envelope

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def told(**changes: Any) -> Envelope:
    story = Story("cases")
    story.tell("filed", {"amount": 1})
    at = datetime(2024, 2, 29, 1, 2, 3, 456_789, UTC)
    event = envelope("cases", story.tell("noted", {"amount": 2, "about": "噪声"}, at=at))
    return event._replace(**changes)


def test_another_library_reads_the_cloud_event() -> None:
    event = told(traceparent=TRACE)
    key, headers, value = write(event)
    found = from_binary(
        KafkaMessage(headers=dict(headers), key=key, value=value), JSONFormat(), CloudEvent
    )
    assert found.get_id() == str(event.id)
    assert found.get_type() == event.type
    assert found.get_source() == "/cases"
    assert found.get_subject() == str(event.aggregate_id) == key.decode()
    assert found.get_time() == event.occurred_at
    assert found.get_datacontenttype() == "application/json"
    assert found.get_data() == orjson.loads(event.data)
    assert found.get_extension("aggregateversion") == "2"
    assert found.get_extension("hash") == event.hash.hex()
    assert found.get_extension("previoushash") == (event.previous_hash or b"").hex()
    assert found.get_extension("traceparent") == TRACE


@pytest.mark.parametrize("event", [told(), told(traceparent=TRACE), told(previous_hash=None)])
def test_what_was_written_is_read(event: Envelope) -> None:
    _, headers, value = write(event)
    assert read("cases", headers, value) == event


def test_headers_that_are_not_known_are_left_alone() -> None:
    event = told()
    _, headers, value = write(event)
    assert read("cases", [*headers, ("ce_later", b"1"), ("x", b"\xff")], value) == event


@pytest.mark.parametrize(
    "lacking",
    [name for name, _ in write(told())[1] if name not in {"content-type", "ce_previoushash"}],
)
def test_a_message_that_lacks_a_header_is_not_guessed_at(lacking: str) -> None:
    _, headers, value = write(told())
    with pytest.raises(UnreadableError, match=lacking):
        read("cases", [(name, held) for name, held in headers if name != lacking], value)


@pytest.mark.parametrize(
    "name, held",
    [
        ("ce_specversion", b"2.0"), ("ce_source", b"/permits"), ("ce_id", b"1"), ("ce_subject", b"x"),
        ("ce_aggregateversion", b"0"), ("ce_aggregateversion", b"99999999999"), ("ce_aggregateversion", b"1.5"),
        ("ce_time", b"2024-01-01T00:00:00"), ("ce_time", b"yesterday"), ("ce_recordedtime", b"\xff"),
        ("ce_hash", b"xyz"), ("ce_previoushash", b"1"), ("ce_type", b"\xff"), ("ce_id", None),
    ],
)  # fmt: skip
def test_a_header_of_another_form_is_not_guessed_at(name: str, held: bytes | None) -> None:
    _, headers, value = write(told())
    changed = [(one, held if one == name else was) for one, was in headers]
    with pytest.raises(UnreadableError):
        read("cases", changed, value)  # type: ignore[arg-type]  # Kafka allows None


def test_a_message_without_data_is_no_event() -> None:
    with pytest.raises(UnreadableError, match="no data"):
        read("cases", write(told())[1], None)
