"""Applies slices of events to the generation that is served: each event once, in one commit.

The projection and the place move together, so that no crash can part them. A batch first locks
the places of its partitions and compares them with where it begins itself: unequal means that
another instance took over, or that the page came twice, and nothing is applied. Without that
comparison a consumer that hung past its session would count twice.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from prometheus_client import Counter, Gauge

from shared.collector import collect_seldom
from shared.consumer import store, unreadable
from shared.consumer.connections import Connections
from shared.consumer.projection import Change
from shared.consumer.slice import Displaced, Place
from shared.consumer.working_set import Reason, WorkingSet
from shared.events.wire import UnreadableError, read, trace_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from shared.consumer.projection import Projection
    from shared.consumer.slice import Slice
    from shared.events.wire import Unreadable
    from shared.postgres.database import Connection, Database

log = structlog.stdlib.get_logger("ecocase.consumer")

SWEEP_SECONDS = 60.0

APPLIED = Counter("ecocase_consumer_applied", "Events applied.", ["topic"])
POSITION = Gauge("ecocase_consumer_position", "Offset applied up to.", ["topic", "partition"])
PARKED = Gauge("ecocase_consumer_parked", "Events parked.", ["reason"])
REBUILD_DUE = Gauge(
    "ecocase_consumer_rebuild_due",
    "1 where a log no longer holds all that is counted, so that a rebuild is due.",
)


class NoGeneration(Exception):  # noqa: N818 - a state of the database
    """No generation is served yet: `Consumer.open` has not been run."""


class Consumer:
    """Keeps one projection current. Its tables stand in `database`'s schema."""

    def __init__(self, database: Database, projection: Projection) -> None:
        self.database = database
        self.projection = projection
        self.connections = Connections(database, projection)
        self._upkeep: asyncio.Task[None] | None = None
        self._current = asyncio.Event()

    @property
    def is_current(self) -> bool:
        """Whether what is served was folded as this code folds; until then nothing is applied."""
        return self._current.is_set()

    async def open(self) -> None:
        """Begin: see that a generation is served, and start the sweep."""
        collect_seldom()
        async with self.connections.borrow() as connection, connection.transaction():
            await connection.execute("LOCK TABLE serving IN EXCLUSIVE MODE")
            await connection.execute(_FIRST_GENERATION, self.projection.shape)
        await self.look()
        await self.take_stock()
        self._upkeep = asyncio.create_task(self._sweep_for_ever())

    async def look(self) -> None:
        """See whether the generation served is of this code's shape."""
        async with self.connections.borrow() as connection:
            shape = await connection.fetchval(_SERVED_SHAPE)
        if shape == self.projection.shape:
            self._current.set()

    async def close(self) -> None:
        """Stop the sweep and close the connections."""
        if self._upkeep is not None:
            self._upkeep.cancel()
            await asyncio.gather(self._upkeep, return_exceptions=True)
        self.connections.close()

    async def apply(self, slices: Sequence[Slice]) -> None:
        """Apply slices, at most one a partition; raises `Displaced`.

        Waits while what is served is of another shape: its facts are not what this code's folds
        go on from.
        """
        await self._current.wait()
        parked = await self.apply_to(None, slices)
        for each in slices:
            APPLIED.labels(each.topic).inc(len(each.events))
            POSITION.labels(each.topic, each.partition).set(each.end)
        if parked:
            await self.take_stock()

    async def apply_to(self, generation: int | None, slices: Sequence[Slice]) -> bool:
        """Apply slices to a generation, None the one served; gives whether anything was parked."""
        async with self.connections.borrow() as connection, connection.transaction():
            if generation is None:
                generation = await hold_served(connection)
            await _take_places(connection, generation, slices)
            partitions = {
                event.aggregate_id: each.partition for each in slices for event in each.events
            }
            work = await self._load(connection, generation, partitions)
            for each in slices:
                work.feed(each.events, each.partition)
            await self.write(connection, generation, work, fresh=False)
            messages = [message for each in slices for message in each.unreadable]
            await self.keep_unreadable(connection, generation, messages)
        return bool(work.newly_parked or work.released or messages)

    async def begin_anew(self, topic: str, partition: int, lost: Place, generation: int) -> Place:
        """Go back to a partition's start, as a generation of its topic; see `Subscriber`.

        What was applied of events that are no more stays counted until a rebuild, which is now due.
        """
        async with self.connections.borrow() as connection, connection.transaction():
            served = await hold_served(connection)
            key = (topic, partition)
            place = (await store.lock_places(connection, served, [key]))[key]
            if place != lost:
                return place
            anew = Place(generation, 0, None)
            await store.set_places(connection, served, {key: anew})
            await connection.execute(_LOST, served)
        await self.take_stock()
        log.error("read again from the start: a rebuild is due", topic=topic, partition=partition)
        return anew

    async def places(self) -> dict[store.PlaceKey, Place]:
        """Where each partition stands in the generation served."""
        async with self.connections.borrow() as connection:
            return await store.places(connection, None)

    async def _load(
        self, connection: Connection, generation: int, partitions: Mapping[UUID, int]
    ) -> WorkingSet:
        return WorkingSet(
            self.projection.fold,
            await store.load_facts(connection, generation, partitions),
            await store.load_waiting(connection, generation, partitions),
        )

    async def write(
        self, connection: Connection, generation: int, work: WorkingSet, *, fresh: bool
    ) -> None:
        """Write what a working set changed."""
        changed = [fact for fact in work.facts.values() if fact.version != fact.stored_version]
        if changed:
            await store.write_facts(connection, generation, changed, fresh=fresh)
            changes = [
                Change(fact.partition, fact.topic, fact.bureau, fact.stored_body, fact.body or {})
                for fact in changed
                if fact.body is not fact.stored_body
            ]
            await self.projection.write(connection, generation, changes)
        if work.newly_parked or work.released:
            await store.write_parked(
                connection, generation, work.newly_parked.values(), work.released
            )
            for parked in work.newly_parked.values():
                log.error(
                    "event parked", reason=parked.reason.value, event_id=str(parked.event.id),
                    type=parked.event.type, aggregate=str(parked.event.aggregate_id),
                    trace_id=trace_id(parked.event.traceparent),
                )  # fmt: skip

    async def keep_unreadable(
        self, connection: Connection, generation: int, messages: Sequence[Unreadable]
    ) -> None:
        """Keep messages that are no events, for whoever looks for what became of them."""
        if not messages:
            return
        await unreadable.keep(connection, generation, messages)
        for message in messages:
            log.error(
                "message unreadable", topic=message.topic, partition=message.partition,
                offset=message.offset, error=message.error,
            )  # fmt: skip

    async def replay(self, ids: Sequence[UUID] | None = None) -> int:
        """Try parked events again, all or some, and what waits behind them.

        Gives how many are parked no more. The partition's place is locked meanwhile, so that no
        slice of it is applied at the same time.
        """
        freed = await self._read_again(ids)
        async with self.connections.borrow() as connection:
            wanted = await connection.fetch(_PARKED_AGGREGATES, ids)
        for row in wanted:
            freed += await self._replay_one(row["topic"], row["partition"], row["aggregate_id"])
        await self.take_stock()
        return freed

    async def _replay_one(self, topic: str, partition: int, aggregate_id: UUID) -> int:
        async with self.connections.borrow() as connection, connection.transaction():
            generation = await hold_served(connection)
            await store.lock_places(connection, generation, [(topic, partition)])
            work = await self._load(connection, generation, {aggregate_id: partition})
            work.retry(aggregate_id)
            await self.write(connection, generation, work, fresh=False)
        return len(work.released)

    async def _read_again(self, ids: Sequence[UUID] | None) -> int:
        """Apply messages that this code can read though older code could not."""
        async with self.connections.borrow() as connection:
            messages = await unreadable.load(connection, ids)
        freed = 0
        for message in messages:
            try:
                event = read(message.topic, message.headers, message.value)
            except UnreadableError:
                continue
            async with self.connections.borrow() as connection, connection.transaction():
                generation = await hold_served(connection)
                key = (message.topic, message.partition)
                await store.lock_places(connection, generation, [key])
                work = await self._load(
                    connection, generation, {event.aggregate_id: message.partition}
                )
                work.feed([event], message.partition)
                await self.write(connection, generation, work, fresh=False)
                await unreadable.forget(connection, generation, message.id)
            freed += 1
        return freed

    async def sweep(self) -> None:
        """Drain gaps that have been filled, unless what is served is to be replaced."""
        if not self.is_current:
            return
        async with self.connections.borrow() as connection:
            filled = [row["id"] for row in await connection.fetch(_FILLED_GAPS)]
        if filled:
            await self.replay(filled)

    async def take_stock(self) -> None:
        """Set the gauges of what is parked, and of whether a rebuild is due."""
        async with self.connections.borrow() as connection:
            counts = {row[0]: row[1] for row in await connection.fetch(_COUNT_PARKED)}
            messages = await connection.fetchval(_COUNT_UNREADABLE)
            due = await connection.fetchval(_REBUILD_DUE)
        for reason in Reason:
            PARKED.labels(reason.value).set(counts.get(reason.value, 0))
        PARKED.labels(unreadable.REASON).set(messages)
        REBUILD_DUE.set(bool(due))

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except Exception:
                log.exception("sweep failed")


_FIRST_GENERATION = """
WITH first AS (
    INSERT INTO generation (state, started_at, ended_at, shape)
    SELECT 'live', now(), now(), $1 WHERE NOT EXISTS (SELECT FROM serving)
    RETURNING number
)
INSERT INTO serving (generation) SELECT number FROM first
"""
_SERVED_SHAPE = "SELECT shape FROM generation JOIN serving ON serving.generation = number"
_SERVED = "(SELECT generation FROM serving)"
_PARKED_AGGREGATES = f"""
SELECT DISTINCT topic, partition, aggregate_id FROM parked
WHERE generation = {_SERVED} AND ($1::uuid[] IS NULL OR id = ANY ($1))
ORDER BY topic, partition, aggregate_id
"""  # noqa: S608 - a constant
_FILLED_GAPS = f"""
SELECT parked.id FROM parked JOIN fact USING (generation, aggregate_id)
WHERE generation = {_SERVED} AND reason = 'gap' AND parked.version <= fact.version + 1
"""  # noqa: S608 - a constant
_LOST = "UPDATE generation SET error = '日志缺少已计入的事件' WHERE number = $1"
_REBUILD_DUE = f"SELECT error IS NOT NULL FROM generation WHERE number = {_SERVED}"  # noqa: S608 - a constant
_COUNT_PARKED = f"""
SELECT reason, count(*) FROM parked WHERE generation = {_SERVED} GROUP BY reason
"""  # noqa: S608 - a constant
_COUNT_UNREADABLE = f"SELECT count(*) FROM unreadable WHERE generation = {_SERVED}"  # noqa: S608 - a constant


async def hold_served(connection: Connection) -> int:
    """The generation served, which no switch can change until the transaction ends."""
    generation = await connection.fetchval("SELECT generation FROM serving FOR SHARE")
    if generation is None:
        raise NoGeneration
    return int(generation)


async def _take_places(connection: Connection, generation: int, slices: Sequence[Slice]) -> None:
    """Lock the slices' places, see that they begin there, and move them to their ends."""
    keys = sorted((each.topic, each.partition) for each in slices)
    places = await store.lock_places(connection, generation, keys)
    for each in slices:
        place = places[each.topic, each.partition]
        begins = (each.topic_generation, each.start)
        follows = each.after is None or place.last_event_id in (None, each.after)
        if begins != place[:2] or not follows:
            raise Displaced(places)
    await store.set_places(
        connection, generation, {(each.topic, each.partition): each.place for each in slices}
    )
