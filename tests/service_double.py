"""A service as its users meet it: its real application on a real database, reached over HTTP."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from shared.audit.log import AuditLog
from shared.clock.calendar import WorkCalendar
from shared.issuer.demo import demo_accounts
from shared.workflow.service import Standing
from tests.identity import issuer_double

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from types import ModuleType

    from shared.identity.officers import Certificate
    from shared.postgres.database import Database
    from tests.postgres_fixture import MakeFresh

ACCOUNTS = {one.account: one for one in demo_accounts()}
BUREAU = "500152"


class OfficialCalendar:
    """The official calendar."""

    calendar = WorkCalendar.official()


class DemoOfficers:
    """The certificates of the demonstration officers."""

    async def certificates(
        self, accounts: Sequence[str], bureau: str
    ) -> Mapping[str, tuple[Certificate, ...]]:
        del bureau
        return {name: ACCOUNTS[name].certificates if name in ACCOUNTS else () for name in accounts}


def authorization(account: str, *, bureau: str = BUREAU, roles: Sequence[str] | None = None) -> str:
    """A signed token of a demonstration account, or of anybody with given roles."""
    held = roles if roles is not None else [role.value for role in ACCOUNTS[account].roles]
    return issuer_double.bearer(
        {
            "sub": account,
            "roles": list(held),
            "bureau": bureau,
            "iat": int(time.time()) - 10,
            "exp": int(time.time()) + 3600,
        }
    )


@dataclass
class Service:
    """One running service; keys of commands are made up unless given."""

    name: str
    http: httpx.AsyncClient
    database: Database
    audit: AuditLog
    tokens: dict[tuple[str, str], str]
    keys: Any

    def headers(self, account: str, bureau: str = BUREAU) -> dict[str, str]:
        """The headers of a signed-in account."""
        if (account, bureau) not in self.tokens:
            self.tokens[account, bureau] = authorization(account, bureau=bureau)
        return {"authorization": self.tokens[account, bureau]}

    async def post(
        self,
        path: str,
        account: str,
        data: Mapping[str, Any] | None = None,
        at: str | None = None,
        *,
        key: str | None = None,
        bureau: str = BUREAU,
        **headers: str,
    ) -> httpx.Response:
        """Send a command."""
        body: dict[str, Any] = {"data": dict(data or {})}
        if at is not None:
            body["occurred_at"] = at
        return await self.http.post(
            path,
            json=body,
            headers={
                **self.headers(account, bureau),
                "idempotency-key": key or f"test-{next(self.keys)}",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )

    async def get(
        self, path: str, account: str = "supervisor1", bureau: str = BUREAU, **params: Any
    ) -> httpx.Response:
        """Read something."""
        return await self.http.get(path, params=params, headers=self.headers(account, bureau))


@asynccontextmanager
async def running(service: ModuleType, fresh_database: MakeFresh) -> AsyncIterator[Service]:
    """Run a service's application (a module with NAME, MIGRATIONS and create)."""
    migrations: Path = service.MIGRATIONS
    fresh = await fresh_database({service.NAME: migrations})
    database = fresh.database(service.NAME)
    await database.open()
    verifier = issuer_double.verifier(now=time.time())
    try:
        async with AuditLog(database) as audit:
            app = service.create(
                Standing(database, OfficialCalendar(), DemoOfficers(), verifier, audit, "test")
            )
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
                yield Service(service.NAME, http, database, audit, {}, count(1))
    finally:
        await database.close()
