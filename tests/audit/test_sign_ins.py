"""Sign-ins good and bad stand in the trail of the issuer, each once."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pyotp
import pytest

import shared.issuer
from shared.audit.log import AuditLog
from shared.identity.roles import Role
from shared.identity.tokens import TokenVerifier
from shared.issuer.accounts import Account
from shared.issuer.administration import Administration
from shared.issuer.app import create_app
from shared.issuer.issuer import Issuer
from shared.issuer.passwords import Passwords
from shared.issuer.sealing import Seal
from shared.issuer.signing import SigningKeys
from shared.issuer.trail import TrailWitness
from tests.audit.conftest import entries, tamper
from tests.issuer.conftest import SECADMIN, SYSADMIN, store
from tests.issuer.people import HERE

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

    async def actions(self, account: str | None = "officer1") -> list[str]:
        """What stands under an account of its tries to sign in, each with its address."""
        found = await entries(self.database, "sign-in")
        assert {(one["address"], one["outcome"]) for one in found} == {("127.0.0.1", "refused")}
        return [one["action"] for one in found if one["account"] == account]

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


async def test_a_refresh_of_a_session_that_is_over_is_recorded_with_the_account(
    signing: Signing,
) -> None:
    granted = (await signing.sign_in("officer1", PASSWORD)).json()
    await Administration(signing.issuer, HERE).disable(SYSADMIN, "officer1")
    refresh = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]}
    assert (await signing.ask(**refresh)).status_code == 401
    [_, over] = await entries(signing.database, "sign-in")
    assert (over["account"], over["action"]) == ("officer1", "续期：登录已失效")


async def test_tries_on_a_locked_account_stand_under_it(signing: Signing) -> None:
    for _ in range(5):
        await signing.sign_in("officer1", "wrong")
    for _ in range(2):
        assert (await signing.sign_in("officer1", PASSWORD)).status_code == 429
    assert await signing.actions() == [
        *["登录：账号或密码不正确"] * 5,
        *["登录：账号已锁定"] * 2,
    ]


async def test_tries_that_are_slowed_down_stand_under_the_account(signing: Signing) -> None:
    for number in range(30):
        await signing.sign_in(f"guess{number}", "wrong")
    assert (await signing.sign_in("officer1", PASSWORD)).status_code == 429
    assert await signing.actions() == ["登录：来源地址失败次数过多，须等待"]


async def test_a_locked_name_that_is_no_account_leaves_nothing_typed(signing: Signing) -> None:
    for _ in range(6):
        await signing.sign_in("19987654321", "wrong")
    await signing.log.flush()
    counts = [(one["account"], one["count"]) for one in await entries(signing.database, "sign-in")]
    assert counts == [(None, 1), (None, 5)]
    assert "19987654321" not in str(await entries(signing.database))


async def test_a_right_password_that_does_not_suffice_stands_under_the_account(
    signing: Signing,
) -> None:
    acts = Administration(signing.issuer, HERE)
    await acts.require_second_factor(SECADMIN, frozenset({Role.INVESTIGATOR}))
    assert (await signing.sign_in("officer1", PASSWORD)).status_code == 403
    proof = {"username": "officer1", "password": PASSWORD}
    secret = (await signing.http.post("/second-factor", json=proof)).json()["secret"]
    code = pyotp.TOTP(secret).at(signing.now)
    await signing.http.post("/second-factor/confirm", json={**proof, "code": code})
    assert (await signing.sign_in("officer1", PASSWORD)).status_code == 401
    await acts.set_roles(SECADMIN, "officer1", frozenset())
    await acts.reset_second_factor(SECADMIN, "officer1")
    assert (await signing.sign_in("officer1", PASSWORD)).status_code == 403
    one_time = (await acts.reset_password(SECADMIN, "officer1")).secret or ""
    assert (await signing.sign_in("officer1", one_time)).status_code == 403
    assert await signing.actions() == [
        "登录：须先启用动态口令",
        "登录：未提供动态口令",
        "登录：尚未授予角色",
        "登录：须先修改密码",
    ]
    assert [one["action"] for one in await entries(signing.database, "refusal")] == []
    typed = str(await entries(signing.database))
    assert not any(one in typed for one in (PASSWORD, one_time, secret, code))


async def test_a_flood_of_tries_on_a_locked_account_is_counted(signing: Signing) -> None:
    for _ in range(60):
        await signing.sign_in("officer1", "wrong")
    await signing.log.flush()
    found = [(one["action"], one["count"]) for one in await entries(signing.database, "sign-in")]
    assert found == [
        *[("登录：账号或密码不正确", 1)] * 5,
        *[("登录：账号已锁定", 1)] * 5,
        ("登录：账号已锁定", 50),
    ]


async def test_nobody_signs_in_unrecorded_and_a_wrong_password_is_still_wrong(
    signing: Signing,
) -> None:
    await tamper(signing.fresh, "identity", "ALTER TABLE audit_entry RENAME TO elsewhere")
    assert (await signing.sign_in("officer1", PASSWORD)).status_code == 503
    assert (await signing.sign_in("officer1", "wrong")).status_code == 401
    await tamper(signing.fresh, "identity", "ALTER TABLE elsewhere RENAME TO audit_entry")
    assert (await signing.sign_in("officer1", PASSWORD)).status_code == 200


async def test_an_administrative_act_is_recorded_with_what_it_changed_and_from_where(
    signing: Signing,
) -> None:
    added = Account("secadmin1", "安全管理员", frozenset({Role.SECURITY_ADMIN}), "500152")
    await store(signing.issuer, [added], {"secadmin1": await signing.issuer.passwords.hash("x")})
    granted = (await signing.sign_in("secadmin1", "x")).json()
    by = {"Authorization": f"Bearer {granted['access_token']}"}
    changed = await signing.http.put(
        "/accounts/officer1/roles", json={"roles": ["leader"]}, headers=by
    )
    assert changed.status_code == 200
    assert (await signing.http.delete("/me/session", headers=by)).json() == {"ended": 1}
    [entry, left] = await entries(signing.database, "administration")
    assert (entry["account"], entry["action"], entry["object_id"], entry["address"]) == (
        "secadmin1",
        "授予或者撤销角色",
        "officer1",
        "127.0.0.1",
    )
    assert entry["details"] == {
        "act": "set-roles",
        "before": {"roles": ["investigator"]},
        "after": {"roles": ["leader"]},
    }
    assert (left["action"], left["object_id"], left["address"]) == (
        "退出登录",
        "secadmin1",
        "127.0.0.1",
    )


async def test_what_an_owner_does_with_a_password_says_from_where(signing: Signing) -> None:
    proof = {"username": "officer1", "password": PASSWORD}
    assert (await signing.http.post("/second-factor", json=proof)).status_code == 200
    change = {**proof, "new_password": "Ganjing-Shui-88"}
    assert (await signing.http.post("/password", json=change)).status_code == 204
    found = await entries(signing.database, "administration")
    assert [(one["account"], one["action"], one["address"]) for one in found] == [
        ("officer1", "开始启用动态口令", "127.0.0.1"),
        ("officer1", "修改密码", "127.0.0.1"),
    ]
