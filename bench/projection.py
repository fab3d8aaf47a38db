"""How fast events become statistics: those that wait applied live, and all of them rebuilt."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg

from bench import history
from bench.ground import new_ground, server
from bench.result import Result, at_least
from services.reporting.projection import Statistics
from shared.consumer.consumer import Consumer
from shared.consumer.rebuild import Rebuilder
from shared.relay.direct import DirectBus, DirectHistory
from shared.relay.relay import Relay
from shared.seals.file import SealFile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bench.ground import Ground
    from shared.postgres.database import Database

AGGREGATES = 40_000
EVENTS = 200_000
ROUNDS = 5
LOOK_SECONDS = 0.005
_NOTHING_APPLIED = """
TRUNCATE cases.relay_cursor, cases.seal, reporting.generation, reporting.serving,
    reporting.position, reporting.fact, reporting.parked, reporting.rollup, reporting.combination
"""


async def projection(folder: Path) -> list[Result]:
    """Apply and rebuild the same events several times, after one time that is not counted."""
    async with server(folder / "waiting") as postgres:
        ground = await new_ground(postgres, "waiting")
        await history.load(ground.url, AGGREGATES, history.CLOSED)
        live = [
            await _applied(ground, folder / "seals" / f"{turn}.jsonl") for turn in range(ROUNDS + 1)
        ]
        rebuilt = [await _rebuilt(ground) for _ in range(ROUNDS + 1)]
    return [
        at_least("projection_per_second", live[1:], "/s", 25_000),
        at_least("rebuild_embedded_per_second", rebuilt[1:], "/s", 60_000),
    ]


async def _applied(ground: Ground, seals: Path) -> float:
    """Events a second from the start of the relay until all that waited are applied.

    They are sealed meanwhile, as ever.
    """
    await _execute(ground, _NOTHING_APPLIED)
    async with _consumer(ground) as (consumer, source):
        [cases] = source
        past = DirectHistory([cases])
        bus = DirectBus(past)
        bus.subscribe(consumer)
        relay = Relay(cases, bus, SealFile(seals))
        began = time.perf_counter()
        running = asyncio.create_task(relay.run())
        while _published(relay) < EVENTS:  # noqa: ASYNC110 - a position, not an event
            await asyncio.sleep(LOOK_SECONDS)
        took = time.perf_counter() - began
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        past.close()
    await _check(ground)
    return EVENTS / took


async def _rebuilt(ground: Ground) -> float:
    """Events a second from the start of a rebuild until its generation is served."""
    async with _consumer(ground) as (consumer, source):
        past = DirectHistory(source)
        rebuilder = Rebuilder(consumer, past)
        began = time.perf_counter()
        generation = await rebuilder.start()
        while await _served(consumer) != generation:  # noqa: ASYNC110 - a row
            await asyncio.sleep(LOOK_SECONDS)
        took = time.perf_counter() - began
        await rebuilder.finished()
        past.close()
    await _check(ground)
    return EVENTS / took


@asynccontextmanager
async def _consumer(ground: Ground) -> AsyncIterator[tuple[Consumer, list[Database]]]:
    async with ground.open("reporting", "cases") as (reporting, cases):
        consumer = Consumer(reporting, Statistics())
        await consumer.open()
        try:
            yield consumer, [cases]
        finally:
            await consumer.close()


def _published(relay: Relay) -> int:
    return 0 if relay.published_through is None else relay.published_through.offset


async def _served(consumer: Consumer) -> int:
    async with consumer.database.connection() as connection:
        return int(await connection.fetchval("SELECT generation FROM serving"))


async def _check(ground: Ground) -> None:
    """See that every case was counted once; raises RuntimeError."""
    closed = await _execute(
        ground,
        "SELECT sum(cases_closed)::bigint FROM reporting.rollup JOIN reporting.serving"
        " USING (generation)",
    )
    if closed != AGGREGATES:
        raise RuntimeError(f"{closed} cases are counted of {AGGREGATES}")


async def _execute(ground: Ground, statement: str) -> int | None:
    connection = await asyncpg.connect(ground.url)
    try:
        found: int | None = await connection.fetchval(statement)
        return found
    finally:
        await connection.close()
