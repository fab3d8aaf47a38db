"""An event as it travels: CloudEvents 1.0 in the binary binding of Kafka.

Everything but the data stands in headers named `ce_…`, so that a consumer need not open the data
to know what it has before it. Reading is strict: a message that lacks a header, or is another
producer's, is never guessed at.

Source: CloudEvents 1.0.2, «Kafka Protocol Binding» 3.2; W3C Trace Context for `ce_traceparent`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from shared.events.envelope import Envelope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Headers = list[tuple[str, bytes]]

JSON = b"application/json"
_VERSION = b"1.0"


class UnreadableError(ValueError):
    """A message is no event of ours; the text says what it lacks."""


class Message(NamedTuple):
    """What a bus carries of one event."""

    key: bytes
    headers: Headers
    value: bytes


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that could not be read as an event, whole, with its place and the reason."""

    topic: str
    partition: int
    topic_generation: int
    offset: int
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    value: bytes | None
    error: str

    @property
    def id(self) -> UUID:
        """A name made of its content and place, the same whoever reads it and how often."""
        place = f"{self.topic}/{self.topic_generation}/{self.partition}/{self.offset}"
        return content_id(place.encode(), self.key, self.headers, self.value)


def source_of(topic: str) -> str:
    """The CloudEvents source of a service's events, a URI reference."""
    return f"/{topic}"


def write(event: Envelope) -> Message:
    """Make the message of an event."""
    (
        topic, id_, type_, aggregate_id, version, bureau, state, actor,
        occurred_at, recorded_at, hash_, previous_hash, data, traceparent,
    ) = event  # fmt: skip
    subject = str(aggregate_id).encode()
    headers = [
        ("ce_specversion", _VERSION),
        ("ce_id", str(id_).encode()),
        ("ce_source", f"/{topic}".encode()),
        ("ce_type", type_.encode()),
        ("ce_time", occurred_at.isoformat().encode()),
        ("ce_subject", subject),
        ("ce_aggregateversion", b"%d" % version),
        ("ce_bureau", bureau.encode()),
        ("ce_state", state.encode()),
        ("ce_actor", actor.encode()),
        ("ce_recordedtime", recorded_at.isoformat().encode()),
        ("ce_hash", hash_.hex().encode()),
        ("content-type", JSON),
    ]
    if previous_hash is not None:
        headers.append(("ce_previoushash", previous_hash.hex().encode()))
    if traceparent is not None:
        headers.append(("ce_traceparent", traceparent.encode()))
    return Message(subject, headers, data)


def read(topic: str, headers: Iterable[tuple[str, bytes]], value: bytes | None) -> Envelope:
    """Read a message of a service's topic; raises `UnreadableError`.

    Headers that we do not know are left alone: a newer version of a service may add some.
    """
    found = dict(headers)
    try:
        _refuse_others(topic, found)
        previous = found.get("ce_previoushash")
        traceparent = found.get("ce_traceparent")
        return Envelope(
            topic,
            UUID(found["ce_id"].decode()),
            found["ce_type"].decode(),
            UUID(found["ce_subject"].decode()),
            _version(found["ce_aggregateversion"]),
            found["ce_bureau"].decode(),
            found["ce_state"].decode(),
            found["ce_actor"].decode(),
            _instant(found["ce_time"]),
            _instant(found["ce_recordedtime"]),
            bytes.fromhex(found["ce_hash"].decode()),
            None if previous is None else bytes.fromhex(previous.decode()),
            _data(value),
            None if traceparent is None else traceparent.decode(),
        )
    except KeyError as missing:
        raise UnreadableError(f"no header {missing.args[0]}") from None
    except UnreadableError:
        raise
    except (ValueError, AttributeError) as error:  # AttributeError: a header without a value
        raise UnreadableError(f"{type(error).__name__}: {error}") from None


def content_id(
    place: bytes, key: bytes | None, headers: Iterable[tuple[str, bytes]], value: bytes | None
) -> UUID:
    """Name a message by its content."""
    digest = hashlib.sha256(place)
    for part in (key, *(half for name, held in headers for half in (name.encode(), held)), value):
        raw = b"\xff" if part is None else part
        digest.update(b"%d:" % len(raw) + raw)
    return UUID(bytes=digest.digest()[:16], version=5)  # named by content, as RFC 9562 5.5 has it


def _refuse_others(topic: str, found: Mapping[str, bytes]) -> None:
    """Raise `UnreadableError` for what another producer sent, KeyError for what lacks a header."""
    if found["ce_specversion"] != _VERSION:
        raise UnreadableError(f"specversion {found['ce_specversion']!r}")
    if found["ce_source"] != source_of(topic).encode():
        raise UnreadableError(f"source {found['ce_source']!r} is not {source_of(topic)}")


def _data(value: bytes | None) -> bytes:
    if value is None:
        raise UnreadableError("no data")
    return value


_MOST_VERSION = 2**31 - 1


def _version(raw: bytes) -> int:
    version = int(raw)
    if not 1 <= version <= _MOST_VERSION:
        raise UnreadableError(f"version {version}")
    return version


def _instant(raw: bytes) -> datetime:
    instant = datetime.fromisoformat(raw.decode())
    if instant.tzinfo is None:
        raise UnreadableError(f"a time without its zone: {raw!r}")
    return instant.astimezone(UTC)


def trace_id(traceparent: str | None) -> str | None:
    """The trace that a `traceparent` belongs to, for logs; None where it names none."""
    parts = (traceparent or "").split("-")
    return parts[1] if len(parts) > 1 else None
