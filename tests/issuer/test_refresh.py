"""Refresh tokens: used once, ended together when one is used twice."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select

from shared.http.problem import Unauthenticated
from shared.identity.roles import Role
from shared.identity.tokens import TokenVerifier
from shared.issuer.accounts import Account
from shared.issuer.administration import Administration
from shared.issuer.issuer import Grant, Issuer, SignInRules
from shared.issuer.models import refresh_token, sign_in
from shared.issuer.proof import Proof
from shared.issuer.sessions import Limits
from shared.issuer.witness import Origin
from shared.postgres.database import Database
from tests.issuer.conftest import SYSADMIN, Clock, store

HERE = Origin("192.0.2.1", "test")
PASSWORD = "correct horse"


@pytest.fixture
async def first(issuer: Issuer) -> Grant:
    account = Account("legal1", "法制审核甲", frozenset({Role.LEGAL}), "500152")
    hashes = {"legal1": await issuer.passwords.hash(PASSWORD)}
    await store(issuer, [account], hashes)
    return await issuer.sign_in(Proof("legal1", PASSWORD), HERE)


async def _refused(issuer: Issuer, token: str) -> bool:
    try:
        await issuer.refresh(token, HERE)
    except Unauthenticated:
        return True
    return False


async def test_a_refresh_token_gives_a_new_pair(
    issuer: Issuer, first: Grant, clock: Clock, verifier: TokenVerifier
) -> None:
    clock.forward(minutes=6)
    second = await issuer.refresh(first.refresh_token, HERE)
    assert second.refresh_token != first.refresh_token
    assert (await verifier.verify(f"Bearer {second.access_token}")).roles == {Role.LEGAL}


async def test_refreshing_does_not_outlast_the_shift(
    issuer: Issuer, first: Grant, clock: Clock
) -> None:
    began, grant = clock.now, first
    for _ in range(28):
        clock.forward(minutes=25)
        grant = await issuer.refresh(grant.refresh_token, HERE)
    clock.forward(minutes=19, seconds=59)
    last = await issuer.refresh(grant.refresh_token, HERE)
    end = began + timedelta(hours=12)
    assert (last.refresh_expires_at, last.expires_at) == (end, end)
    clock.forward(seconds=1)
    assert await _refused(issuer, last.refresh_token)


async def test_a_session_that_lies_idle_for_thirty_minutes_is_over(
    issuer: Issuer, first: Grant, clock: Clock
) -> None:
    clock.forward(minutes=29, seconds=59)
    second = await issuer.refresh(first.refresh_token, HERE)
    clock.forward(minutes=30)
    assert await _refused(issuer, second.refresh_token)


async def test_how_long_a_session_lasts_is_the_operators_to_set(
    issuer: Issuer, first: Grant, clock: Clock
) -> None:
    issuer.rules = SignInRules(Limits(timedelta(minutes=10), timedelta(hours=1)))
    grant = await issuer.sign_in(Proof("legal1", PASSWORD), HERE)
    clock.forward(minutes=10)
    assert await _refused(issuer, grant.refresh_token)
    assert await _refused(issuer, first.refresh_token)


async def test_an_old_refresh_token_used_again_ends_the_whole_sign_in(
    issuer: Issuer, first: Grant, clock: Clock, database: Database
) -> None:
    other = await issuer.sign_in(Proof("legal1", PASSWORD), HERE)
    second = await issuer.refresh(first.refresh_token, HERE)
    clock.forward(seconds=6)
    assert await _refused(issuer, first.refresh_token)
    assert await _refused(issuer, second.refresh_token)
    await issuer.refresh(other.refresh_token, HERE)
    async with database.engine.connect() as connection:
        reused = select(func.count()).where(sign_in.c.outcome == "reused")
        assert (await connection.execute(reused)).scalar() == 1


async def test_a_retry_whose_answer_got_lost_is_answered(
    issuer: Issuer, first: Grant, clock: Clock
) -> None:
    lost = await issuer.refresh(first.refresh_token, HERE)
    clock.forward(seconds=4)
    again = await issuer.refresh(first.refresh_token, HERE)
    assert len({lost.refresh_token, again.refresh_token, first.refresh_token}) == 3
    clock.forward(minutes=4)
    await issuer.refresh(again.refresh_token, HERE)


async def test_racing_refreshes_all_get_a_token_of_the_same_sign_in(
    issuer: Issuer, first: Grant, clock: Clock
) -> None:
    grants = await asyncio.gather(*(issuer.refresh(first.refresh_token, HERE) for _ in range(6)))
    clock.forward(seconds=6)
    assert await _refused(issuer, first.refresh_token)
    assert all([await _refused(issuer, grant.refresh_token) for grant in grants])


@pytest.mark.parametrize("token", ["", "unknown", "令牌", "a\0b", "x" * 10_000])
async def test_an_unknown_refresh_token_is_refused(issuer: Issuer, token: str) -> None:
    assert await _refused(issuer, token)


async def test_disabling_an_account_ends_its_sessions(issuer: Issuer, first: Grant) -> None:
    await Administration(issuer, HERE).disable(SYSADMIN, "legal1")
    assert await _refused(issuer, first.refresh_token)


async def test_the_table_holds_no_usable_token_and_forgets_the_old(
    issuer: Issuer, first: Grant, clock: Clock, database: Database
) -> None:
    clock.forward(hours=13)
    grant = await issuer.sign_in(Proof("legal1", PASSWORD), HERE)
    async with database.engine.connect() as connection:
        rows = (await connection.execute(select(refresh_token))).all()
    assert len(rows) == 1
    assert grant.refresh_token not in repr(rows)
    assert first.refresh_token not in repr(rows)


async def test_refresh_over_http(client: httpx.AsyncClient, first: Grant) -> None:
    asked = {"grant_type": "refresh_token", "refresh_token": first.refresh_token}
    answer = await client.post("/token", data=asked)
    assert answer.status_code == 200
    unknown = await client.post("/token", json=asked | {"refresh_token": "unknown"})
    assert unknown.status_code == 401
