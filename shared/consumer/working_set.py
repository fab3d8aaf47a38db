"""Which events apply: the rules of versions and hashes, over facts held in memory.

An event applies when its version is the fact's next and its `previous_hash` the fact's hash. One
the fact is past is a duplicate. One further on waits for those between (a *gap*). One that the
projection refuses is *poison*: it is parked, so that the later ones of its aggregate find a gap,
and wait behind it. One that contradicts what was applied is a *fork*: somewhere a restore went
back in time, and a person must look. Other aggregates go on in every case. Nothing here does I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from uuid import UUID

    from shared.events.envelope import Envelope

Body: TypeAlias = "Mapping[str, Any]"
"""What a projection knows of an aggregate, JSON; never changed in place."""


class Reason(StrEnum):
    """Why an event is parked."""

    GAP = "gap"
    POISON = "poison"
    FORK = "fork"

    @property
    def title(self) -> str:  # type: ignore[override]  # a reason's title, not str.title()
        """The reason in Chinese."""
        return {"gap": "前序事件未到", "poison": "事件无法处理", "fork": "与已处理的历史不符"}[self]


@dataclass(slots=True)
class Fact:
    """An aggregate as applied so far; `stored_*` is what the database has of it."""

    aggregate_id: UUID
    topic: str
    partition: int
    bureau: str
    version: int = 0
    hash: bytes | None = None
    state: str = ""
    body: Body | None = None
    stored_version: int = 0
    stored_body: Body | None = None


@dataclass(frozen=True, slots=True)
class Parked:
    """An event that could not be applied."""

    event: Envelope
    partition: int
    reason: Reason
    error: str


@dataclass(slots=True)
class WorkingSet:
    """The facts that a batch touches, and what the batch does to them.

    `fold` gives an aggregate's new body from the old one (None at first) and an event; whatever it
    raises makes the event poison.
    """

    fold: Callable[[Body | None, Envelope], Body]
    facts: dict[UUID, Fact] = field(default_factory=dict)
    waiting: dict[UUID, dict[UUID, Parked]] = field(default_factory=dict)
    newly_parked: dict[UUID, Parked] = field(default_factory=dict)
    released: set[UUID] = field(default_factory=set)
    applied: int = 0

    def feed(self, events: Iterable[Envelope], partition: int) -> None:
        """Apply events in order."""
        facts, waiting = self.facts, self.waiting
        for event in events:
            fact = facts.get(event.aggregate_id)
            if fact is None:
                fact = Fact(event.aggregate_id, event.topic, partition, event.bureau)
                facts[event.aggregate_id] = fact
            if self._apply(fact, event, partition) and event.aggregate_id in waiting:
                self._release(event)
                self.drain(fact)

    def retry(self, aggregate_id: UUID) -> None:
        """Try what is parked of an aggregate."""
        for parked in self.waiting.get(aggregate_id, {}).values():
            event = parked.event
            fact = self.facts.get(aggregate_id)
            if fact is None:
                fact = Fact(aggregate_id, event.topic, parked.partition, event.bureau)
                self.facts[aggregate_id] = fact
            self.drain(fact)
            return

    def drain(self, fact: Fact) -> None:
        """Try what waits for the fact's next versions."""
        here = self.waiting.get(fact.aggregate_id, {})
        for parked in sorted(here.values(), key=lambda parked: parked.event.version):
            version = parked.event.version
            if version > fact.version + 1:
                break
            if version <= fact.version and parked.reason is Reason.FORK:
                continue
            self._release(parked.event)
            self._apply(fact, parked.event, parked.partition)

    def _apply(self, fact: Fact, event: Envelope, partition: int) -> bool:
        if event.version != fact.version + 1 or event.previous_hash != fact.hash:
            self._park_unless_applied(fact, event, partition)
            return False
        try:
            fact.body = self.fold(fact.body, event)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, others go on
            self._park(event, partition, Reason.POISON, f"{type(error).__name__}: {error}")
            return False
        fact.version, fact.hash, fact.state = event.version, event.hash, event.state
        self.applied += 1
        return True

    def _park_unless_applied(self, fact: Fact, event: Envelope, partition: int) -> None:
        if event.version > fact.version + 1:
            error = f"expects version {fact.version + 1}, has {event.version}"
            self._park(event, partition, Reason.GAP, error)
        elif event.version == fact.version + 1:
            error = "its previous_hash is not the hash of the event applied before"
            self._park(event, partition, Reason.FORK, error)
        elif event.version == fact.version and event.hash != fact.hash:
            error = f"another event was applied as version {event.version}"
            self._park(event, partition, Reason.FORK, error)
        elif self.waiting:
            self._release(event)

    def _park(self, event: Envelope, partition: int, reason: Reason, error: str) -> None:
        parked = Parked(event, partition, reason, error)
        self.newly_parked[event.id] = parked
        self.released.discard(event.id)
        self.waiting.setdefault(event.aggregate_id, {})[event.id] = parked

    def _release(self, event: Envelope) -> None:
        if self.waiting.get(event.aggregate_id, {}).pop(event.id, None) is not None:
            self.newly_parked.pop(event.id, None)
            self.released.add(event.id)
