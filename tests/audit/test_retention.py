# ruff: noqa: ISC004 - statements of the tests' own
"""What is older than the trail is kept goes, whole beginnings of chains at a time, and verifies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest

from shared.audit.entry import Entry, Kind
from shared.audit.log import AuditLog

if TYPE_CHECKING:
    from tests.audit.conftest import Trailed

NOW = datetime.now(UTC)


class Clock:
    """A clock that stands where it is put."""

    def __init__(self, days_ago: float) -> None:
        self.now = NOW - timedelta(days=days_ago)

    def __call__(self) -> datetime:
        return self.now


def entry(action: str) -> Entry:
    return Entry(kind=Kind.READ, action=action, account="officer1", reason="送达文书")


async def wrote(trailed: Trailed, *days_ago: float, days: int = 365) -> str:
    """A chain that opened, wrote an entry so many days ago each, and closed; gives its writer."""
    clock = Clock(days_ago[0])
    async with AuditLog(trailed.service.database, days=days, now=clock) as log:
        for ago in days_ago:
            clock.now = NOW - timedelta(days=ago)
            await log.record(entry(f"{ago:g} 天前"))
        return str(log.head.writer)


async def purge(trailed: Trailed, days: int = 200) -> None:
    """What a process that keeps entries so long does when it begins."""
    async with AuditLog(trailed.service.database, days=days):
        pass


async def actions(trailed: Trailed) -> list[str]:
    return [one["action"] for one in await trailed.entries("read")]


@pytest.mark.parametrize("days", [0, 1, 182])
async def test_less_than_half_a_year_is_refused(trailed: Trailed, days: int) -> None:
    with pytest.raises(ValueError, match="183"):
        AuditLog(trailed.service.database, days=days)


async def test_the_old_beginning_of_a_chain_goes_and_the_rest_verifies(trailed: Trailed) -> None:
    await wrote(trailed, 300, 250, 201, 199, 10)
    await purge(trailed)
    assert await actions(trailed) == ["199 天前", "10 天前"]
    assert await trailed.findings() == []
    [noted] = [one for one in await trailed.entries("trail") if "purged" in one["details"]]
    assert noted["details"]["purged"] == 4  # with the note that opened the chain


async def test_a_chain_that_is_old_as_a_whole_goes_as_a_whole(trailed: Trailed) -> None:
    await wrote(trailed, 300, 250)
    await purge(trailed)
    assert await actions(trailed) == []
    assert await trailed.findings() == []


async def test_an_entry_behind_one_that_must_stay_stays(trailed: Trailed) -> None:
    await wrote(trailed, 300, 100, 250)  # the clock was set back meanwhile
    await purge(trailed)
    assert await actions(trailed) == ["100 天前", "250 天前"]
    assert await trailed.findings() == []


async def test_nothing_is_purged_twice_a_day_and_the_next_day_goes_on(trailed: Trailed) -> None:
    await wrote(trailed, 300, 201)
    await purge(trailed)
    await wrote(trailed, 260)
    await purge(trailed)
    assert await actions(trailed) == ["260 天前"]
    await trailed.behind_its_back()
    async with AuditLog(trailed.service.database, days=200, now=lambda: NOW + timedelta(days=1.1)):
        pass
    assert await actions(trailed) == []
    assert await trailed.findings() == []


async def test_the_database_lets_no_purge_reach_below_half_a_year(trailed: Trailed) -> None:
    await wrote(trailed, 150)
    ahead = NOW + timedelta(days=60)  # a process whose clock is wrong
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with AuditLog(trailed.service.database, days=183, now=lambda: ahead):
            pass
    assert await actions(trailed) == ["150 天前"]
    assert await trailed.findings() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_checkpoint SET number = number + 1",
        "UPDATE audit_checkpoint SET hash = sha256(hash)",
        "UPDATE audit_checkpoint SET purge = purge + 1",
        "DELETE FROM audit_checkpoint",
        "INSERT INTO audit_checkpoint SELECT gen_random_uuid(), 1, hash, purge, at, hash_algorithm"
        " FROM audit_checkpoint",
    ],
)
async def test_a_forged_checkpoint_is_found(trailed: Trailed, statement: str) -> None:
    await wrote(trailed, 300, 10)
    await purge(trailed)
    assert await trailed.findings() == []
    await trailed.behind_its_back(statement)
    assert "checkpoint" in {one["what"] for one in await trailed.findings()}


async def test_what_was_removed_under_a_checkpoint_made_for_it_is_found(trailed: Trailed) -> None:
    writer = await wrote(trailed, 20, 10)
    await purge(trailed)
    await trailed.behind_its_back(
        "INSERT INTO audit_checkpoint SELECT writer, number, hash, 1, now(), 'sha256'"
        f" FROM audit_entry WHERE writer = '{writer}' AND number = 2",
        f"DELETE FROM audit_entry WHERE writer = '{writer}' AND number <= 2",
    )
    assert [one["what"] for one in await trailed.findings()] == ["checkpoint"]
