"""The simplest projection: how many events each topic had, and the sum of their amounts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson

from shared.consumer.projection import UnfitEventError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.consumer.projection import Change
    from shared.consumer.working_set import Body
    from shared.events.envelope import Envelope
    from shared.postgres.database import Connection, Database

EMPTY: dict[str, Any] = {"events": 0, "amount": 0, "types": []}


class Tally:
    """Knows the types `filed`, `noted` and `decided`, and any that a test adds to `known`."""

    shape = "a tally"
    tables: Sequence[str] = ("tally",)

    def __init__(self) -> None:
        self.known = {"filed", "noted", "decided"}

    def fold(self, body: Body | None, event: Envelope) -> Body:
        name = event.type.rsplit(".", 1)[-1]
        if name not in self.known:
            raise UnfitEventError(f"unknown type {event.type}")
        before = body or EMPTY
        return {
            "events": before["events"] + 1,
            "amount": before["amount"] + orjson.loads(event.data).get("amount", 0),
            "types": [*before["types"], name],
        }

    async def prepare(self, connection: Connection) -> None:
        await connection.execute("SELECT 1")

    async def write(
        self, connection: Connection, generation: int, changes: Sequence[Change]
    ) -> None:
        events: Counter[str] = Counter()
        amount: Counter[str] = Counter()
        for change in changes:
            before = change.before or EMPTY
            events[change.topic] += change.after["events"] - before["events"]
            amount[change.topic] += change.after["amount"] - before["amount"]
        for topic in sorted(events):
            await connection.execute(
                "INSERT INTO tally VALUES ($1, $2, $3, $4) ON CONFLICT (generation, topic) DO UPDATE"
                " SET events = tally.events + excluded.events,"
                " amount = tally.amount + excluded.amount",
                generation,
                topic,
                events[topic],
                amount[topic],
            )


async def tallied(database: Database, topic: str = "cases") -> tuple[int, int]:
    """Events and amount that the served generation has of a topic."""
    async with database.connection() as connection:
        row = await connection.fetchrow(
            "SELECT events, amount FROM tally"
            " WHERE generation = (SELECT generation FROM serving) AND topic = $1",
            topic,
        )
    return (0, 0) if row is None else (row["events"], row["amount"])
