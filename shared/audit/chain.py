"""A chain of audit entries: each writer's own, so that no two processes wait for each other.

A writer is one run of one process on one service. Its entries are numbered from 1, and each carries
the hash of the one before it; the first refers to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.audit.entry import Entry, impersonal, words_of
from shared.audit.tables import HASHED, WRITTEN
from shared.events.hashing import ALGORITHM, canonical, row_hash

if TYPE_CHECKING:
    from datetime import datetime

    from shared.postgres.database import Connection


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a writer's chain; number 0 and no hash where there is none yet."""

    writer: UUID
    number: int = 0
    hash: bytes | None = None


def linked(head: Head, entries: Sequence[tuple[Entry, datetime]]) -> list[dict[str, Any]]:
    """The rows that put entries, each with its aware time, behind a head, in their order."""
    rows = []
    number, previous = head.number, head.hash
    for entry, at in entries:
        number += 1
        row: dict[str, Any] = {
            **asdict(impersonal(entry)),
            "id": uuid7(),
            "writer": head.writer,
            "number": number,
            "at": at,
            "previous_hash": previous,
            "hash_algorithm": ALGORITHM,
        }
        row["details"] = canonical(row["details"])
        row["hash"] = previous = row_hash(row, HASHED)
        row["words"] = words_of(row)
        rows.append(row)
    return rows


async def insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert linked rows, all or none."""
    await connection.executemany(_INSERT, [[row[name] for name in WRITTEN] for row in rows])


async def stored_head(connection: Connection, writer: UUID) -> Head:
    """A writer's head as the database has it."""
    row = await connection.fetchrow(_HEAD, writer)
    return Head(writer) if row is None else Head(writer, row["number"], row["hash"])


_VALUES = ", ".join(f"${ordinal}" for ordinal in range(1, len(WRITTEN) + 1))
_INSERT = f"INSERT INTO audit_entry ({', '.join(WRITTEN)}) VALUES ({_VALUES})"
_HEAD = "SELECT number, hash FROM audit_entry WHERE writer = $1 ORDER BY number DESC LIMIT 1"
