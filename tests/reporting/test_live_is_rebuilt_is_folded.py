"""Whatever happens, in whatever order it arrives: live, rebuilt and folded from scratch agree."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.reporting.folds import TYPES
from services.reporting.folds.notes import fen, flag, number
from services.reporting.projection import Statistics, difference
from shared.clock.law_time import parse_instant
from shared.consumer.projection import Change, UnfitEventError
from shared.consumer.rebuild import Rebuilder
from shared.consumer.slice import Place, Slice
from tests.event_history import Story, envelope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from uuid import UUID

    from shared.consumer.working_set import Body
    from shared.events.envelope import Envelope
    from shared.postgres.database import Database
    from tests.reporting.conftest import Told

Rollups = dict[tuple[Any, ...], tuple[int, ...]]


class Remembered:
    """A history of what was told, in slices of a few events."""

    def __init__(self) -> None:
        self.events: dict[str, list[Envelope]] = defaultdict(list)

    @property
    def topics(self) -> Sequence[str]:
        return tuple(self.events)

    async def read(self, topic: str, since: Mapping[int, Place]) -> AsyncIterator[Slice]:
        events = self.events[topic]
        for start in range(since.get(0, Place(1, 0, None)).next_offset, len(events), 7):
            some = events[start : start + 7]
            yield Slice(topic, 0, 1, start, start + len(some), some)


def any_value(dice: random.Random, read: Any) -> Any:
    if read is flag:
        return dice.random() < 0.5
    if read is number:
        return dice.randrange(1, 90)
    if read is fen:
        return f"{dice.randrange(100_000)}.{dice.randrange(100):02}"
    return dice.choice(["air", "water", "online"])


def any_data(dice: random.Random, type_: str) -> dict[str, Any]:
    noted = TYPES[type_]
    if noted.corrects is None:
        return {name: any_value(dice, read) for name, read in noted.event.fields.items()}
    target = dice.choice(sorted(noted.corrects))
    changes = {name: any_value(dice, read) for name, read in noted.corrects[target].items()}
    changes["occurred_at"] = any_day(dice)
    return {"target": target, "occurrence": dice.randrange(2), "changes": changes}


def any_day(dice: random.Random) -> str:
    return (
        f"{dice.choice([2023, 2024, 2025])}-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}"
    )


def any_story(dice: random.Random) -> list[dict[str, Any]]:
    """An aggregate of one procedure, whose events come as they like; a few nobody knows."""
    procedure = dice.choice(sorted({noted.procedure for noted in TYPES.values()}))
    known = sorted(name for name, noted in TYPES.items() if noted.procedure == procedure)
    counting = [name for name in known if TYPES[name].event.command or TYPES[name].corrects]
    story = Story(known[0].split(".")[2])
    rows = []
    for _ in range(dice.randrange(1, 12)):
        type_ = dice.choice(counting if dice.random() < 0.9 else known)
        data = any_data(dice, type_)
        if dice.random() < 0.03:
            type_ = f"cn.ecocase.{story.topic}.never-heard-of.v1"
        name = type_.split(".", 3)[3]
        rows.append(story.tell(name, data, at=parse_instant(any_day(dice))))
    return [{**row, "topic": story.topic} for row in rows]


def arrival(dice: random.Random, stories: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Interleave stories; some events come twice, some too early."""
    waiting = [list(story) for story in stories]
    rows: list[dict[str, Any]] = []
    while any(waiting):
        story = dice.choice([story for story in waiting if story])
        early = dice.random() < 0.1 and len(story) > 1
        rows.append(story.pop(1 if early else 0))
        if dice.random() < 0.1:
            rows.append(dice.choice(rows))
    return rows


def from_scratch(rows: list[dict[str, Any]]) -> Rollups:
    """Each aggregate's events folded in order, up to the first that cannot be."""
    statistics = Statistics()
    chains: dict[UUID, list[Envelope]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["aggregate_version"]):
        chain = chains[row["aggregate_id"]]
        if len(chain) < row["aggregate_version"]:
            chain.append(envelope(row["topic"], row))
    changes = []
    for chain in chains.values():
        body: Body | None = None
        for event in chain:
            try:
                body = statistics.fold(body, event)
            except UnfitEventError:
                break
        if body is not None:
            changes.append(Change(0, chain[0].topic, chain[0].bureau, None, body))
    return {tuple(cell)[1:]: tuple(sums) for cell, sums in difference(changes).items() if any(sums)}


async def served(database: Database) -> Rollups:
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT r.*, c.* FROM rollup AS r JOIN combination AS c ON c.id = r.combination"
            " WHERE r.generation = (SELECT generation FROM serving)"
        )
    rollups = {}
    for row in rows:
        day, sums, dimensions = row["day"].isoformat(), tuple(row)[4:-6], tuple(row)[-5:]
        if any(sums):
            rollups[day, *dimensions] = sums
    return rollups


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(min_value=0))
async def test_live_rebuilt_and_folded_from_scratch_agree(told: Told, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - a repeatable dice
    rows = arrival(dice, [any_story(dice) for _ in range(dice.randrange(1, 12))])
    while rows:
        size = dice.randrange(1, 9)
        some, rows = rows[:size], rows[size:]
        for topic in sorted({row["topic"] for row in some}):
            await told.bring(topic, *(row for row in some if row["topic"] == topic))

    live = await served(told.database)
    assert live == from_scratch(told.rows)
    history = Remembered()
    for row in told.rows:
        history.events[row["topic"]].append(envelope(row["topic"], row))
    rebuilder = Rebuilder(told.consumer, history)
    await rebuilder.start()
    await rebuilder.finished()
    assert await served(told.database) == live
