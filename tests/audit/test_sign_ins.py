"""Sign-ins good and bad stand in the trail of the issuer, each once."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import shared.issuer
from shared.audit.log import AuditLog
from shared.identity.roles import Role
from shared.identity.tokens import TokenVerifier
from shared.issuer.accounts import Account
from shared.issuer.app import create_app
from shared.issuer.issuer import Issuer
from shared.issuer.passwords import Passwords
from shared.issuer.sealing import Seal
from shared.issuer.signing import SigningKeys
from shared.issuer.trail import TrailWitness
from shared.issuer.witness import Act, Action
from tests.audit.conftest import entries, tamper
from tests.issuer.conftest import store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.postgres_fixture import FreshDatabase, MakeFresh

MIGRATIONS = {"identity": Path(shared.issuer.__file__).parent / "migrations"}
PASSWORD = "correct horse battery staple"


class Signing:
    """The issuer over HTTP, with its trail."""

    def __init__(self, fresh: FreshDatabase) -> None:
        self.fresh = fresh
        self.database = fresh.database("identity")
        self.now = datetime.now(UTC)

    @asynccontextmanager
    async def running(self, folder: Path) -> AsyncIterator[Signing]:
        await self.database.open()
        try:
            async with AuditLog(self.database) as self.log:
                self.issuer = Issuer(
                    "http://issuer.test",
                    "ecocase",
                    self.database.engine,
                    SigningKeys(folder / "keys"),
                    Passwords(memory_kib=8, passes=1),
                    Seal(folder / "keys"),
                    witness=TrailWitness(self.log),
                    now=lambda: self.now,
                )
                await self.issuer.revocations.refresh()
                verifier = TokenVerifier([self.issuer.trusted()], now=self._unix)
                app = create_app(self.issuer, verifier, audit=self.log, version="test")
                async with httpx.AsyncClient(
                    transport=httpx.ASGITransport(app), base_url="http://issuer.test"
                ) as self.http:
                    await self._add_account()
                    yield self
        finally:
            await self.database.close()

    def _unix(self) -> float:
        return self.now.timestamp()

    async def _add_account(self) -> None:
        account = Account("officer1", "执法人员甲", frozenset({Role.INVESTIGATOR}), "500152")
        hashed = await self.issuer.passwords.hash(PASSWORD)
        await store(self.issuer, [account], {"officer1": hashed})

    async def ask(self, **asked: str) -> httpx.Response:
        return await self.http.post("/token", json=asked)

    async def sign_in(self, name: str, password: str) -> httpx.Response:
        return await self.ask(grant_type="password", username=name, password=password)

    async def found(self) -> list[tuple[Any, ...]]:
        return [
            (one["kind"], one["outcome"], one["account"], one["bureau"], one["address"])
            for one in await entries(self.database)
            if one["kind"] != "trail"
        ]


@pytest.fixture
async def signing(fresh_database: MakeFresh, tmp_path: Path) -> AsyncIterator[Signing]:
    async with Signing(await fresh_database(MIGRATIONS)).running(tmp_path) as signing:
        yield signing


async def test_a_sign_in_is_recorded(signing: Signing) -> None:
    assert (await signing.sign_in("officer1", PASSWORD)).status_code == 200
    assert await signing.found() == [("sign-in", "accepted", "officer1", "500152", "127.0.0.1")]


async def test_a_wrong_password_is_recorded_once_with_the_account(signing: Signing) -> None:
    assert (await signing.sign_in("officer1", "wrong")).status_code == 401
    assert await signing.found() == [("sign-in", "refused", "officer1", "500152", "127.0.0.1")]


async def test_what_was_typed_for_an_account_that_is_none_is_not_kept(signing: Signing) -> None:
    assert (await signing.sign_in("欧阳极罕见", "19987654321")).status_code == 401
    assert await signing.found() == [("sign-in", "refused", None, None, "127.0.0.1")]
    text = str(await entries(signing.database))
    assert "欧阳极罕见" not in text
    assert "19987654321" not in text


async def test_a_refresh_token_presented_again_is_recorded(signing: Signing) -> None:
    granted = (await signing.sign_in("officer1", PASSWORD)).json()
    refresh = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]}
    assert (await signing.ask(**refresh)).status_code == 200
    signing.now += timedelta(minutes=1)
    assert (await signing.ask(**refresh)).status_code == 401
    [_, reused] = [one for one in await entries(signing.database) if one["kind"] == "sign-in"]
    assert (reused["outcome"], reused["account"]) == ("refused", "officer1")
    assert "再次使用" in reused["action"]


async def test_a_refresh_token_that_nobody_gave_is_a_refusal(signing: Signing) -> None:
    asked = {"grant_type": "refresh_token", "refresh_token": "made-up"}
    assert (await signing.ask(**asked)).status_code == 401
    assert await signing.found() == [("refusal", "refused", None, None, "127.0.0.1")]


async def test_nobody_signs_in_unrecorded_and_a_wrong_password_is_still_wrong(
    signing: Signing,
) -> None:
    await tamper(signing.fresh, "identity", "ALTER TABLE audit_entry RENAME TO elsewhere")
    assert (await signing.sign_in("officer1", PASSWORD)).status_code == 503
    assert (await signing.sign_in("officer1", "wrong")).status_code == 401
    await tamper(signing.fresh, "identity", "ALTER TABLE elsewhere RENAME TO audit_entry")
    assert (await signing.sign_in("officer1", PASSWORD)).status_code == 200


async def test_an_administrative_act_is_recorded_with_what_it_changed(signing: Signing) -> None:
    act = Act(
        signing.now,
        "secadmin1",
        Action.SET_ROLES,
        "officer1",
        "500152",
        before={"roles": ["investigator"]},
        after={"roles": ["leader"]},
    )
    async with signing.database.engine.begin() as connection:
        await signing.issuer.witness.administered(connection, act)
    [entry] = [one for one in await entries(signing.database) if one["kind"] == "administration"]
    assert (entry["account"], entry["action"], entry["object_id"]) == (
        "secadmin1",
        "set-roles",
        "officer1",
    )
    assert entry["details"] == {
        "before": {"roles": ["investigator"]},
        "after": {"roles": ["leader"]},
    }
