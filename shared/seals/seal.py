"""A seal: what the order of events was, over one settled stretch of it.

A chain per aggregate cannot show that its tail, or the whole of it, was removed, nor that events
changed places. A seal can: it holds the digest of every event of a stretch in the order of the
relay, and the hash of the seal before it. A stretch begins where the one before it ended, so that
nothing can be put between two.

The hash of a seal is the SHA-256 of its JSON with sorted keys and without `hash`: whoever holds a
published line can check it with nothing but a JSON library.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from shared.events.hashing import canonical

if TYPE_CHECKING:
    import asyncpg

ALGORITHM = "sha256"

# Of each event its place, its id and its hash, which covers the rest; lengths where they vary.
DIGEST_SQL = (
    "sha256(coalesce(string_agg(xid8send(xid) || int8send(seq) || uuid_send(id)"
    " || int4send(octet_length(hash)) || hash, ''::bytea ORDER BY xid, seq), ''::bytea))"
)
"""The digest of the selected events, which must be of one epoch, reckoned by the database."""


class NotASealError(ValueError):
    """A line that holds no seal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """One seal of a service's events.

    It covers `events` events of one `epoch`, from (`first_xid`, `first_seq`) to (`last_xid`,
    `last_seq`), everything between included. `number` counts from 1 without gaps. `term` is that
    of the leader who sealed; `sealed_at` aware UTC.
    """

    service: str
    number: int
    epoch: int
    first_xid: int
    first_seq: int
    last_xid: int
    last_seq: int
    events: int
    digest: bytes
    previous_hash: bytes | None
    hash_algorithm: str
    term: int
    sealed_at: datetime
    hash: bytes = b""

    @property
    def end(self) -> tuple[int, int, int]:
        """The place of the last event sealed: epoch, xid, seq."""
        return self.epoch, self.last_xid, self.last_seq

    def as_json(self) -> dict[str, Any]:
        """Plain values: bytes as hex, the time in RFC 3339."""
        return {
            "service": self.service,
            "number": self.number,
            "epoch": self.epoch,
            "first_xid": self.first_xid,
            "first_seq": self.first_seq,
            "last_xid": self.last_xid,
            "last_seq": self.last_seq,
            "events": self.events,
            "digest": self.digest.hex(),
            "previous_hash": None if self.previous_hash is None else self.previous_hash.hex(),
            "hash_algorithm": self.hash_algorithm,
            "term": self.term,
            "sealed_at": self.sealed_at.astimezone(UTC).isoformat(timespec="microseconds"),
            "hash": self.hash.hex(),
        }

    def line(self) -> bytes:
        """One line of JSON, its end included."""
        return canonical(self.as_json()) + b"\n"


NAMES = tuple(one.name for one in fields(Seal))
COLUMNS = tuple(name for name in NAMES if name != "service")
"""The columns of the table."""
_KINDS = {
    one.name: {"int": int, "str": str}[str(one.type)]
    for one in fields(Seal)
    if one.type in {"int", "str"}
}


def seal_hash(seal: Seal) -> bytes:
    """What a seal's hash must be."""
    said = seal.as_json()
    del said["hash"]
    return hashlib.sha256(canonical(said)).digest()


def seal_of(service: str, row: asyncpg.Record) -> Seal:
    """Read a row of the table."""
    return Seal(service=service, **{name: row[name] for name in COLUMNS})


def read_line(line: bytes) -> Seal:
    """Read a published line; raises `NotASealError`."""
    try:
        said = orjson.loads(line)
        seal = Seal(
            **{
                **{name: said[name] for name in NAMES},
                "digest": bytes.fromhex(said["digest"]),
                "previous_hash": _bytes_or_none(said["previous_hash"]),
                "sealed_at": datetime.fromisoformat(said["sealed_at"]),
                "hash": bytes.fromhex(said["hash"]),
            }
        )
        kinds = all(type(getattr(seal, name)) is kind for name, kind in _KINDS.items())
        if not kinds or seal.sealed_at.tzinfo is None or seal.as_json() != said:
            raise NotASealError("字段不齐或类型不符")
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise NotASealError(str(error)) from error
    return seal


def _bytes_or_none(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)
