"""An issuer on a real database, with a clock of its own and cheap password hashes."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

import shared.issuer
from shared.audit.log import AuditLog
from shared.identity.caller import Caller
from shared.identity.roles import Role
from shared.identity.tokens import TokenVerifier
from shared.issuer import policy
from shared.issuer.accounts import Account, add
from shared.issuer.app import create_app
from shared.issuer.issuer import Issuer
from shared.issuer.models import metadata
from shared.issuer.passwords import Passwords
from shared.issuer.sealing import Seal
from shared.issuer.signing import SigningKeys
from shared.postgres.database import Database
from shared.postgres.embedded import EmbeddedPostgres
from shared.postgres.migrate import Migrations
from shared.postgres.provision import provision

MIGRATIONS = Path(shared.issuer.__file__).parent / "migrations"


@dataclass
class Clock:
    """The issuer's clock, moved by the tests."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def timestamp(self) -> float:
        return self.now.timestamp()

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture(scope="session")
def identity_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    postgres = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), {"fsync": "off"})

    async def start() -> str:
        await postgres.start()
        await provision(postgres.dsn("postgres", "postgres"), ["identity"])
        url = postgres.dsn("identity")
        database = Database("identity", url, migrations=MIGRATIONS)
        await database.open()
        await Migrations(database).upgrade()
        await database.close()
        return url

    try:
        yield asyncio.run(start())
    finally:
        asyncio.run(postgres.stop())


@pytest.fixture
async def database(identity_url: str) -> AsyncIterator[Database]:
    database = Database("identity", identity_url, migrations=MIGRATIONS)
    await database.open()
    kept = {"audit_entry", "audit_checkpoint"}
    names = ", ".join({table.name for table in metadata.sorted_tables} - kept)
    async with database.engine.begin() as connection:
        await connection.execute(text(f"TRUNCATE {names}"))
    try:
        yield database
    finally:
        await database.close()


SYSADMIN, SECADMIN, AUDITADMIN = (
    Caller(name, frozenset({role}), "500152", "http://issuer.test")
    for name, role in (
        ("sysadmin1", Role.SYSTEM_ADMIN),
        ("secadmin1", Role.SECURITY_ADMIN),
        ("auditadmin1", Role.AUDIT_ADMIN),
    )
)


async def store(issuer: Issuer, added: Sequence[Account], hashes: Mapping[str, str]) -> None:
    """Store accounts whose passwords are their own; no second factor is asked for."""
    async with issuer.engine.begin() as connection:
        if await policy.stored(connection) is None:
            await policy.store(connection, policy.DEMONSTRATION)
        await add(connection, added, hashes, issuer.now(), one_time=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def cheap_passwords() -> dict[str, int]:
    return {"memory_kib": 8, "passes": 1}


@pytest.fixture
async def issuer(
    database: Database, clock: Clock, tmp_path: Path, cheap_passwords: dict[str, int]
) -> Issuer:
    issuer = Issuer(
        "http://issuer.test/",
        "ecocase",
        database.engine,
        SigningKeys(tmp_path / "keys"),
        Passwords(**cheap_passwords),
        Seal(tmp_path / "keys"),
        now=clock,
    )
    await issuer.revocations.refresh()
    return issuer


@pytest.fixture
def verifier(issuer: Issuer, clock: Clock) -> TokenVerifier:
    return TokenVerifier([issuer.trusted()], now=clock.timestamp)


@pytest.fixture
async def client(
    database: Database, issuer: Issuer, verifier: TokenVerifier
) -> AsyncIterator[httpx.AsyncClient]:
    async with AuditLog(database) as audit:
        transport = httpx.ASGITransport(create_app(issuer, verifier, audit=audit, version="1"))
        async with httpx.AsyncClient(transport=transport, base_url="http://issuer.test") as client:
            yield client
