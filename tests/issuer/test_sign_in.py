"""Signing in: what a password gives, and how guessing one is slowed down."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from shared.http.problem import Problem, TooManyRequests, Unauthenticated
from shared.identity.roles import Role
from shared.identity.tokens import TokenVerifier
from shared.issuer.accounts import Account
from shared.issuer.administration import Administration
from shared.issuer.issuer import Issuer
from shared.issuer.models import sign_in
from shared.issuer.passwords import PARALLEL, Passwords
from shared.issuer.proof import Proof
from shared.issuer.refusals import AccountLocked
from shared.issuer.witness import Origin
from shared.postgres.database import Database
from tests.issuer.conftest import SYSADMIN, Clock, store

HERE = Origin("192.0.2.1", "test")
PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
async def accounts(issuer: Issuer) -> None:
    added = [
        Account(name, "执法人员甲", frozenset({Role.INVESTIGATOR}), "500152")
        for name in ("officer1", "officer2")
    ]
    hashes = {one.account: await issuer.passwords.hash(PASSWORD) for one in added}
    await store(issuer, added, hashes)


async def _fail(issuer: Issuer, name: str = "officer1", origin: Origin = HERE) -> None:
    with pytest.raises(Unauthenticated):
        await issuer.sign_in(Proof(name, "wrong"), origin)


async def _held(issuer: Issuer, name: str = "officer1", origin: Origin = HERE) -> int:
    """Seconds to wait, learnt with the right password."""
    with pytest.raises(TooManyRequests) as refused:
        await issuer.sign_in(Proof(name, PASSWORD), origin)
    return int(refused.value.headers["Retry-After"])


async def test_a_password_gives_a_token_that_names_account_roles_and_bureau(
    issuer: Issuer, verifier: TokenVerifier, clock: Clock
) -> None:
    grant = await issuer.sign_in(Proof("officer1", PASSWORD), HERE)
    caller = await verifier.verify(f"Bearer {grant.access_token}")
    assert (caller.account, caller.roles, caller.bureau, caller.issuer) == (
        "officer1",
        frozenset({Role.INVESTIGATOR}),
        "500152",
        "http://issuer.test",
    )
    clock.forward(minutes=5, seconds=31)
    with pytest.raises(Unauthenticated):
        await verifier.verify(f"Bearer {grant.access_token}")


@pytest.mark.parametrize("name", ["officer1", "nobody", "王某", "", "a\0b", "x" * 64])
async def test_a_refusal_does_not_tell_whether_the_account_exists(
    issuer: Issuer, name: str
) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await issuer.sign_in(Proof(name, "wrong"), HERE)
    assert refused.value.detail == "账号或密码不正确"


async def test_an_unknown_account_costs_a_password_check_too(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    verify = issuer.passwords._hasher.verify

    def counted(password_hash: str, password: str) -> bool:
        checked.append(password_hash)
        return verify(password_hash, password)

    monkeypatch.setattr(issuer.passwords, "_hasher", _Hasher(counted))
    await _fail(issuer, "nobody")
    await _fail(issuer, "officer1")
    assert len(checked) == 2
    assert checked[0].split("$")[:4] == checked[1].split("$")[:4]


class _Hasher:
    """Counts what is verified."""

    def __init__(self, verify: Any) -> None:
        self.verify = verify


async def test_a_disabled_account_is_refused_like_a_wrong_password(
    issuer: Issuer,
) -> None:
    await Administration(issuer, HERE).disable(SYSADMIN, "officer1")
    with pytest.raises(Unauthenticated) as refused:
        await issuer.sign_in(Proof("officer1", PASSWORD), HERE)
    assert refused.value.detail == "账号或密码不正确"


@pytest.mark.parametrize("name", ["officer1", "nobody"])
async def test_five_failures_within_fifteen_minutes_lock_for_thirty(
    issuer: Issuer, clock: Clock, name: str
) -> None:
    for _ in range(5):
        await _fail(issuer, name)
        clock.forward(minutes=3, seconds=45)
    clock.forward(minutes=-3, seconds=-45)
    assert await _held(issuer, name) == 1800
    assert await _held(issuer, name, Origin("192.0.2.9", "elsewhere")) == 1800
    clock.forward(minutes=29, seconds=59)
    assert await _held(issuer, name) == 1
    clock.forward(seconds=1)
    await _fail(issuer, name)
    clock.forward(seconds=1)
    if name == "officer1":
        await issuer.sign_in(Proof(name, PASSWORD), HERE)


async def test_five_failures_over_more_than_fifteen_minutes_lock_nothing(
    issuer: Issuer, clock: Clock
) -> None:
    for _ in range(5):
        await _fail(issuer)
        clock.forward(minutes=3, seconds=46)
    await issuer.sign_in(Proof("officer1", PASSWORD), HERE)


async def test_a_success_wipes_the_failures_of_that_account(issuer: Issuer) -> None:
    for _ in range(4):
        await _fail(issuer)
    await issuer.sign_in(Proof("officer1", PASSWORD), HERE)
    for _ in range(4):
        await _fail(issuer)
    await issuer.sign_in(Proof("officer1", PASSWORD), HERE)


async def test_another_account_is_not_locked(issuer: Issuer) -> None:
    for _ in range(5):
        await _fail(issuer)
    await issuer.sign_in(Proof("officer2", PASSWORD), HERE)


async def test_one_address_that_tries_many_accounts_is_slowed_down(issuer: Issuer) -> None:
    for number in range(30):
        await _fail(issuer, f"guess{number}")
    assert await _held(issuer, "officer1") == 1
    await issuer.sign_in(Proof("officer1", PASSWORD), Origin("192.0.2.2", "test"))


async def test_the_wait_of_an_address_doubles_up_to_five_minutes(
    issuer: Issuer, clock: Clock
) -> None:
    waits = []
    for number in range(42):
        await _fail(issuer, f"guess{number}")
        if number >= 29:
            waits.append(await _held(issuer, "officer2"))
            clock.forward(seconds=waits[-1])
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]


async def test_failures_survive_a_restart(issuer: Issuer, database: Database, clock: Clock) -> None:
    for _ in range(5):
        await _fail(issuer)
    again = Issuer(
        issuer.url,
        issuer.audience,
        database.engine,
        issuer.keys,
        issuer.passwords,
        issuer.seal,
        now=clock,
    )
    assert await _held(again) == 1800


async def test_guessing_all_at_once_gains_nothing(issuer: Issuer) -> None:
    async def attempt() -> type[Problem] | None:
        try:
            await issuer.sign_in(Proof("officer1", "wrong"), HERE)
        except Problem as problem:
            return type(problem)
        return None

    outcomes = await asyncio.gather(*(attempt() for _ in range(40)))
    looked_at = outcomes.count(Unauthenticated)
    assert 5 <= looked_at < 5 + PARALLEL
    assert outcomes.count(AccountLocked) == 40 - looked_at


async def test_sign_ins_are_recorded_without_what_was_typed(
    issuer: Issuer, database: Database
) -> None:
    await issuer.sign_in(Proof("officer1", PASSWORD), HERE)
    await _fail(issuer)
    await _fail(issuer, "王某13800000000")
    async with database.engine.connect() as connection:
        rows = (await connection.execute(select(sign_in).order_by(sign_in.c.id))).all()
    assert [(row.outcome, row.account, row.address) for row in rows] == [
        ("accepted", "officer1", "192.0.2.1"),
        ("refused", "officer1", "192.0.2.1"),
        ("refused", None, "192.0.2.1"),
    ]
    assert "王某" not in repr(rows)


async def test_a_password_hash_is_made_anew_when_the_parameters_rise(
    issuer: Issuer, database: Database, clock: Clock
) -> None:
    stronger = Passwords(memory_kib=16, passes=2)
    raised = Issuer(
        issuer.url, issuer.audience, database.engine, issuer.keys, stronger, issuer.seal, now=clock
    )
    await raised.sign_in(Proof("officer1", PASSWORD), HERE)
    assert (await _stored_hash(database)).startswith("$argon2id$v=19$m=16,t=2,p=1$")
    await raised.sign_in(Proof("officer1", PASSWORD), HERE)


async def _stored_hash(database: Database) -> str:
    query = "SELECT password_hash FROM account WHERE account = 'officer1'"
    async with database.connection() as connection:
        stored: str = await connection.fetchval(query)
    return stored


@pytest.mark.parametrize("form", [True, False])
async def test_the_token_endpoint_takes_json_and_forms(
    client: httpx.AsyncClient,
    form: bool,  # noqa: FBT001  # a parametrised case
) -> None:
    asked = {"grant_type": "password", "username": "officer1", "password": PASSWORD}
    answer = await (
        client.post("/token", data=asked) if form else client.post("/token", json=asked)
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 300)
    assert body["refresh_expires_in"] == 1800
    me = await client.get("/me", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert me.json() == {
        "account": "officer1",
        "display_name": "执法人员甲",
        "roles": [{"role": "investigator", "title": "执法人员"}],
        "bureau": "500152",
        "importer": None,
    }


@pytest.mark.parametrize(
    "content, kind",
    [
        (b"", "application/json"),
        (b"[]", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b'{"grant_type":"implicit"}', "application/json"),
        (b'{"grant_type":"password","username":"officer1"}', "application/json"),
        (b'{"grant_type":"password","username":"a\\u0000","password":"x"}', "application/json"),
        (b'{"grant_type":"password","username":"a","password":"\\ud800"}', "application/json"),
        (b"username=officer1", "application/x-www-form-urlencoded"),
        (b"grant_type=password&username=%00&password=x", "application/x-www-form-urlencoded"),
        (b"&".join([b"a=1"] * 30), "application/x-www-form-urlencoded; charset=utf-8"),
        (b"\xff=\xff", "application/x-www-form-urlencoded"),
    ],
)
async def test_a_malformed_sign_in_is_a_problem_of_the_fields(
    client: httpx.AsyncClient, content: bytes, kind: str
) -> None:
    answer = await client.post("/token", content=content, headers={"Content-Type": kind})
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_wrong_password_is_401_and_never_repeated_in_the_answer(
    client: httpx.AsyncClient,
) -> None:
    asked = {"grant_type": "password", "username": "officer1", "password": "planted-secret"}
    for _ in range(5):
        answer = await client.post("/token", json=asked)
        assert answer.status_code == 401
        assert "planted-secret" not in answer.text
    slowed = await client.post("/token", json=asked)
    assert (slowed.status_code, slowed.headers["retry-after"]) == (429, "1800")
