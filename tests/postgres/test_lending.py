"""Connections are lent fairly, none is lost, and none comes back in the middle of something."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shared.postgres.availability import DatabaseUnavailable
from shared.postgres.lending import Lender, Lent
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from shared.postgres.database import Database
    from tests.postgres_fixture import MakeFresh

MIGRATIONS = Path(__file__).with_name("migrations")
PATIENCE = 30.0


def _wait(lender: Lender, number: int) -> bool:
    return lender.waiting == number


async def eventually(holds: Callable[[], bool], what: str) -> None:
    async def condition() -> bool:
        return holds()

    await until(condition, what)


@pytest.fixture
async def database(fresh_database: MakeFresh) -> AsyncIterator[Database]:
    opened = (await fresh_database({"cases": MIGRATIONS})).database("cases")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def lender(database: Database) -> AsyncIterator[Lender]:
    lender = Lender(database.connect, 2, PATIENCE)
    yield lender
    await lender.close()


async def test_a_connection_is_used_again_and_no_more_are_opened_than_needed(
    lender: Lender,
) -> None:
    async with Lent(lender) as first:
        pass
    async with Lent(lender) as second:
        assert second is first
        async with Lent(lender) as third:
            assert third is not first
            assert lender.in_use == 2
    assert lender.in_use == 0


async def test_who_has_waited_longest_is_served_first(lender: Lender) -> None:
    held = [await lender.take(), await lender.take()]
    served: list[int] = []

    async def want(number: int) -> None:
        async with Lent(lender):
            served.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(want(number))
            await eventually(partial(_wait, lender, number + 1), "the next waits")
        for connection in held:
            lender.put(connection, whole=True)
    assert served == [0, 1, 2, 3, 4]


async def test_who_gives_up_waiting_takes_no_turn(lender: Lender) -> None:
    held = [await lender.take(), await lender.take()]
    tasks = [asyncio.create_task(lender.take()) for _ in range(2)]
    await eventually(partial(_wait, lender, 2), "both wait")
    lender.put(held[0], whole=True)  # the first one's turn, who leaves before using it
    tasks[0].cancel()
    assert await tasks[1] is held[0]
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    for connection in held:
        lender.put(connection, whole=True)
    assert (lender.in_use, lender.waiting) == (0, 0)


async def test_who_waits_too_long_is_told_so_and_nothing_is_lost(database: Database) -> None:
    lender = Lender(database.connect, 1, 0.01)
    connection = await lender.take()
    with pytest.raises(DatabaseUnavailable):
        await lender.take()
    lender.put(connection, whole=True)
    assert await lender.take() is connection
    lender.put(connection, whole=True)
    await lender.close()


async def test_one_cut_short_or_left_in_a_transaction_is_not_lent_again(lender: Lender) -> None:
    async def sleep() -> None:
        async with Lent(lender) as connection:
            await connection.execute("SELECT pg_sleep(60)")

    asleep = asyncio.create_task(sleep())
    await eventually(lambda: lender.in_use == 1, "it is lent")
    asleep.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asleep
    async with Lent(lender) as connection:
        await connection.execute("BEGIN")
        left_open = connection
    async with Lent(lender) as connection:
        assert connection is not left_open
        assert await connection.fetchval("SELECT 1") == 1
    assert left_open.is_closed()


async def test_a_connection_the_server_ended_makes_room_for_another(lender: Lender) -> None:
    async with Lent(lender) as one, Lent(lender) as other:
        await other.execute("SELECT pg_terminate_backend($1)", one.get_server_pid())
        await eventually(one.is_closed, "it is closed")
    async with Lent(lender) as first, Lent(lender) as second:
        assert await first.fetchval("SELECT 1") == await second.fetchval("SELECT 1") == 1


async def test_closing_waits_for_what_is_lent_and_then_lends_no_more(database: Database) -> None:
    lender = Lender(database.connect, 1, PATIENCE)
    connection = await lender.take()
    closing = asyncio.create_task(lender.close())
    await asyncio.sleep(0)
    assert not closing.done()
    assert await connection.fetchval("SELECT 1") == 1
    lender.put(connection, whole=True)
    await closing
    assert connection.is_closed()
    with pytest.raises(DatabaseUnavailable):
        await lender.take()
