"""The hash that chains an aggregate's events.

It covers every column but the relay's. Each value goes in with its length before it, so that no
two rows share a byte string; `data` goes in with sorted keys and without floats, because
PostgreSQL's jsonb keeps neither the order of keys nor the spelling of numbers.
"""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from shared.events.table import HASHED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ALGORITHM = "sha256"
ALGORITHMS: Mapping[str, Callable[[bytes], hashlib._Hash]] = {
    "sha256": hashlib.sha256,
    "sm3": partial(hashlib.new, "sm3"),
}
_LENGTH = struct.Struct(">I").pack
_NULL = b"\xff\xff\xff\xff"


class FloatInEventError(TypeError):
    """An event's data holds a float, whose spelling would not survive the database."""


def canonical(data: Any) -> bytes:
    """JSON of `data` with sorted keys.

    Raises `FloatInEventError` where a float stands anywhere in it.
    """
    _refuse_floats(data)
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)


def event_hash(event: Mapping[str, Any]) -> bytes:
    """Hash one event: a mapping with the columns of `HASHED`, `data` as canonical bytes."""
    return row_hash(event, HASHED)


def row_hash(row: Mapping[str, Any], columns: Sequence[str]) -> bytes:
    """Hash columns of a row in their order; JSON as canonical bytes, by its `hash_algorithm`."""
    parts = []
    for column in columns:
        value = row[column]
        if value is None:
            parts.append(_NULL)
            continue
        if isinstance(value, str):
            raw = value.encode()
        elif isinstance(value, bytes):
            raw = value
        elif isinstance(value, datetime):
            raw = value.astimezone(UTC).isoformat(timespec="microseconds").encode()
        else:
            raw = str(value).encode()
        parts.append(_LENGTH(len(raw)))
        parts.append(raw)
    return ALGORITHMS[row["hash_algorithm"]](b"".join(parts)).digest()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise FloatInEventError(value)
    if isinstance(value, dict):
        for inner in value.values():
            _refuse_floats(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_floats(inner)
