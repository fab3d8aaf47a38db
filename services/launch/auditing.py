"""Rebuilding and reconciling, over the public APIs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from services.launch.catalogue import PROCEDURES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from services.launch.client import Client

FIRST = "00000000-0000-0000-0000-000000000000"
PAGE = 1_000
RECHECK_SECONDS = 15.0
FIGURES_PATIENCE = 600.0
RECHECK_PAUSE = 0.25
REBUILD_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Difference:
    """An aggregate whose state row, events and projection do not agree."""

    service: str
    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Found:
    """What differed in one walk: the service's version, and the one the statistics had applied."""

    reason: str
    version: int
    applied: int

    def persists(self, first: _Found) -> bool:
        """Whether it is still the first walk's difference, and not that of a later step."""
        behind = first.applied < first.version
        return not behind or self.applied < first.version or self.applied >= self.version


@dataclass(slots=True)
class Reconciled:
    """What a reconciliation compared and found; `figures` are what reporting answers of itself."""

    aggregates: int = 0
    differences: list[Difference] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)


async def rebuild(client: Client) -> Any:
    """Start a rebuild and wait until the new generation is served; answers its job."""
    async with client:
        account = client.credentials.operator()
        job = (await client.call("POST", "/reporting/rebuild", account)).json()
        while job["state"] == "building":
            await asyncio.sleep(REBUILD_PAUSE)
            path = f"/reporting/rebuild/{job['generation']}"
            job = (await client.call("GET", path, account)).json()
        return job


async def reconcile(client: Client) -> Reconciled:
    """Compare every service's rows and events with the projection, and its rollups with itself.

    What differs is compared again for a while, since events are still on their way; only what
    persists is reported.
    """
    result = Reconciled()
    async with client:
        account = client.credentials.comparer()
        for service in PROCEDURES:
            differing = await _differing(client, account, service, result)
            loop = asyncio.get_running_loop()
            deadline = loop.time() + RECHECK_SECONDS
            while differing and loop.time() < deadline:
                await asyncio.sleep(RECHECK_PAUSE)
                again = await _differing(client, account, service, Reconciled())
                differing = {
                    aggregate_id: again[aggregate_id]
                    for aggregate_id, first in differing.items()
                    if aggregate_id in again and again[aggregate_id].persists(first)
                }
            result.differences += [
                Difference(service, aggregate_id, found.reason)
                for aggregate_id, found in sorted(differing.items())
            ]
        answer = await client.call(
            "GET", "/reporting/reconciliation", account, patience=FIGURES_PATIENCE
        )
        result.figures = answer.json()
    return result


async def _differing(
    client: Client, account: str, service: str, result: Reconciled
) -> dict[str, _Found]:
    """Walk a service and its facts side by side, both in the order of ids."""
    differing: dict[str, _Found] = {}
    facts = {
        fact["id"]: fact
        async for fact in _pages(client, account, "/reporting/facts", {"topic": service})
    }
    async for aggregate in _pages(client, account, f"/{service}/aggregates", {}):
        result.aggregates += 1
        fact = facts.pop(aggregate["id"], None)
        reason = _difference(aggregate, fact)
        if reason is not None:
            row = aggregate["row"] or aggregate["event"]
            applied = fact["version"] if fact else 0
            differing[aggregate["id"]] = _Found(reason, row["version"], applied)
    for aggregate_id, fact in facts.items():
        differing[aggregate_id] = _Found("统计中有，服务中没有", 0, fact["version"])
    return differing


def _difference(aggregate: dict[str, Any], fact: dict[str, Any] | None) -> str | None:
    row, event = aggregate["row"], aggregate["event"]
    if row is None:
        return "有事件而没有状态行"
    if event is None:
        return "有状态行而没有事件"
    if row != event or aggregate["events"] != row["version"]:
        return (
            f"状态行为第 {row['version']} 版，最后事件为第 {event['version']} 版，"
            f"共 {aggregate['events']} 个事件"
        )
    if fact is None:
        return "统计中没有"
    for name in ("version", "state", "hash"):
        if fact[name] != row[name]:
            ahead = fact["version"] >= row["version"]
            return (
                f"统计为第 {fact['version']} 版（{fact['state']}），服务为第 {row['version']} 版"
                + ("，历史已分叉：请查明后运行 ecocase rebuild" if ahead else "")
            )
    return None


async def _pages(
    client: Client, account: str, path: str, params: dict[str, Any]
) -> AsyncIterator[dict[str, Any]]:
    after = FIRST
    while True:
        response = await client.call(
            "GET", path, account, params={**params, "after": after, "limit": PAGE}
        )
        rows = response.json()
        for row in rows:
            yield row
        if len(rows) < PAGE:
            return
        after = rows[-1]["id"]
