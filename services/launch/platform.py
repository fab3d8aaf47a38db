"""All services in one process, on one PostgreSQL, events handed over directly or by Kafka.

`start` brings up what stands below (PostgreSQL, schemas, migrations, issuer, calendar), then the
services, then the relays; `stop` goes the other way.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeVar

import httpx

from services.cases import app as cases
from services.complaints import app as complaints
from services.launch.buses import carrier
from services.launch.metrics import PlatformMetrics
from services.launch.site import Part, Site, site
from services.launch.storage import open_databases, private_folder
from services.permits import app as permits
from services.reporting import app as reporting
from shared.audit.log import AuditLog
from shared.clock.app import calendar_app
from shared.clock.calendars import Calendars
from shared.identity.keys import HttpKeys
from shared.identity.officers import CachedOfficerDirectory
from shared.identity.tokens import ClaimNames, TokenVerifier, TrustedIssuer
from shared.issuer import policy
from shared.issuer.app import create_app as issuer_app
from shared.issuer.demo import ensure_demo_accounts, reset_demo_accounts
from shared.issuer.installation import InstallationError
from shared.issuer.issuer import Issuer, SignInRules
from shared.issuer.passwords import Passwords
from shared.issuer.sealing import Seal
from shared.issuer.sessions import Limits
from shared.issuer.signing import SigningKeys
from shared.issuer.trail import TrailWitness
from shared.relay.epoch import open_epoch
from shared.relay.relay import Relay
from shared.seals.file import SealFile
from shared.workflow.service import Standing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path

    from services.launch.settings import Settings
    from shared.postgres.database import Database

T = TypeVar("T")

CANCEL_SECONDS = 0.5
PROCEDURAL = (cases, permits, complaints)
"""The services that run procedures."""


class Platform:
    """The whole platform; `app` answers once `start` has returned."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self.credentials: Path | None = None
        self.has_accounts = True
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
        ending = set(self._tasks)
        self._tasks.clear()
        while ending:  # more than once: making a connection to a hung server swallows one
            for task in ending:
                task.cancel()
            _, ending = await asyncio.wait(ending, timeout=CANCEL_SECONDS)
        await self._stack.aclose()

    async def issuer_alone(self) -> Issuer:
        """Start what the issuer needs alone; `stop` ends it."""
        data = private_folder(self._settings.data)
        databases = await open_databases(self._settings, self._stack, ["identity"])
        trails = await self._trails(databases)
        return self._issuer(databases["identity"], trails["identity"], data)

    async def _start(self) -> None:
        data = private_folder(self._settings.data)
        databases = await open_databases(self._settings, self._stack)
        trails = await self._trails(databases)
        self.issuer = issuer = self._issuer(databases["identity"], trails["identity"], data)
        await self._first_accounts(issuer, data)
        calendars = Calendars(databases["clock"])
        await calendars.read()
        self._stack.callback(PlatformMetrics(databases, data).register())
        verifier = TokenVerifier([issuer.trusted(), *await self._outside()])
        await asyncio.gather(*(open_epoch(databases[service.NAME]) for service in PROCEDURAL))
        await self._services(databases, trails, issuer, calendars, verifier)

    def _issuer(self, database: Database, trail: AuditLog, data: Path) -> Issuer:
        return Issuer(
            f"{self._settings.url}/identity",
            self._settings.audience,
            database.engine,
            SigningKeys(data / "keys"),
            Passwords(),
            Seal(data / "keys"),
            rules=SignInRules(
                Limits(
                    timedelta(minutes=self._settings.session_idle_minutes),
                    timedelta(hours=self._settings.session_hours),
                ),
                timedelta(days=self._settings.password_days),
            ),
            witness=TrailWitness(trail),
        )

    async def _first_accounts(self, issuer: Issuer, data: Path) -> None:
        async with issuer.engine.connect() as connection:
            rules = await policy.stored(connection)
        if self._settings.demo and (rules is None or rules.demonstration):
            self.credentials = await ensure_demo_accounts(issuer, data)
        elif rules is None:
            self.has_accounts = False
        elif rules.demonstration and not self._settings.demo:
            raise InstallationError(
                f"ECOCASE_DEMO 为 false，但 {data} 中是演示账号：请另设数据目录（ECOCASE_DATA）"
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
        trails: dict[str, AuditLog],
        issuer: Issuer,
        calendars: Calendars,
        verifier: TokenVerifier,
    ) -> None:
        release = version("ecocase")
        directory = CachedOfficerDirectory(issuer.accounts)
        carrying = carrier(
            self._settings, {service.NAME: databases[service.NAME] for service in PROCEDURAL}
        )
        self._stack.callback(carrying.close)
        relays = {
            service.NAME: Relay(databases[service.NAME], carrying.bus, self._seals(service.NAME))
            for service in PROCEDURAL
        }
        parts = []
        for service in PROCEDURAL:
            standing = Standing(
                databases[service.NAME],
                calendars,
                directory,
                verifier,
                trails[service.NAME],
                release,
                republishes=self._settings.kafka_bootstrap is not None,
            )
            parts.append(Part(service.NAME, service.TITLE, service.create(standing)))
        report = reporting.create(
            databases["reporting"],
            verifier,
            carrying.history,
            lambda: max(carrying.lag_seconds, *(one.lag_seconds for one in relays.values())),
            release,
            audit=trails["reporting"],
        )
        await report.open()
        self._stack.push_async_callback(report.close)
        delivering = await carrying.deliver(report.subscriber)
        parts += [
            Part(reporting.NAME, reporting.TITLE, report.app),
            Part(
                "clock",
                "工作日历",
                calendar_app(calendars, verifier, audit=trails["clock"], version=release),
            ),
            Part(
                "identity",
                "身份认证",
                issuer_app(issuer, verifier, audit=trails["identity"], version=release),
            ),
        ]
        self.app = site(parts, databases, relays, release)
        await issuer.revocations.refresh()
        self._run(issuer.revocations.follow())
        self._run(calendars.follow())
        for relay in relays.values():
            self._run(relay.run())
        if delivering is not None:
            self._run(delivering)

    def _seals(self, service: str) -> SealFile:
        return SealFile(self._settings.data.resolve() / "seals" / f"{service}.jsonl")

    async def _trails(self, databases: dict[str, Database]) -> dict[str, AuditLog]:
        """Begin each schema's audit trail; they end before their databases close."""
        days = self._settings.audit_days
        trails = {name: AuditLog(database, days=days) for name, database in databases.items()}
        together = [AsyncExitStack() for _ in trails]

        async def end() -> None:
            await asyncio.gather(*(one.aclose() for one in together))

        self._stack.push_async_callback(end)
        await asyncio.gather(
            *(
                one.enter_async_context(trail)
                for one, trail in zip(together, trails.values(), strict=True)
            )
        )
        return trails

    def _run(self, work: Coroutine[None, None, None]) -> None:
        self._tasks.append(asyncio.create_task(work))


async def with_issuer(settings: Settings, work: Callable[[Issuer], Awaitable[T]]) -> T:
    """Do `work` on the issuer alone; an embedded PostgreSQL must not be running already."""
    platform = Platform(settings)
    try:
        return await work(await platform.issuer_alone())
    finally:
        await platform.stop()


async def reset_passwords(settings: Settings) -> Path:
    """Give the demonstration accounts new passwords; the platform must not be running."""
    data = private_folder(settings.data)
    return await with_issuer(settings, lambda issuer: reset_demo_accounts(issuer, data))
