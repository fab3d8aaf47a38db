"""Searching and verifying the audit trails of all services, over their public APIs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from services.launch.storage import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.launch.client import Client

SERVICES = tuple(MIGRATIONS)
"""Each schema has a trail."""
PAGE = 200
VERIFIED_PAGE = 1_000


@dataclass(slots=True)
class TrailsVerified:
    """What was walked and found: (service, finding)."""

    entries: int = 0
    findings: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


async def verify_trails(client: Client, account: str) -> TrailsVerified:
    """Walk the chains of every service's audit trail."""
    result = TrailsVerified()
    for service in SERVICES:
        params: dict[str, Any] = {"limit": VERIFIED_PAGE}
        while True:
            path = f"/{service}/audit-log/verification"
            walked = (await client.call("GET", path, account, params=params)).json()
            result.entries += walked["entries"]
            result.findings += [(service, finding) for finding in walked["findings"]]
            if walked["next"] is None:
                break
            params["after"] = walked["next"]
    return result


async def search_trails(
    client: Client, services: Sequence[str], asked: dict[str, Any], most: int
) -> list[dict[str, Any]]:
    """At most so many entries of some services' trails, newest first, each with its service."""
    found: list[dict[str, Any]] = []
    async with client:
        account = client.credentials.administrator("audit_admin")
        for service in services:
            items = await _entries(client, account, service, asked, most)
            found += [{"service": service, **item} for item in items]
    return sorted(found, key=lambda item: str(item["at"]), reverse=True)[:most]


async def _entries(
    client: Client, account: str, service: str, asked: dict[str, Any], most: int
) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    params = {**asked, "limit": min(most, PAGE)}
    while True:
        page = (await client.call("GET", f"/{service}/audit-log", account, params=params)).json()
        items += page["items"]
        if page["next"] is None or len(items) >= most:
            return items
        params["after"] = page["next"]
