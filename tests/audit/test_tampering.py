"""Whatever is changed in the trail behind the platform's back, verification finds and names."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import asyncpg
import orjson
import pytest

from shared.audit.chain import Head, insert, linked
from shared.audit.entry import Entry, Kind
from shared.audit.log import AuditLog
from shared.audit.tables import HASHED
from shared.events.hashing import canonical, row_hash

if TYPE_CHECKING:
    from tests.audit.conftest import Trailed

WRITTEN_BY = "writer = '{writer}'"


@dataclass(frozen=True, slots=True)
class Tampering:
    """SQL statements with `{writer}` for the chain, and what must be named: kind and number."""

    name: str
    statements: tuple[str, ...]
    finds: frozenset[tuple[str, int | None]] = field(default_factory=frozenset)


def edited(column: str, value: str) -> Tampering:
    """One column of the third entry changed."""
    statement = f"UPDATE audit_entry SET {column} = {value} WHERE {WRITTEN_BY} AND number = 3"
    return Tampering(f"{column} = {value}", (statement,), frozenset({("edited", 3)}))


def removed(name: str, which: str, *finds: tuple[str, int | None]) -> Tampering:
    """Entries removed."""
    statement = f"DELETE FROM audit_entry WHERE {WRITTEN_BY} AND {which}"
    return Tampering(name, (statement,), frozenset(finds))


TAMPERINGS = (
    edited("id", "gen_random_uuid()"),
    edited("at", "at - interval '1 day'"),
    edited("at", "'infinity'"),
    edited("bureau", "NULL"),
    edited("account", "'officer2'"),
    edited("on_behalf_of", "'officer2'"),
    edited("kind", "'refusal'"),
    edited("action", "'GET /'"),
    edited("object_type", "'permit'"),
    edited("object_id", "'another'"),
    edited("outcome", "'refused'"),
    edited("status", "200"),
    edited("problem", "'none'"),
    edited("article", "'行政处罚法1'"),
    edited("reason", "'另一事由'"),
    edited("address", "'192.0.2.9'"),
    edited("request_id", "'another'"),
    edited("trace_id", "'another'"),
    edited("count", "2"),
    edited("details", """'{{"a": 1}}'"""),
    edited("details", """'{{"a": 1.5}}'"""),
    edited("words", "'{{}}'"),
    edited("hash_algorithm", "'sm3'"),
    edited("hash_algorithm", "'md5'"),
    edited("hash", "sha256(hash)"),
    removed("first removed", "number = 1", ("removed", 2)),
    removed("middle removed", "number = 3", ("removed", 4)),
    removed("tail removed", "number >= 5", ("removed", 6)),
    removed("all removed", "true", ("removed", 6)),
    Tampering(
        "middle removed and the rest renumbered",
        (
            f"DELETE FROM audit_entry WHERE {WRITTEN_BY} AND number = 3",
            f"UPDATE audit_entry SET number = number - 1 WHERE {WRITTEN_BY} AND number > 3",
        ),
        frozenset({("reordered", 3), ("edited", 3)}),
    ),
    Tampering(
        "two put in each other's place",
        (
            f"UPDATE audit_entry SET number = -1 WHERE {WRITTEN_BY} AND number = 3",
            f"UPDATE audit_entry SET number = 3 WHERE {WRITTEN_BY} AND number = 4",
            f"UPDATE audit_entry SET number = 4 WHERE {WRITTEN_BY} AND number = -1",
        ),
        frozenset({("reordered", 3), ("reordered", 4), ("edited", 3), ("edited", 4)}),
    ),
    Tampering(
        "moved to another chain",
        (f"UPDATE audit_entry SET writer = gen_random_uuid() WHERE {WRITTEN_BY} AND number = 3",),
        frozenset({("removed", 4), ("removed", 3), ("edited", 3)}),
    ),
)


async def written(trailed: Trailed, count: int = 4) -> str:
    """Another process's chain of a note, four entries and a note at its end; gives its writer."""
    async with AuditLog(trailed.service.database) as log:
        for number in range(count):
            await log.record(
                Entry(
                    kind=Kind.READ,
                    action=f"动作{number}",
                    bureau="500152",
                    account="officer1",
                    reason="送达文书",
                )
            )
        return str(log.head.writer)


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda one: one.name)
async def test_it_is_found_and_named(trailed: Trailed, tampering: Tampering) -> None:
    writer = await written(trailed)
    await trailed.log.flush(note=True)  # what a process left is noted by those that go on
    assert await trailed.findings() == []
    await trailed.behind_its_back(*(one.format(writer=writer) for one in tampering.statements))
    for limit in (1000, 2):
        named = await trailed.findings(limit)
        assert tampering.finds <= {(one["what"], one["number"]) for one in named}, named
        assert {one["writer"] for one in named if one["what"] != "edited"} <= {
            writer,
            *(one["writer"] for one in named if one["number"] == 3),
        }


async def test_an_untouched_trail_of_several_writers_has_no_fault(trailed: Trailed) -> None:
    for _ in range(3):
        await written(trailed)
    assert await trailed.findings() == []
    assert await trailed.findings(limit=1) == []


async def test_the_tail_of_a_running_process_is_missed_before_any_note(trailed: Trailed) -> None:
    for _ in range(3):
        await trailed.log.record(Entry(kind=Kind.READ, action="查阅", account="officer1"))
    last = trailed.log.head
    await trailed.behind_its_back(
        f"DELETE FROM audit_entry WHERE writer = '{last.writer}' AND number >= {last.number - 1}"
    )
    named = await trailed.findings()
    assert [(one["what"], one["writer"], one["number"]) for one in named] == [
        ("removed", str(last.writer), last.number)
    ]


async def test_a_process_goes_on_from_what_it_knows_so_a_removed_tail_stays_missing(
    trailed: Trailed,
) -> None:
    await trailed.log.record(Entry(kind=Kind.READ, action="查阅", account="officer1"))
    last = trailed.log.head
    await trailed.behind_its_back(
        f"DELETE FROM audit_entry WHERE writer = '{last.writer}' AND number = {last.number}"
    )
    await trailed.log.record(Entry(kind=Kind.READ, action="查阅", account="officer1"))
    assert [(one["what"], one["number"]) for one in await trailed.findings()] == [
        ("removed", last.number + 1)
    ]


async def test_an_entry_forged_with_a_good_hash_no_longer_joins_the_next(trailed: Trailed) -> None:
    writer = await written(trailed)
    async with trailed.service.database.connection() as connection:
        row = await connection.fetchrow(
            "SELECT * FROM audit_entry WHERE writer = $1 AND number = 3", writer
        )
    assert row is not None
    forged = {**row, "account": "officer2", "details": canonical(orjson.loads(row["details"]))}
    digest = row_hash(forged, HASHED).hex()
    await trailed.behind_its_back(
        f"UPDATE audit_entry SET account = 'officer2', hash = '\\x{digest}' WHERE id = '{row['id']}'"
    )
    assert [(one["what"], one["number"]) for one in await trailed.findings()] == [("reordered", 4)]


async def append(trailed: Trailed, head: Head) -> None:
    """Put an entry with a good hash behind a head, as whoever can write the database can."""
    [row] = linked(head, [(Entry(kind=Kind.READ, action="伪造"), datetime.now(UTC))])
    async with trailed.service.database.connection() as connection:
        await insert(connection, [row])


async def test_a_process_leaves_a_chain_that_another_hand_went_on_with(trailed: Trailed) -> None:
    head = trailed.log.head
    await append(trailed, head)
    answer = await trailed.service.get("/audit-log", "auditadmin1")
    assert answer.status_code == 503
    answer = await trailed.service.get("/audit-log", "auditadmin1")
    assert answer.status_code == 200
    assert trailed.log.head.writer != head.writer
    assert [(one["what"], one["writer"], one["number"]) for one in await trailed.findings()] == [
        ("added", str(head.writer), head.number + 1)
    ]


async def test_what_follows_in_a_chain_that_was_closed_is_found(trailed: Trailed) -> None:
    async with AuditLog(trailed.service.database) as log:
        pass
    await append(trailed, log.head)
    assert [(one["what"], one["number"]) for one in await trailed.findings()] == [
        ("added", log.head.number + 1)
    ]


async def test_the_database_refuses_to_change_or_remove_an_entry(trailed: Trailed) -> None:
    statements: tuple[Any, ...] = (
        "UPDATE audit_entry SET account = 'officer2'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "SET ecocase.audit_purge = 'on'; DELETE FROM audit_entry",
    )
    for statement in statements:
        async with trailed.service.database.connection() as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
            await connection.execute("RESET ecocase.audit_purge")
    assert await trailed.findings() == []
