"""A session that has ended is out in every service, access tokens already given included."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import uvicorn

from shared.audit.log import AuditLog
from shared.http.problem import Unauthenticated, Unavailable
from shared.identity.keys import HttpKeys
from shared.identity.revocations import (
    KEPT_SECONDS,
    POLL_SECONDS,
    TRUSTED_SECONDS,
    HttpEndedSessions,
    Revocations,
)
from shared.identity.roles import Role
from shared.identity.tokens import LEEWAY, TokenVerifier, TrustedIssuer
from shared.issuer.administration import Administration
from shared.issuer.app import create_app
from shared.issuer.issuer import ACCESS_LIFETIME, Issuer
from shared.issuer.own_account import OwnAccount
from shared.issuer.proof import Proof
from shared.postgres.database import Database
from tests.issuer.conftest import SECADMIN, SYSADMIN, Clock
from tests.issuer.people import HERE, OTHER, PASSWORD, another, have, headers
from tests.waiting import until


class Line(httpx.AsyncHTTPTransport):
    """The network, which may be cut."""

    cut = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("cut", request=request)
        return await super().handle_async_request(request)


class Service:
    """A service in another process's place: it knows the issuer by HTTP alone."""

    def __init__(self, issuer: Issuer, url: str, clock: Clock) -> None:
        self.time = 0.0
        self.line = Line()
        client = httpx.AsyncClient(transport=self.line)
        self.client = client
        self.revocations = Revocations(
            HttpEndedSessions(f"{url}/revocations", client), clock=lambda: self.time
        )
        keys = HttpKeys(f"{url}/jwks.json", client)
        trusted = TrustedIssuer(issuer.url, "ecocase", keys, revocations=self.revocations)
        self.verifier = TokenVerifier([trusted], now=clock.timestamp)

    async def lets_in(self, signed: dict[str, str]) -> bool:
        """Whether a request with these headers is let in."""
        try:
            await self.verifier.verify(signed["Authorization"])
        except Unauthenticated:
            return False
        return True


@pytest.fixture
async def url(database: Database, issuer: Issuer, verifier: TokenVerifier) -> AsyncIterator[str]:
    """The issuer, served over a real socket."""
    async with AuditLog(database) as audit:
        app = create_app(issuer, verifier, audit=audit, version="1")
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            try:
                yield f"http://127.0.0.1:{listening.getsockname()[1]}"
            finally:
                server.should_exit = True
                await serving


@pytest.fixture
async def service(issuer: Issuer, url: str, clock: Clock) -> AsyncIterator[Service]:
    service = Service(issuer, url, clock)
    async with service.client:
        assert await service.revocations.refresh()
        yield service


@pytest.fixture(autouse=True)
async def people(issuer: Issuer) -> None:
    await have(issuer, ("legal1", Role.LEGAL), ("leader1", Role.LEADER))


async def _roles(issuer: Issuer) -> None:
    await Administration(issuer, HERE).set_roles(SECADMIN, "legal1", frozenset({Role.WINDOW}))


async def _disable(issuer: Issuer) -> None:
    await Administration(issuer, HERE).disable(SYSADMIN, "legal1")


async def _reset(issuer: Issuer) -> None:
    await Administration(issuer, HERE).reset_password(SECADMIN, "legal1")


async def _end(issuer: Issuer) -> None:
    assert await Administration(issuer, HERE).end_sessions(SECADMIN, "legal1") == 1


async def _change(issuer: Issuer) -> None:
    await OwnAccount(issuer).change_password(Proof("legal1", PASSWORD), OTHER, HERE)


@pytest.mark.parametrize("act", [_roles, _disable, _reset, _end, _change])
async def test_what_ends_a_session_ends_its_access_token_everywhere(
    issuer: Issuer,
    verifier: TokenVerifier,
    service: Service,
    act: Callable[[Issuer], Awaitable[None]],
) -> None:
    signed, others = await headers(issuer, "legal1"), await headers(issuer, "leader1")
    assert await service.lets_in(signed)
    assert await service.lets_in(others)
    await verifier.verify(signed["Authorization"])
    await act(issuer)
    with pytest.raises(Unauthenticated, match="终止"):  # at once in the issuer's own process
        await verifier.verify(signed["Authorization"])
    assert await service.revocations.refresh()  # the next poll elsewhere
    assert not await service.lets_in(signed)
    assert await service.lets_in(others)


async def test_a_new_sign_in_counts_in_the_very_second_the_old_one_ended(
    issuer: Issuer, service: Service
) -> None:
    await _roles(issuer)
    signed = await headers(issuer, "legal1")
    await service.revocations.refresh()
    assert await service.lets_in(signed)
    caller = await service.verifier.verify(signed["Authorization"])
    assert caller.roles == {Role.WINDOW}


async def test_a_reused_refresh_token_ends_the_access_token_too(
    issuer: Issuer, service: Service, clock: Clock
) -> None:
    stolen = await issuer.sign_in(Proof("legal1", PASSWORD), HERE)
    second = await issuer.refresh(stolen.refresh_token, HERE)
    clock.forward(seconds=6)
    with pytest.raises(Unauthenticated):
        await issuer.refresh(stolen.refresh_token, HERE)
    await service.revocations.refresh()
    assert not await service.lets_in({"Authorization": f"Bearer {second.access_token}"})


async def test_polling_and_trust_keep_a_disabled_account_out_within_a_minute() -> None:
    slowest_answer = 5.0
    assert POLL_SECONDS + slowest_answer < TRUSTED_SECONDS < 60
    assert ACCESS_LIFETIME.total_seconds() + LEEWAY < KEPT_SECONDS


async def test_a_service_that_cannot_read_the_list_trusts_nobody_after_45_seconds(
    issuer: Issuer, service: Service, clock: Clock
) -> None:
    signed = await headers(issuer, "legal1")
    assert await service.lets_in(signed)
    service.line.cut = True
    service.time += TRUSTED_SECONDS - 1
    assert not await service.revocations.refresh()
    assert await service.lets_in(signed)
    service.time += 1
    clock.forward(seconds=TRUSTED_SECONDS)
    with pytest.raises(Unavailable):
        await service.verifier.verify(signed["Authorization"])
    service.line.cut = False
    assert await service.revocations.refresh()
    assert await service.lets_in(signed)


async def test_a_service_that_never_read_the_list_trusts_nobody(
    issuer: Issuer, url: str, clock: Clock
) -> None:
    service = Service(issuer, url, clock)
    async with service.client:
        signed = await headers(issuer, "legal1")
        with pytest.raises(Unavailable):
            await service.verifier.verify(signed["Authorization"])


async def test_a_restarted_issuer_still_knows_who_is_out(issuer: Issuer, clock: Clock) -> None:
    signed = await headers(issuer, "legal1")
    await _disable(issuer)
    again = another(issuer)
    verifier = TokenVerifier([again.trusted()], now=clock.timestamp)
    await again.revocations.refresh()
    with pytest.raises(Unauthenticated):
        await verifier.verify(signed["Authorization"])


async def test_following_reads_again_and_again(issuer: Issuer, service: Service) -> None:
    following = asyncio.create_task(service.revocations.follow())
    signed = await headers(issuer, "legal1")
    await _disable(issuer)

    async def out() -> bool:
        return not await service.lets_in(signed)

    try:
        await service.revocations.refresh()
        await until(out, "the session is known to have ended")
    finally:
        following.cancel()


async def test_the_list_names_no_account_and_forgets(issuer: Issuer, url: str) -> None:
    await headers(issuer, "legal1")
    await _disable(issuer)
    async with httpx.AsyncClient(trust_env=False) as client:
        told = (await client.get(f"{url}/revocations")).text
        assert len((await client.get(f"{url}/revocations")).json()["ended"]) == 1
    assert "legal1" not in told
    aged = Revocations(_one, clock=lambda: time[0])
    time = [0.0]
    await aged.refresh()
    assert aged.ended() == ["one"]
    time[0] = KEPT_SECONDS
    assert aged.ended() == []


async def test_a_token_without_a_session_is_refused_where_sessions_can_end(
    issuer: Issuer, verifier: TokenVerifier, clock: Clock
) -> None:
    now = int(clock.timestamp())
    claims = {"iss": issuer.url, "sub": "legal1", "aud": "ecocase", "exp": now + 60}
    bare = issuer.keys.sign({**claims, "roles": ["legal"], "bureau": "500152"})
    with pytest.raises(Unauthenticated):
        await verifier.verify(f"Bearer {bare}")
    named = issuer.keys.sign({**claims, "roles": ["legal"], "bureau": "500152", "sid": "s"})
    assert (await verifier.verify(f"Bearer {named}")).session == "s"


async def _one() -> list[str]:
    return ["one"]
