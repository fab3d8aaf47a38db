"""How long after its answer a command is counted in the figures, at 100 commands a second.

Commands leave at fixed moments, whatever became of those before (an open loop). Each adds one to
one figure, so that a figure of n says that the first n answers are counted: one reader, which asks
again as soon as it has paused a little, sees every command. What it takes to ask is in the lag.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import httpx
import orjson

from bench.result import Result, at_most

if TYPE_CHECKING:
    from bench.commands import Callers

PER_SECOND = 100
SECONDS = 10
ROUNDS = 3
PAUSE = 0.02
PATIENCE = 30.0
FIGURE = "cases.catalogue.penalties"


async def lag(callers: Callers) -> Result:
    """The 99th percentile of the lag; the median of several rounds, after a shorter one."""
    async with httpx.AsyncClient(base_url=callers.url, trust_env=False, timeout=PATIENCE) as client:
        await _percentile(callers, client, PER_SECOND)
        found = [await _percentile(callers, client, PER_SECOND * SECONDS) for _ in range(ROUNDS)]
    return at_most("lag_p99_embedded_s", found, "s", 0.1)


async def _percentile(callers: Callers, client: httpx.AsyncClient, commands: int) -> float:
    reader = {"authorization": await callers.bearer("supervisor1")}
    writer = {
        "authorization": await callers.bearer("legal1"),
        "content-type": "application/json",
    }
    run = callers.run()
    before = await _figure(client, reader)
    answered: list[float] = []
    counted: list[float] = []
    watching = asyncio.create_task(_watch(client, reader, before, commands, counted))
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(commands):
            await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.perf_counter()))
            group.create_task(_claim(client, writer, f"{run}-{number}", answered))
    async with asyncio.timeout(PATIENCE):
        await watching
    lags = sorted(seen - said for said, seen in zip(sorted(answered), counted, strict=True))
    return lags[len(lags) * 99 // 100]


async def _claim(
    client: httpx.AsyncClient, writer: dict[str, str], code: str, answered: list[float]
) -> None:
    body = {"occurred_at": "2024-03-01", "data": {"kind": "penalty", "code": code, "title": "事项"}}
    answer = await client.post(
        "/cases/catalogue-items",
        content=orjson.dumps(body),
        headers={**writer, "idempotency-key": code},
    )
    answered.append(time.perf_counter())
    answer.raise_for_status()


async def _watch(
    client: httpx.AsyncClient,
    reader: dict[str, str],
    before: int,
    commands: int,
    counted: list[float],
) -> None:
    """Note when each command was first seen in the figure."""
    while len(counted) < commands:
        figure = await _figure(client, reader) - before
        counted += [time.perf_counter()] * (figure - len(counted))
        await asyncio.sleep(PAUSE)


async def _figure(client: httpx.AsyncClient, reader: dict[str, str]) -> int:
    answer = await client.get("/reporting/figures/2024", headers=reader)
    answer.raise_for_status()
    figures = answer.json()["figures"]
    return int(next(figure["value"] for figure in figures if figure["id"] == FIGURE))
