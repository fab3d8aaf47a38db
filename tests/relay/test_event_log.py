"""The order of events: by transaction, and only what can no longer change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.relay.epoch import open_epoch
from shared.relay.log import START, EventLog, Page
from tests.event_history import Story, write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.postgres.database import Database


@pytest.fixture
async def reader(cases: Database) -> AsyncIterator[EventLog]:
    log = EventLog(cases)
    yield log
    log.close()


def versions(page: Page) -> list[int]:
    return [event.version for event in page.events]


async def test_an_event_committed_late_is_not_passed_over(
    cases: Database, reader: EventLog
) -> None:
    early, late = Story("cases"), Story("cases")
    slow = await cases.connect()
    transaction = slow.transaction()
    await transaction.start()
    await write(slow, late.tell("filed"))  # draws the lower xid and seq
    await write(cases, early.tell("filed"), early.tell("decided"))

    assert (await reader.page(START, 10)).events == ()

    await transaction.commit()
    await slow.close()
    page = await reader.page(START, 10)
    assert [event.aggregate_id for event in page.events] == [late.id, early.id, early.id]
    assert page.end.offset == 3


async def test_interleaved_transactions_are_read_one_after_the_other(
    cases: Database, reader: EventLog
) -> None:
    one, two = Story("cases"), Story("cases")
    first, second = await cases.connect(), await cases.connect()
    opened = [first.transaction(), second.transaction()]
    for transaction in opened:
        await transaction.start()
    for _ in range(3):
        await write(first, one.tell("noted"))
        await write(second, two.tell("noted"))
    for transaction in opened:
        await transaction.commit()
    await first.close()
    await second.close()

    page = await reader.page(START, 10)
    assert [event.aggregate_id for event in page.events] == [one.id] * 3 + [two.id] * 3


async def test_a_page_may_end_inside_one_transaction(cases: Database, reader: EventLog) -> None:
    story = Story("cases")
    connection = await cases.connect()
    async with connection.transaction():
        await write(connection, *(story.tell("noted") for _ in range(5)))
    await connection.close()

    first = await reader.page(START, 2)
    second = await reader.page(first.end, 2)
    third = await reader.page(second.end, 2)
    assert [versions(page) for page in (first, second, third)] == [[1, 2], [3, 4], [5]]
    assert [page.end.offset for page in (first, second, third)] == [2, 4, 5]
    assert (await reader.page(third.end, 2)).end == third.end


async def test_a_position_is_found_again_by_its_event(cases: Database, reader: EventLog) -> None:
    story = Story("cases")
    await write(cases, *(story.tell("noted") for _ in range(3)))
    page = await reader.page(START, 2)

    found = await reader.find(page.end.event_id, page.end.offset)
    assert found == page.end
    assert await reader.find(None, 0) == START
    assert await reader.find(story.id, 3) is None
    assert await reader.find(None, 3) is None


async def test_a_rolled_back_transaction_leaves_no_hole_in_the_offsets(
    cases: Database, reader: EventLog
) -> None:
    story, lost = Story("cases"), Story("cases")
    await write(cases, story.tell("filed"))
    connection = await cases.connect()
    transaction = connection.transaction()
    await transaction.start()
    await write(connection, lost.tell("filed"))
    await transaction.rollback()
    await connection.close()
    await write(cases, story.tell("decided"))

    page = await reader.page(START, 10)
    assert (versions(page), page.end.offset) == ([1, 2], 2)


async def test_events_of_an_older_cluster_come_first_though_their_xids_are_higher(
    cases: Database, reader: EventLog
) -> None:
    assert await open_epoch(cases) == 1
    story = Story("cases")
    await write(cases, story.tell("filed"), story.tell("noted"))
    async with cases.connection() as connection:
        # As after a restore: another cluster, whose transactions begin at lower numbers.
        await connection.execute("UPDATE event SET xid = (xid::text::bigint + 1000000)::text::xid8")
        await connection.execute("UPDATE epoch SET system_identifier = 1")
    before = await reader.page(START, 1)
    assert await open_epoch(cases) == 2
    assert await open_epoch(cases) == 2
    await write(cases, story.tell("decided"))

    page = await reader.page(START, 10)
    assert versions(page) == [1, 2]
    following = await reader.page(page.end, 10)
    assert versions(following) == [3]
    assert (following.end.epoch, following.end.offset) == (2, 3)
    assert before.events == ()  # in its own epoch it was not settled yet


async def test_what_holds_events_back_can_be_told(cases: Database, reader: EventLog) -> None:
    story = Story("cases")
    quiet = await reader.window()
    slow = await cases.connect()
    async with slow.transaction():
        await slow.fetchval("SELECT pg_current_xact_id()")
        await write(cases, story.tell("filed"))
        held = await reader.window()
        assert held.oldest < held.next
        assert await reader.waiting_since(START) is not None
    await slow.close()
    assert quiet.oldest <= held.oldest
