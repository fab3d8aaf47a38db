"""Walking the audit trail's chains: what was edited, removed or put elsewhere is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from pydantic import BaseModel, Field

from shared.audit.entry import Kind, words_of
from shared.audit.notes import CLOSED, read_checkpoints
from shared.audit.tables import HASHED, WRITTEN
from shared.events.hashing import canonical, row_hash

if TYPE_CHECKING:
    from shared.audit.chain import Head
    from shared.postgres.database import Connection, Database


class TrailFinding(BaseModel):
    """One thing wrong with the trail."""

    writer: UUID | None = None
    number: int | None = Field(None, title="序号")
    entry_id: UUID | None = None
    what: str = Field(title="问题", description="edited|removed|reordered|added|checkpoint")
    reason: str = Field(title="说明")


class TrailVerification(BaseModel):
    """A stretch of the walk; `next` is where the following one begins."""

    entries: int
    findings: list[TrailFinding]
    next: str | None = Field(None, title="下一段")


@dataclass(frozen=True, slots=True)
class Place:
    """An entry by its chain and number: where a walk stands."""

    writer: UUID
    number: int

    def __str__(self) -> str:
        return f"{self.writer}.{self.number}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read what `str` wrote, of the form `PLACE_PATTERN`; raises ValueError."""
        writer, _, number = text.partition(".")
        return cls(UUID(writer), int(number))


PLACE_PATTERN = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[0-9]{1,18}$"
BEFORE_ALL = Place(UUID(int=0), 0)


class TrailVerifier:
    """Verifies a service's trail; `head` gives what this process knows of its own chain."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def walk(self, after: Place, limit: int, head: Head) -> TrailVerification:
        """Walk the entries after a place in the order of writer and number, in one snapshot.

        The first stretch also looks for `head`, the last also at the checkpoints.
        """
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            found = await connection.fetch(_STRETCH, after.writer, after.number, limit + 1)
            rows = [dict(row) for row in found]
            before = rows[0] if rows and _place(rows[0]) == after else None
            entries = rows[1:] if before is not None else rows[:limit]
            findings = await _faults(connection, before, entries)
            full = len(entries) == limit
            if after == BEFORE_ALL and head.hash is not None:
                findings += await _missed(connection, [(head.writer, head.number, head.hash)])
            if not full:
                findings += await _checkpoint_faults(connection)
        return TrailVerification(
            entries=len(entries),
            findings=findings,
            next=str(_place(entries[-1])) if full else None,
        )


async def _faults(
    connection: Connection,
    before: Mapping[str, Any] | None,
    entries: Sequence[Mapping[str, Any]],
) -> list[TrailFinding]:
    """What is wrong with entries, the first of which comes after `before` in the walk."""
    starts = {
        row["writer"]: dict(row)
        for row in await connection.fetch(
            "SELECT writer, number, hash FROM audit_checkpoint WHERE writer = ANY($1)",
            list({row["writer"] for row in entries}),
        )
    }
    findings: list[TrailFinding] = []
    heads, ends = [], []
    for row in entries:
        if before is None or before["writer"] != row["writer"]:
            before = starts.get(row["writer"])
        findings += _link_faults(before, row)
        details = _details(row)
        heads += _heads(details.get("heads", ()))
        ends += _heads([details["ended"]] if "ended" in details else ())
        before = row
    return [*findings, *await _missed(connection, heads), *await _added(connection, ends)]


def _link_faults(
    before: Mapping[str, Any] | None, row: Mapping[str, Any]
) -> Iterable[TrailFinding]:
    where: dict[str, Any] = {
        "writer": row["writer"],
        "number": row["number"],
        "entry_id": row["id"],
    }
    expected = 1 if before is None else before["number"] + 1
    if row["number"] != expected:
        missing = f"第 {expected} 至 {row['number'] - 1} 条"
        yield TrailFinding(**where, what="removed", reason=f"缺少此前{missing}")
    elif row["previous_hash"] != (None if before is None else before["hash"]):
        yield TrailFinding(**where, what="reordered", reason="与前一条的散列不相连")
    if before is not None and before.get("action") == CLOSED:
        yield TrailFinding(**where, what="added", reason="所在链此前已关闭")
    if row["hash"] != _rehash(row):
        yield TrailFinding(**where, what="edited", reason="内容与散列不符")
    elif row["words"] != words_of(row):
        yield TrailFinding(**where, what="edited", reason="检索用字与内容不符")


def _rehash(row: Mapping[str, Any]) -> bytes:
    try:
        details = canonical(orjson.loads(row["details"]))
        return row_hash({**row, "details": details}, HASHED)
    except (KeyError, TypeError, ValueError, OverflowError):
        return b""  # what no entry of ours can hold: a float, an unknown algorithm


def _details(row: Mapping[str, Any]) -> dict[str, Any]:
    details = orjson.loads(row["details"]) if row["kind"] == Kind.TRAIL else {}
    return details if isinstance(details, dict) else {}


def _heads(noted: Any) -> list[tuple[UUID, int, bytes]]:
    """The heads that an entry notes; an edited one may hold anything."""
    try:
        return [
            (UUID(head["writer"]), int(head["number"]), bytes.fromhex(head["hash"]))
            for head in noted
        ]
    except (KeyError, TypeError, ValueError):
        return []


async def _missed(
    connection: Connection, heads: Sequence[tuple[UUID, int, bytes]]
) -> list[TrailFinding]:
    """Which of the heads once noted are gone, though not purged, or have another hash."""
    writers, numbers, hashes = ([head[i] for head in heads] for i in range(3))
    found = await connection.fetch(_NOTED, writers, numbers, hashes)
    return [
        TrailFinding(
            writer=row["writer"],
            number=row["number"],
            entry_id=row["id"],
            what="removed" if row["id"] is None else "edited",
            reason="曾记录为该链末端，今已不见" if row["id"] is None else "与曾记录的散列不符",
        )
        for row in found
    ]


async def _added(
    connection: Connection, ends: Sequence[tuple[UUID, int, bytes]]
) -> list[TrailFinding]:
    """What stands in chains behind the entry at which their writer left them."""
    found = await connection.fetch(_BEHIND, [end[0] for end in ends], [end[1] for end in ends])
    return [
        TrailFinding(
            writer=row["writer"],
            number=row["number"],
            entry_id=row["id"],
            what="added",
            reason="不是该链的写入者所写",
        )
        for row in found
    ]


async def _checkpoint_faults(connection: Connection) -> list[TrailFinding]:
    """Whether the checkpoints are those that the notes vouch for."""
    now = await read_checkpoints(connection)
    noted = await connection.fetch(_VOUCHED)
    if not noted or (noted[0]["purge"], [row["checkpoints"] for row in noted]) == (
        now.purge,
        [now.digest],
    ):
        return []
    return [TrailFinding(what="checkpoint", reason="清理检查点与日志所记不符")]


def _place(row: Mapping[str, Any]) -> Place:
    return Place(UUID(str(row["writer"])), row["number"])


_STRETCH = f"""
SELECT {", ".join(WRITTEN)} FROM audit_entry WHERE (writer, number) >= ($1, $2)
ORDER BY writer, number LIMIT $3
"""
_NOTED = """
SELECT DISTINCT n.writer, n.number, e.id
FROM unnest($1::uuid[], $2::bigint[], $3::bytea[]) AS n (writer, number, hash)
LEFT JOIN audit_entry AS e ON e.writer = n.writer AND e.number = n.number
LEFT JOIN audit_checkpoint AS c ON c.writer = n.writer AND c.number >= n.number
WHERE c.writer IS NULL AND e.hash IS DISTINCT FROM n.hash
"""
_BEHIND = """
SELECT e.writer, e.number, e.id FROM unnest($1::uuid[], $2::bigint[]) AS n (writer, number)
JOIN audit_entry AS e ON e.writer = n.writer AND e.number > n.number
ORDER BY e.writer, e.number
"""
_VOUCHED = """
WITH noted AS (
    SELECT (details ->> 'purge')::integer AS purge, details ->> 'checkpoints' AS checkpoints
    FROM audit_entry WHERE kind = 'trail' AND details ? 'purge'
)
SELECT DISTINCT purge, checkpoints FROM noted WHERE purge = (SELECT max(purge) FROM noted)
"""
