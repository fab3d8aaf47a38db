"""All services in one process, on one PostgreSQL, events handed over directly.

`start` brings up what stands below (PostgreSQL, schemas, migrations, issuer, calendar), then the
services, then the relays; `stop` goes the other way.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from importlib.metadata import version
from typing import TYPE_CHECKING

import httpx

from services.cases import app as cases
from services.complaints import app as complaints
from services.launch.site import Part, Site, site
from services.launch.storage import open_databases, private_folder
from services.permits import app as permits
from services.reporting import app as reporting
from shared.clock.app import calendar_app
from shared.clock.calendars import Calendars
from shared.identity.keys import HttpKeys
from shared.identity.officers import CachedOfficerDirectory
from shared.identity.tokens import ClaimNames, TokenVerifier, TrustedIssuer
from shared.issuer.app import create_app as issuer_app
from shared.issuer.demo import ensure_demo_accounts, reset_demo_accounts
from shared.issuer.issuer import Issuer
from shared.issuer.passwords import Passwords
from shared.issuer.signing import SigningKeys
from shared.relay.direct import DirectBus, DirectHistory
from shared.relay.epoch import open_epoch
from shared.relay.relay import Relay
from shared.seals.file import SealFile
from shared.workflow.service import Standing

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from services.launch.settings import Settings
    from shared.postgres.database import Database

PROCEDURAL = (cases, permits, complaints)
"""The services that run procedures."""


class Platform:
    """The whole platform; `app` answers once `start` has returned."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self.credentials: Path | None = None
        self.issuer: Issuer
        self.app: Site

    async def start(self) -> None:
        """Start everything; what was started is stopped again where something fails."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop everything within a few seconds."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._stack.aclose()

    async def reset_passwords(self) -> Path:
        """Start what the issuer needs alone, and reset the demonstration accounts' passwords."""
        data = private_folder(self._settings.data)
        databases = await open_databases(self._settings, self._stack, ["identity"])
        return await reset_demo_accounts(self._issuer(databases["identity"], data), data)

    async def _start(self) -> None:
        data = private_folder(self._settings.data)
        databases = await open_databases(self._settings, self._stack)
        self.issuer = issuer = self._issuer(databases["identity"], data)
        self.credentials = await ensure_demo_accounts(issuer, data)
        calendars = Calendars(databases["clock"])
        await calendars.read()
        verifier = TokenVerifier([issuer.trusted(), *await self._outside()])
        await asyncio.gather(*(open_epoch(databases[service.NAME]) for service in PROCEDURAL))
        await self._services(databases, issuer, calendars, verifier)

    def _issuer(self, database: Database, data: Path) -> Issuer:
        return Issuer(
            f"{self._settings.url}/identity",
            self._settings.audience,
            database.engine,
            SigningKeys(data / "keys"),
            Passwords(),
        )

    async def _outside(self) -> list[TrustedIssuer]:
        settings = self._settings
        if settings.issuer_url is None or settings.issuer_jwks_url is None:
            return []
        client = await self._stack.enter_async_context(httpx.AsyncClient(timeout=5))
        return [
            TrustedIssuer(
                settings.issuer_url,
                settings.audience,
                HttpKeys(settings.issuer_jwks_url, client),
                ClaimNames(
                    account=settings.issuer_account_claim,
                    roles=settings.issuer_roles_claim,
                    bureau=settings.issuer_bureau_claim,
                ),
            )
        ]

    async def _services(
        self,
        databases: dict[str, Database],
        issuer: Issuer,
        calendars: Calendars,
        verifier: TokenVerifier,
    ) -> None:
        release = version("ecocase")
        directory = CachedOfficerDirectory(issuer.accounts)
        history = DirectHistory([databases[service.NAME] for service in PROCEDURAL])
        self._stack.callback(history.close)
        bus = DirectBus(history)
        relays = {
            service.NAME: Relay(databases[service.NAME], bus, self._seals(service.NAME))
            for service in PROCEDURAL
        }
        parts = []
        for service in PROCEDURAL:
            standing = Standing(databases[service.NAME], calendars, directory, verifier, release)
            parts.append(Part(service.NAME, service.TITLE, service.create(standing)))
        report = reporting.create(
            databases["reporting"],
            verifier,
            history,
            lambda: max(relay.lag_seconds for relay in relays.values()),
            release,
        )
        await report.open()
        self._stack.push_async_callback(report.close)
        bus.subscribe(report.subscriber)
        await bus.find_lost()
        parts += [
            Part(reporting.NAME, reporting.TITLE, report.app),
            Part("clock", "工作日历", calendar_app(calendars, verifier, version=release)),
            Part("identity", "身份认证", issuer_app(issuer, verifier, version=release)),
        ]
        self.app = site(parts, databases, relays, release)
        self._run(calendars.follow())
        for relay in relays.values():
            self._run(relay.run())

    def _seals(self, service: str) -> SealFile:
        return SealFile(self._settings.data.resolve() / "seals" / f"{service}.jsonl")

    def _run(self, work: Coroutine[None, None, None]) -> None:
        self._tasks.append(asyncio.create_task(work))


async def reset_passwords(settings: Settings) -> Path:
    """Give the demonstration accounts new passwords; the platform must not be running."""
    platform = Platform(settings)
    try:
        return await platform.reset_passwords()
    finally:
        await platform.stop()
