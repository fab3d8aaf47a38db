"""Verifying every service over its public API: chains, state rows, traces, seals, trails."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from services.launch.auditing import FIRST, RECHECK_PAUSE, RECHECK_SECONDS
from services.launch.catalogue import PROCEDURES
from services.launch.seal_copies import compare
from services.launch.trails import TrailsVerified, verify_trails

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.launch.client import Client
    from services.launch.seal_copies import Fault, Outside

SEALS_A_PAGE = 1_000


@dataclass(slots=True)
class Verified:
    """What a verification walked and found: (service, finding), and faults of seals outside."""

    aggregates: int = 0
    events: int = 0
    seals: int = 0
    findings: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    trails: TrailsVerified = field(default_factory=TrailsVerified)


async def verify(client: Client, outside: Sequence[Outside]) -> Verified:
    """Walk every service, and compare its seals with those outside the database."""
    result = Verified()
    async with client:
        for service in PROCEDURES:
            walk = _Walk(client, client.credentials.auditor(), service, result)
            await walk.aggregates()
            await walk.traces()
            await walk.seals()
            if outside:
                held = await walk.held()
                for one in outside:
                    result.faults += compare(service, one, held)
        result.trails = await verify_trails(client, client.credentials.auditor())
    # The last page of seals may have been asked for again and again.
    result.findings = list({orjson.dumps(found): found for found in result.findings}.values())
    return result


@dataclass(frozen=True, slots=True)
class _Walk:
    """The walks over one service; what they find goes to `result`."""

    client: Client
    account: str
    service: str
    result: Verified

    async def aggregates(self) -> None:
        after: str | None = FIRST
        while after is not None:
            page = await self._page("verification", after)
            self.result.aggregates += page["aggregates"]
            self.result.events += page["events"]
            after = page["next"]

    async def traces(self) -> None:
        after: str | None = ""
        while after is not None:
            after = (await self._page("verification/traces", after))["next"]

    async def seals(self) -> None:
        """Walk the seals; then see that what was not sealed yet soon is."""
        last, waiting = await self._seals_after(0)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + RECHECK_SECONDS
        first = waiting
        while waiting is not None and waiting == first and loop.time() < deadline:
            await asyncio.sleep(RECHECK_PAUSE)
            last, waiting = await self._seals_after(last)
        if waiting is not None and waiting == first:
            finding = {"event_id": waiting, "what": "unsealed", "reason": "事件久未封签"}
            self.result.findings.append((self.service, finding))

    async def _seals_after(self, after: int) -> tuple[int, str | None]:
        """Walk the seals after one; gives the last, and the first event that none covers."""
        while True:
            page = await self._page("verification/seals", after)
            self.result.seals += page["seals"]
            after = page["last"]
            if not page["more"]:
                return after, page["unsealed"]

    async def held(self) -> dict[int, bytes]:
        """The hash of every seal of the table, by number."""
        held: dict[int, bytes] = {}
        while True:
            params = {"after": max(held, default=0), "limit": SEALS_A_PAGE}
            rows = await self._get("seals", params)
            held |= {row["number"]: bytes.fromhex(row["hash"]) for row in rows}
            if len(rows) < SEALS_A_PAGE:
                return held

    async def _page(self, path: str, after: str | int) -> dict[str, Any]:
        page: dict[str, Any] = await self._get(path, {"after": after})
        self.result.findings += [(self.service, finding) for finding in page["findings"]]
        return page

    async def _get(self, path: str, params: Mapping[str, Any]) -> Any:
        path = f"/{self.service}/{path}"
        return (await self.client.call("GET", path, self.account, params=params)).json()
