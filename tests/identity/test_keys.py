"""An issuer's keys over HTTP: fetched once, again for a new key, and never in a flood."""

import asyncio

import httpx
import pytest

from shared.http.problem import Unauthenticated, Unavailable
from shared.identity.keys import HttpKeys
from shared.identity.tokens import TokenVerifier, TrustedIssuer
from tests.identity.issuer_double import AUDIENCE, ISSUER, KEYS, NOW, bearer, public_set


class _Issuer:
    """Serves `published`; `down` makes it fail."""

    def __init__(self) -> None:
        self.published = public_set(KEYS["Ed25519"])
        self.down = False
        self.fetched = 0
        self.time = 0.0
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._serve))
        self.keys = HttpKeys(f"{ISSUER}/jwks", client, clock=lambda: self.time)
        self.verifier = TokenVerifier([TrustedIssuer(ISSUER, AUDIENCE, self.keys)], now=lambda: NOW)

    def _serve(self, _request: httpx.Request) -> httpx.Response:
        self.fetched += 1
        return httpx.Response(502) if self.down else httpx.Response(200, json=self.published)


@pytest.fixture
def issuer() -> _Issuer:
    return _Issuer()


async def test_keys_are_fetched_once_for_many_tokens_at_the_same_time(issuer: _Issuer) -> None:
    tokens = [bearer({"jti": str(number)}) for number in range(5)]
    await asyncio.gather(*map(issuer.verifier.verify, tokens))
    assert issuer.fetched == 1


async def test_a_new_key_is_found_without_a_restart(issuer: _Issuer) -> None:
    await issuer.verifier.verify(bearer())
    issuer.published = public_set(KEYS["Ed25519"], KEYS["ES256"])
    issuer.time += 11
    assert (await issuer.verifier.verify(bearer(alg="ES256"))).account == "officer1"
    assert issuer.fetched == 2


async def test_forged_key_names_do_not_flood_the_issuer(issuer: _Issuer) -> None:
    await issuer.verifier.verify(bearer())
    for number in range(20):
        with pytest.raises(Unauthenticated):
            await issuer.verifier.verify(bearer(kid=f"forged-{number}"))
    assert issuer.fetched == 1
    issuer.time += 11
    for number in range(20):
        with pytest.raises(Unauthenticated):
            await issuer.verifier.verify(bearer(kid=f"forged-{number}"))
    assert issuer.fetched == 2


async def test_a_withdrawn_key_stops_counting(issuer: _Issuer) -> None:
    kid = str(KEYS["Ed25519"].kid)
    assert await issuer.keys.key(kid) is not None
    issuer.published = public_set(KEYS["ES256"])
    issuer.time += 601
    assert await issuer.keys.key(kid) is None


async def test_known_keys_serve_for_an_hour_while_the_issuer_is_down(issuer: _Issuer) -> None:
    kid = str(KEYS["Ed25519"].kid)
    await issuer.keys.key(kid)
    issuer.down = True
    issuer.time += 3599
    assert await issuer.keys.key(kid) is not None
    issuer.time += 1
    with pytest.raises(Unavailable):
        await issuer.keys.key(kid)


async def test_an_issuer_that_never_answered_means_unavailable_not_unauthenticated(
    issuer: _Issuer,
) -> None:
    issuer.down = True
    for _ in range(3):
        with pytest.raises(Unavailable) as refused:
            await issuer.verifier.verify(bearer())
    assert refused.value.headers["Retry-After"] == "10"
    assert issuer.fetched == 1


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b"null", b'{"keys": 7}', b'{"keys": null}', b"<html>"]
)
async def test_an_answer_that_is_no_key_set_means_unavailable(answer: bytes) -> None:
    client = httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _request: httpx.Response(200, content=answer))
    )
    with pytest.raises(Unavailable):
        await HttpKeys(f"{ISSUER}/jwks", client).key("any")
