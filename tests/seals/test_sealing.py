"""What is sealed: every settled event once, in order, by one leader at a time."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

import asyncpg
import orjson
import pytest

from shared.relay.epoch import open_epoch
from shared.relay.leadership import Leadership, LeadershipLost
from shared.relay.log import SETTINGS
from shared.seals.seal import Seal, read_line, seal_of
from shared.seals.sealer import Sealer
from tests.event_history import Story, write
from tests.seals_kept import Kept, begin_term, seal_everything
from tests.waiting import until

if TYPE_CHECKING:
    from shared.postgres.database import Database


async def seals(database: Database) -> list[Seal]:
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT * FROM seal ORDER BY number")
    return [seal_of("cases", row) for row in rows]


async def events(database: Database) -> list[asyncpg.Record]:
    async with database.connection() as connection:
        return await connection.fetch("SELECT * FROM event ORDER BY epoch, xid, seq")


def digest_of(rows: list[asyncpg.Record]) -> bytes:
    """The digest reckoned by hand."""
    parts = [
        row["xid"].to_bytes(8)
        + row["seq"].to_bytes(8)
        + row["id"].bytes
        + len(row["hash"]).to_bytes(4)
        + row["hash"]
        for row in rows
    ]
    return hashlib.sha256(b"".join(parts)).digest()


async def test_a_seal_holds_the_digest_of_its_stretch_and_the_seal_before(
    cases: Database, sealer: Sealer
) -> None:
    story = Story("cases")
    await write(cases, story.tell("filed"), story.tell("noted"))
    first = await sealer.seal()
    await write(cases, story.tell("decided"))
    second = await sealer.seal()
    assert await sealer.seal() is None
    rows = await events(cases)
    assert first is not None
    assert second is not None
    assert await seals(cases) == [first, second]
    assert (first.number, first.events, first.previous_hash) == (1, 2, None)
    assert first.digest == digest_of(rows[:2])
    assert (first.first_seq, first.last_seq) == (rows[0]["seq"], rows[1]["seq"])
    assert (first.first_xid, first.end) == (rows[0]["xid"], (1, rows[1]["xid"], rows[1]["seq"]))
    assert (second.number, second.events) == (2, 1)
    assert second.previous_hash == first.hash
    assert second.digest == digest_of(rows[2:])


async def test_anybody_can_check_a_published_line_with_json_and_sha256(
    cases: Database, sealer: Sealer
) -> None:
    await write(cases, Story("cases").tell("filed"))
    seal = await sealer.seal()
    assert seal is not None
    said = orjson.loads(seal.line())
    claimed = said.pop("hash")
    ours = hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()
    assert ours == claimed
    assert read_line(seal.line()) == seal


async def test_an_event_committed_late_is_sealed_in_its_place_and_nothing_before_it(
    cases: Database, sealer: Sealer
) -> None:
    slow = await cases.connect()
    transaction = slow.transaction()
    await transaction.start()
    await write(slow, Story("cases").tell("filed"))
    await write(cases, Story("cases").tell("filed"))
    assert await sealer.seal() is None
    await transaction.commit()
    await slow.close()
    seal = await sealer.seal()
    assert seal is not None
    assert seal.digest == digest_of(await events(cases))


async def test_a_long_stretch_is_sealed_in_pieces_that_may_end_within_a_transaction(
    cases: Database,
) -> None:
    story = Story("cases")
    connection = await cases.connect()
    async with connection.transaction():
        await write(connection, *(story.tell("noted") for _ in range(5)))
    await connection.close()
    made = await seal_everything(cases, sealed_events=2)
    rows = await events(cases)
    assert [seal.events for seal in made] == [2, 2, 1]
    assert [seal.digest for seal in made] == [
        digest_of(rows[:2]),
        digest_of(rows[2:4]),
        digest_of(rows[4:]),
    ]


async def test_a_seal_never_spans_two_epochs(cases: Database, sealer: Sealer) -> None:
    story = Story("cases")
    await write(cases, story.tell("filed"), story.tell("noted"))
    async with cases.connection() as connection:
        # As after a restore: another cluster, whose transactions begin at lower numbers.
        await connection.execute("UPDATE event SET xid = (xid::text::bigint + 1000000)::text::xid8")
        await connection.execute("UPDATE epoch SET system_identifier = 1")
    assert await sealer.seal() is None
    await open_epoch(cases)
    await write(cases, story.tell("decided"))
    first, second = await sealer.seal(), await sealer.seal()
    assert first is not None
    assert second is not None
    assert [(seal.epoch, seal.events) for seal in (first, second)] == [(1, 2), (2, 1)]
    assert second.last_xid < first.last_xid
    assert await sealer.seal() is None


async def test_an_event_forged_into_an_epoch_to_come_does_not_stop_the_sealing(
    cases: Database, sealer: Sealer
) -> None:
    story = Story("cases")
    await write(cases, story.tell("filed"))
    async with cases.connection() as connection:
        await connection.execute("UPDATE event SET epoch = 7")
    assert await sealer.seal() is None
    await write(cases, story.tell("noted"))
    seal = await sealer.seal()
    assert seal is not None
    assert (seal.epoch, seal.events) == (1, 1)


async def test_what_was_not_sealed_before_a_crash_is_sealed_by_the_next_leader(
    cases: Database, sealer: Sealer, kept: Kept
) -> None:
    story = Story("cases")
    await write(cases, story.tell("filed"))
    first = await sealer.seal()
    await write(cases, story.tell("noted"))
    session = await cases.connect(SETTINGS)
    successor = Sealer("cases", Leadership(session, await begin_term(cases)), kept)
    second = await successor.seal()
    session.terminate()
    assert first is not None
    assert second is not None
    assert (second.number, second.events, second.previous_hash) == (2, 1, first.hash)
    assert second.term == first.term + 1


async def test_a_leader_that_was_replaced_writes_no_seal(cases: Database, sealer: Sealer) -> None:
    story = Story("cases")
    await write(cases, story.tell("filed"))
    await sealer.seal()
    await begin_term(cases)
    await write(cases, story.tell("noted"))
    with pytest.raises(LeadershipLost):
        await sealer.seal()
    assert len(await seals(cases)) == 1


async def test_a_seal_follows_only_the_newest(cases: Database, sealer: Sealer) -> None:
    story = Story("cases")
    await write(cases, story.tell("filed"))
    await sealer.seal()
    async with cases.connection() as connection:
        await connection.execute("UPDATE seal SET hash = sha256(hash)")
    await write(cases, story.tell("noted"))
    with pytest.raises(LeadershipLost):
        await sealer.seal()
    assert len(await seals(cases)) == 1


async def test_two_leaders_at_once_make_one_chain(cases: Database, kept: Kept) -> None:
    """A new leader begins its term while the old one seals; writers never stop."""
    stories = [Story("cases") for _ in range(4)]
    written = 0

    async def writer(story: Story) -> None:
        nonlocal written
        for _ in range(40):
            await write(cases, story.tell("noted"))
            written += 1

    async def leader() -> None:
        session = await cases.connect(SETTINGS)
        sealer = Sealer("cases", Leadership(session, await begin_term(cases)), kept)
        try:
            for _ in range(15):
                await sealer.seal()
        except LeadershipLost:
            pass
        finally:
            session.terminate()

    async def leaders() -> None:
        for _ in range(12):
            await asyncio.gather(leader(), leader())

    await asyncio.gather(leaders(), *(writer(story) for story in stories))
    await seal_everything(cases)
    made = await seals(cases)
    assert [seal.number for seal in made] == list(range(1, len(made) + 1))
    assert [seal.previous_hash for seal in made] == [None, *(seal.hash for seal in made[:-1])]
    assert sum(seal.events for seal in made) == written == len(await events(cases))


async def test_a_running_sealer_publishes_what_it_seals(
    cases: Database, sealer: Sealer, kept: Kept
) -> None:
    running = asyncio.create_task(sealer.run())
    story = Story("cases")
    await write(cases, story.tell("filed"))

    async def published(events: int) -> bool:
        return sum(seal.events for seal in kept.seals) == events

    await until(lambda: published(1), "the event is sealed")
    await write(cases, story.tell("noted"), story.tell("decided"))
    await until(lambda: published(3), "the others are sealed")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert kept.seals == await seals(cases)


class FullDisk(Kept):
    """Takes nothing until there is room."""

    room = False

    async def publish(self, seals: object) -> None:
        if not self.room:
            raise OSError(28, "No space left on device")
        await super().publish(seals)  # type: ignore[arg-type]


async def test_while_seals_cannot_be_published_they_are_written_and_published_later(
    cases: Database, leadership: Leadership
) -> None:
    disk = FullDisk()
    running = asyncio.create_task(Sealer("cases", leadership, disk).run())
    story = Story("cases")

    async def sealed(events: int) -> bool:
        return sum(seal.events for seal in await seals(cases)) == events

    await write(cases, story.tell("filed"))
    await until(lambda: sealed(1), "the first is sealed")
    await write(cases, story.tell("noted"))
    await until(lambda: sealed(2), "the second is sealed although the first was not published")
    assert disk.seals == []
    disk.room = True

    async def published() -> bool:
        return disk.seals == await seals(cases)

    await until(published, "both are published")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
