"""A grown database beside a small one: a million cases and ten million facts, against ten thousand.

Two platforms run side by side, each on a database of the same PostgreSQL, and take turns.
"""

from __future__ import annotations

import statistics
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from urllib.parse import quote

from bench import history, rollups
from bench.commands import PAIRS, SECONDS, WARM_UP, Callers, lifecycles
from bench.ground import new_ground, server
from bench.load import drive
from bench.result import Result, at_least, at_most
from bench.servers import platform

if TYPE_CHECKING:
    from pathlib import Path

SMALL, LARGE = 10_000, 1_000_000
READING_SECONDS = 1.0
MILLISECONDS = 1_000
DASHBOARD = (
    "/reporting/metrics?measure=clues&from=2024-01-01&to=2024-12-31&dimensions=kind&bucket=month"
)


async def growth(folder: Path) -> list[Result]:
    """Measure what growth costs: lifecycles, lists, the dashboard."""
    async with AsyncExitStack() as stack:
        postgres = await stack.enter_async_context(server(folder / "grown"))
        small, large = [await new_ground(postgres, name) for name in ("small", "large")]
        await history.load(small.url, SMALL)
        loaded = await history.load(large.url, LARGE)
        await rollups.load(small.url, rollups.BUREAU_YEAR)
        await rollups.load(large.url, rollups.CITY)
        callers = []
        for ground in (small, large):
            data = folder / ground.name
            url, _, _ = await stack.enter_async_context(platform(data, ground.urls))
            callers.append(Callers.of(url, data))
        return [
            await _lists(callers[1], loaded),
            *await _dashboard(*callers),
            await _lifecycles(*callers),
        ]


async def _lifecycles(small: Callers, large: Callers) -> Result:
    ratios: list[float] = []
    for pair in range(PAIRS + 1):
        seconds = WARM_UP if pair == 0 else SECONDS
        few = await lifecycles(small, seconds)
        many = await lifecycles(large, seconds)
        if pair:
            ratios.append(many / few)
    return at_least("lifecycles_1m_ratio", ratios, "×", 0.9)


async def _lists(callers: Callers, loaded: history.History) -> Result:
    """The slowest of the lists' first pages."""
    lists = (
        "state=clue",
        "state=closed",
        f"party={loaded.party_id}",
        f"q={quote(history.RARE)}",
        f"q={quote(history.FREQUENT)}",
    )
    times = {
        asked: await _times(callers, f"/cases/penalties?{asked}", "officer1") for asked in lists
    }
    slowest = max(times.values(), key=statistics.median)
    return at_most("list_1m_ms", slowest, "ms", 15)


async def _times(callers: Callers, path: str, account: str) -> list[float]:
    return [await _time(callers, path, account) for _ in range(PAIRS + 1)][1:]


async def _time(callers: Callers, path: str, account: str) -> float:
    token = await callers.bearer(account)
    rate = await drive("reading.lua", callers.url, READING_SECONDS, token, path, connections=1)
    return rate.median * MILLISECONDS


async def _dashboard(small: Callers, large: Callers) -> list[Result]:
    times: list[float] = []
    ratios: list[float] = []
    for pair in range(PAIRS + 1):
        few = await _time(small, DASHBOARD, "supervisor1")
        many = await _time(large, DASHBOARD, "supervisor1")
        if pair:
            times.append(many)
            ratios.append(many / few)
    return [
        at_most("dashboard_10m_ms", times, "ms", 10),
        at_most("dashboard_10m_ratio", ratios, "×", 1.5),
    ]
