"""Building the projection anew while the old one is served, and the switch between them.

The history is read from its start, outside any subscription, folded in memory and written at the
end, in chunks: a long transaction would hold every service's events back. Then what came meanwhile
is applied like any slice. The switch locks the one row that says what is served, so no batch is
under way, applies what is still missing, and changes that row; the next batch reads it.
"""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING

import asyncpg
import structlog

from shared.consumer import store
from shared.consumer.slice import Place
from shared.consumer.working_set import WorkingSet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from shared.consumer.consumer import Consumer
    from shared.consumer.slice import History, Slice
    from shared.consumer.store import PlaceKey
    from shared.consumer.working_set import Fact
    from shared.postgres.database import Connection

log = structlog.stdlib.get_logger("ecocase.rebuild")

FACTS_IN_MEMORY = 200_000
FACTS_A_CHUNK = 20_000
ROWS_A_DELETE = 20_000
RENEW_SECONDS = 2.0
# One rebuild at a time; the second number is the table's own, so that schemas don't meet.
_LOCK = "SELECT pg_advisory_lock(7630, 'generation'::regclass::oid::bigint::integer)"
# A moment's patience, because a session that was dropped may hold it a little longer.
_PATIENCE = {"lock_timeout": "1s"}
_BEGIN = """
INSERT INTO generation (state, started_at, shape) VALUES ('building', now(), $1) RETURNING number
"""
_SWITCH = """
WITH retired AS (
    UPDATE generation SET state = 'retired' WHERE number = (SELECT generation FROM serving)
), live AS (
    UPDATE generation SET state = 'live', ended_at = now() WHERE number = $1
)
UPDATE serving SET generation = $1
"""


class AlreadyRebuilding(Exception):  # noqa: N818 - a state, not a fault
    """Another rebuild is under way."""


class Rebuilder:
    """Rebuilds a consumer's projection from a history."""

    def __init__(self, consumer: Consumer, history: History) -> None:
        self._consumer = consumer
        self._history = history
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Start a rebuild; gives the new generation's number. Raises `AlreadyRebuilding`."""
        connection = await self._lock()
        try:
            generation = int(await connection.fetchval(_BEGIN, self._consumer.projection.shape))
        except BaseException:
            connection.terminate()
            raise
        self._task = asyncio.create_task(self._run(connection, generation))
        # Whatever becomes of it, even if it never runs: the connection holds the lock.
        self._task.add_done_callback(lambda _: connection.terminate())
        return generation

    async def renew(self) -> None:
        """Rebuild until what is served is of this code's shape; at once where it is already."""
        while not self._consumer.is_current:
            log.info("what is served was folded otherwise, and is built anew")
            try:
                await self.start()
                await self.finished()
            except Exception:
                log.exception("what is served could not be built anew yet")
                await asyncio.sleep(RENEW_SECONDS)
                await self._consumer.look()

    async def finished(self) -> None:
        """Wait for the rebuild under way; raises what made it fail."""
        if self._task is not None:
            await self._task

    async def close(self) -> None:
        """Give up the rebuild under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def clear(self) -> None:
        """Remove what retired generations and rebuilds cut short have left behind."""
        try:
            connection = await self._lock()
        except AlreadyRebuilding:
            return
        try:
            await connection.execute(
                "UPDATE generation SET state = 'failed', ended_at = now(), error = '中断'"
                " WHERE state = 'building'"
            )
            await self._remove_old(connection)
        finally:
            connection.terminate()

    async def _lock(self) -> Connection:
        connection = await self._consumer.database.connect(_PATIENCE)
        try:
            await connection.execute(_LOCK)
        except asyncpg.LockNotAvailableError:
            connection.terminate()
            raise AlreadyRebuilding from None
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _run(self, connection: Connection, generation: int) -> None:
        """Build, switch and clear; `connection` holds the lock on rebuilding."""
        try:
            for topic in self._history.topics:
                await self._fold(topic, generation)
                await self._read_on(topic, generation)
            await self._switch(generation)
            await self._consumer.look()
            log.info("generation switched", generation=generation)
        except BaseException as error:
            log.exception("rebuild failed", generation=generation)
            await connection.execute(
                "UPDATE generation SET state = 'failed', ended_at = now(), error = $2"
                " WHERE number = $1",
                generation,
                type(error).__name__,
            )
            raise
        else:
            await self._consumer.take_stock()
            await self._remove_old(connection)

    async def _fold(self, topic: str, generation: int) -> None:
        """Fold a topic in memory, writing whenever there is much of it."""
        consumer = self._consumer
        places: dict[PlaceKey, Place] = {}
        work = WorkingSet(consumer.projection.fold)
        fresh = True
        async with consumer.connections.borrow() as connection:
            async for each in self._history.read(topic, {}):
                if not fresh:
                    await _load_missing(connection, generation, work, each)
                work.feed(each.events, each.partition)
                await consumer.keep_unreadable(connection, generation, each.unreadable)
                places[topic, each.partition] = each.place
                if len(work.facts) >= FACTS_IN_MEMORY:
                    await self._write(connection, generation, work, fresh=fresh)
                    work, fresh = WorkingSet(consumer.projection.fold), False
            await self._write(connection, generation, work, fresh=fresh)
            if places:
                await store.set_places(connection, generation, places)

    async def _write(
        self, connection: Connection, generation: int, work: WorkingSet, *, fresh: bool
    ) -> None:
        """Write a working set in chunks, each a transaction of its own.

        A rebuild cut short is begun again from the start, so they need not be one.
        """
        for chunk in _chunks(work):
            async with connection.transaction():
                await self._consumer.write(connection, generation, chunk, fresh=fresh)
        await connection.execute(
            "UPDATE generation SET events = events + $2 WHERE number = $1", generation, work.applied
        )

    async def _read_on(self, topic: str, generation: int) -> None:
        """Apply what has come since, as any slice is applied."""
        async with self._consumer.connections.borrow() as connection:
            places = await store.places(connection, generation)
        since = {partition: place for (name, partition), place in places.items() if name == topic}
        async for each in self._history.read(topic, since):
            await self._consumer.apply_to(generation, [each])

    async def _switch(self, generation: int) -> None:
        """Serve the new generation, once it has all that the old one has."""
        consumer = self._consumer
        async with consumer.connections.borrow() as connection, connection.transaction():
            served = await connection.fetchval("SELECT generation FROM serving FOR UPDATE")
            for topic, partition in await self._lacking(connection, served, generation):
                log.info("reads on before the switch", topic=topic, partition=partition)
                await self._read_on(topic, generation)
            for topic, partition in await self._lacking(connection, served, generation):
                # Then the old statistics hold more than there is: the new ones are the true ones.
                log.error(
                    "the history is shorter than what was applied", topic=topic, partition=partition
                )
            await connection.execute(_SWITCH, generation)

    async def _lacking(
        self, connection: Connection, served: int, generation: int
    ) -> list[PlaceKey]:
        old, new = (
            await store.places(connection, served),
            await store.places(connection, generation),
        )
        nowhere = Place(1, 0, None)
        return [
            key
            for key, place in old.items()
            if place.topic_generation == (there := new.get(key, nowhere)).topic_generation
            and place.next_offset > there.next_offset
        ]

    async def _remove_old(self, connection: Connection) -> None:
        """Delete retired and failed generations, a few rows at a time."""
        tables = ("fact", "position", "parked", "unreadable", *self._consumer.projection.tables)
        old = await connection.fetch(
            "SELECT number FROM generation WHERE state IN ('retired', 'failed') ORDER BY number"
        )
        for (number,) in old:
            for table in tables:
                await _delete(connection, table, number)
            await connection.execute(
                "UPDATE generation SET state = 'removed' WHERE number = $1 AND state = 'retired'",
                number,
            )


async def _delete(connection: Connection, table: str, generation: int) -> None:
    some = f"SELECT ctid FROM {table} WHERE generation = $1 LIMIT {ROWS_A_DELETE}"  # noqa: S608
    statement = f"DELETE FROM {table} WHERE ctid = ANY (ARRAY({some}))"  # noqa: S608 - our tables
    while await connection.execute(statement, generation) != "DELETE 0":
        pass


async def _load_missing(
    connection: Connection, generation: int, work: WorkingSet, each: Slice
) -> None:
    missing: dict[UUID, int] = {
        event.aggregate_id: each.partition
        for event in each.events
        if event.aggregate_id not in work.facts
    }
    work.facts |= await store.load_facts(connection, generation, missing)
    work.waiting |= await store.load_waiting(connection, generation, missing)


def _chunks(work: WorkingSet) -> Iterator[WorkingSet]:
    """Parts of a working set, the parked events with the first."""
    facts: Iterator[Fact] = iter(work.facts.values())
    parked, released = work.newly_parked, work.released
    while chunk := list(islice(facts, FACTS_A_CHUNK)):
        yield WorkingSet(
            work.fold,
            {fact.aggregate_id: fact for fact in chunk},
            newly_parked=parked,
            released=released,
        )
        parked, released = {}, set()
