"""Feeds a consumer from Kafka, as one of any number of instances that share the partitions.

Where to read on stands with the projection, never with the brokers: on every assignment the places
are read from the database, and each is proven by reading the message before it once more. Where
that is another message, or is no more, the topic was cut short or made anew, and the partition
begins anew. Between two batches the ids of the topics are compared, so that a topic that was
deleted and made again is found out even where its offsets have grown past ours.

Nothing here decides what counts: a batch whose places have moved is dropped (`Displaced`).
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from prometheus_client import Counter

from shared.consumer.slice import Displaced, Place, Subscriber
from shared.kafka.interruption import connection_lost_is_an_error
from shared.kafka.lookout import Lookout
from shared.kafka.records import Partition, name_of, slice_of
from shared.kafka.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from aiokafka import ConsumerRecord

    from shared.consumer.slice import Slice
    from shared.consumer.store import PlaceKey
    from shared.kafka.cluster import Cluster

log = structlog.stdlib.get_logger("ecocase.kafka")

RECORDS_AT_ONCE = 5_000
POLL_MILLISECONDS = 200
LOOK_SECONDS = 1.0
RETRY_SECONDS = (0.1, 2.0)
FETCH_BYTES = 2 * 1024 * 1024

REBALANCES = Counter("ecocase_feed_rebalances", "Times that partitions were assigned anew.")
SESSIONS = Counter("ecocase_feed_sessions", "Times that reading was begun.")


class Projected(Subscriber, Protocol):
    """What is fed: takes slices, and knows how far each partition has been applied."""

    async def places(self) -> Mapping[PlaceKey, Place]:
        """Where each partition stands."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Of which group this process is a member, and by which name it is known there.

    A member that comes back under its name within the session finds its partitions as they were.
    """

    group: str
    instance: str
    session_seconds: float = 30.0


class NoTopicsError(Exception):
    """None of the services has a topic yet; `ecocase topics` makes them."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that is read; `id` tells it from others of its name, before and after it."""

    service: str
    generation: int
    id: UUID


@dataclass(slots=True)
class _At:
    """Where the next record of a partition is wanted; `proven` once the one before it was seen."""

    place: Place
    proven: bool


class KafkaFeed:
    """One instance's reading; `run` it in a task for as long as the process lives."""

    def __init__(
        self,
        cluster: Cluster,
        projected: Projected,
        services: Sequence[str],
        membership: Membership,
    ) -> None:
        self._cluster = cluster
        self._projected = projected
        self._services = services
        self._membership = membership
        self._standing = Standing(projected)

    @property
    def lag_seconds(self) -> float:
        """Age of the oldest published event that is known not to be applied, by any instance."""
        return self._standing.lag_seconds

    async def run(self) -> None:
        """Read whenever it can, until cancelled; whatever fails is logged and tried again."""
        delay = RETRY_SECONDS[0]
        while True:
            SESSIONS.inc()
            try:
                with connection_lost_is_an_error():
                    await self._read()
            except NoTopicsError:
                log.warning("no topic exists yet: run `ecocase topics`")
            except Exception:
                log.exception("reading interrupted")
            await asyncio.sleep(delay)
            delay = min(delay * 2, RETRY_SECONDS[1])

    async def _read(self) -> None:
        async with Lookout(self._cluster, self._membership.instance) as lookout:
            await _Session(
                self._cluster, self._projected, self._services, self._membership,
                lookout, self._standing,
            ).read()  # fmt: skip


class _Session(ConsumerRebalanceListener):  # type: ignore[misc]  # the library has no types
    """Reading by one client, until an error ends it."""

    def __init__(
        self,
        cluster: Cluster,
        projected: Projected,
        services: Sequence[str],
        membership: Membership,
        lookout: Lookout,
        standing: Standing,
    ) -> None:
        self._cluster = cluster
        self._projected = projected
        self._services = services
        self._membership = membership
        self._lookout = lookout
        self._standing = standing
        self._topics: dict[str, Topic] = {}
        self._at: dict[TopicPartition, _At] = {}
        self._unsettled: set[TopicPartition] = set()
        self._lost: list[TopicPartition] = []
        self._looked = float("-inf")
        self._consumer: Any = None

    def _make_consumer(self) -> AIOKafkaConsumer:
        """Make the client. Its name in the group depends on what it reads.

        The brokers give a member that comes back its partitions as they were, whatever it
        subscribes to by now.
        """
        milliseconds = int(self._membership.session_seconds * 1000)
        reads = hashlib.sha256(" ".join(sorted(self._topics)).encode()).hexdigest()[:8]
        return AIOKafkaConsumer(
            **self._cluster.client(self._membership.instance),
            group_id=self._membership.group,
            group_instance_id=f"{self._membership.instance}-{reads}",
            partition_assignment_strategy=(StickyPartitionAssignor,),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=milliseconds,
            heartbeat_interval_ms=max(milliseconds // 10, 100),
            max_poll_interval_ms=max(10 * milliseconds, 60_000),
            max_partition_fetch_bytes=FETCH_BYTES,
        )

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Forget where they stand: they may be another's from now on."""
        for one in revoked:
            self._at.pop(one, None)
            self._unsettled.discard(one)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Read nothing of them before it is known where to read on."""
        REBALANCES.inc()
        self._unsettled = set(assigned)
        self._consumer.pause(*self._unsettled)

    async def read(self) -> None:
        """Read until an error."""
        self._topics = await self._choose(await self._lookout.topics())
        self._consumer = self._make_consumer()
        looking = None
        try:
            self._consumer.subscribe(list(self._topics), listener=self)
            await self._consumer.start()
            looking = asyncio.create_task(self._standing.watch(self._consumer, self._topics))
            while True:
                await self._read_once()
        finally:
            if looking is not None:
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)
            self._standing.left()
            await self._consumer.stop()

    async def _read_once(self) -> None:
        if self._unsettled:
            await self._settle(set(self._unsettled))
        found = await self._consumer.getmany(
            timeout_ms=POLL_MILLISECONDS, max_records=RECORDS_AT_ONCE
        )
        if not await self._topics_are_the_same(busy=bool(found)):
            return
        slices = [
            each
            for one, records in found.items()
            if (each := self._slice(one, records)) is not None
        ]
        if slices:
            await self._apply(slices)
        while self._lost:
            one = self._lost.pop()
            if (at := self._at.get(one)) is not None:
                self._go_to(one, await self._anew(one, at.place))
        self._standing.note(self._consumer, self._next_offsets())

    def _next_offsets(self) -> dict[TopicPartition, int]:
        return {one: at.place.next_offset for one, at in self._at.items() if at.proven}

    async def _choose(self, existing: Mapping[str, UUID]) -> dict[str, Topic]:
        """The topics to read: of the generation applied so far, else the newest."""
        places = await self._projected.places()
        chosen = {}
        for service in self._services:
            applied = [place.topic_generation for key, place in places.items() if key[0] == service]
            newest = max(self._cluster.generations(service, existing), default=0)
            generation = max(applied) if applied else newest
            name = self._cluster.topic(service, generation)
            if name in existing:
                chosen[name] = Topic(service, generation, existing[name])
            self._standing.moved(service, generation, newest)
        if not chosen:
            raise NoTopicsError
        return chosen

    async def _topics_are_the_same(self, *, busy: bool) -> bool:
        """See that the topics are those they were, before anything of theirs is applied.

        Where they are not, nothing of the batch is: its places are found anew.
        """
        now = asyncio.get_running_loop().time()
        every = now - self._looked >= LOOK_SECONDS
        if not busy and not every:
            return True
        existing = await self._lookout.topics(None if every else list(self._topics))
        if every:
            self._looked = now
            chosen = await self._choose(existing)
            if chosen == self._topics:
                return True
        elif all(existing.get(name) == topic.id for name, topic in self._topics.items()):
            return True
        else:
            chosen = await self._choose(await self._lookout.topics())
        self._read_others(chosen)
        return False

    def _read_others(self, chosen: dict[str, Topic]) -> None:
        log.warning("the topics have changed", now=sorted(chosen), before=sorted(self._topics))
        if chosen.keys() != self._topics.keys():
            self._consumer.subscribe(list(chosen), listener=self)
        self._topics.clear()
        self._topics.update(chosen)  # in place: the watch over the lag reads it too
        self._at.clear()
        self._unsettled = {one for one in self._consumer.assignment() if one.topic in self._topics}

    async def _settle(self, partitions: set[TopicPartition]) -> None:
        """Find where to read on in partitions that were assigned, or read from the wrong place."""
        self._unsettled &= self._consumer.assignment()
        partitions = partitions & self._unsettled
        if not partitions:
            return
        places = await self._projected.places()
        begins = await self._consumer.beginning_offsets(list(partitions))
        ends = await self._consumer.end_offsets(list(partitions))
        for one in partitions & self._unsettled:
            topic = self._topics[one.topic]
            place = places.get((topic.service, one.partition), Place(topic.generation, 0, None))
            if place.next_offset > ends[one] or 0 < place.next_offset <= begins[one]:
                place = await self._anew(one, place)
            self._go_to(one, place)
        self._consumer.resume(*(self._consumer.assignment() & partitions))

    async def _anew(self, one: TopicPartition, lost: Place) -> Place:
        topic = self._topics[one.topic]
        log.error("the topic no longer holds what was applied", topic=one.topic, at=one.partition)
        return await self._projected.begin_anew(
            topic.service, one.partition, lost, topic.generation
        )

    def _go_to(self, one: TopicPartition, place: Place) -> None:
        """Read on from a place, or rather from the message before it, which must be the known."""
        if one not in self._consumer.assignment():
            return
        if place.topic_generation != self._topics[one.topic].generation:
            self._unsettled.add(one)
            self._looked = float("-inf")  # another generation is applied: choose the topics anew
            return
        proven = place.next_offset == 0
        self._at[one] = _At(place, proven)
        self._unsettled.discard(one)
        self._consumer.seek(one, place.next_offset - (not proven))

    def _slice(self, one: TopicPartition, records: Sequence[ConsumerRecord]) -> Slice | None:
        """What is new among records; None where nothing is, or the place has to be found anew."""
        at = self._at.get(one)
        if at is None or one in self._unsettled:
            return None
        if not at.proven:
            if not self._proves(one, at, records[0]):
                return None
            records = records[1:]
            if not records:
                return None
        wanted = at.place.next_offset
        if records[0].offset != wanted > 0:
            # Before it: the brokers had us begin anew. After it: messages were removed.
            (self._unsettled.add if records[0].offset < wanted else self._lost.append)(one)
            return None
        topic = self._topics[one.topic]
        partition = Partition(topic.service, topic.generation, one.partition)
        return slice_of(partition, wanted, at.place.last_event_id, records)

    def _proves(self, one: TopicPartition, at: _At, before: ConsumerRecord) -> bool:
        """Whether the message before a place is the one that was applied."""
        if before.offset != at.place.next_offset - 1:
            self._unsettled.add(one)
        elif name_of(before) != at.place.last_event_id:
            self._lost.append(one)
        else:
            at.proven = True
        return at.proven

    async def _apply(self, slices: Sequence[Slice]) -> None:
        names = {topic.service: name for name, topic in self._topics.items()}
        try:
            await self._projected.apply(slices)
        except Displaced as displaced:
            for (service, number), place in displaced.places.items():
                self._go_to(TopicPartition(names[service], number), place)
            return
        for each in slices:
            one = TopicPartition(names[each.topic], each.partition)
            if one in self._at:
                self._at[one] = _At(each.place, proven=True)
