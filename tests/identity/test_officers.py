"""Certificates: asked for over HTTP and remembered for a minute."""

from collections.abc import Mapping, Sequence
from datetime import date

import httpx
import pytest

from shared.http.problem import Unavailable
from shared.identity.credential import PasswordCredential
from shared.identity.officers import CachedOfficerDirectory, Certificate, HttpOfficerDirectory

CERTIFICATE = Certificate("officer1", "500152-0001", date(2020, 1, 1), date(2035, 12, 31))


def test_a_certificate_is_valid_on_its_first_and_last_day() -> None:
    days = [date(2019, 12, 31), date(2020, 1, 1), date(2035, 12, 31), date(2036, 1, 1)]
    assert [CERTIFICATE.valid_on(day) for day in days] == [False, True, True, False]


class _Counted:
    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    async def certificates(
        self, accounts: Sequence[str], bureau: str
    ) -> Mapping[str, tuple[Certificate, ...]]:
        self.asked.append((bureau, *accounts))
        return {"officer1": (CERTIFICATE,)} if "officer1" in accounts else {}


async def test_answers_are_remembered_for_a_minute_by_account_and_bureau() -> None:
    counted, clock = _Counted(), [0.0]
    cached = CachedOfficerDirectory(counted, clock=lambda: clock[0])
    assert await cached.certificates(["officer1", "legal1"], "500152") == {
        "officer1": (CERTIFICATE,),
        "legal1": (),
    }
    clock[0] = 59
    await cached.certificates(["legal1", "officer1", "officer2"], "500152")
    await cached.certificates(["legal1"], "500151")
    clock[0] = 60
    await cached.certificates(["officer1"], "500152")
    assert counted.asked == [
        ("500152", "officer1", "legal1"),
        ("500152", "officer2"),
        ("500151", "legal1"),
        ("500152", "officer1"),
    ]


async def test_what_is_remembered_stays_bounded() -> None:
    counted = _Counted()
    cached = CachedOfficerDirectory(counted, size=2, clock=lambda: 0)
    found = await cached.certificates(["officer1", "b", "c"], "500152")
    assert list(found) == ["officer1", "b", "c"]
    await cached.certificates(["b", "c"], "500152")
    await cached.certificates(["officer1"], "500152")
    assert len(counted.asked) == 2


async def _token() -> str:
    return "the-token"


async def test_the_directory_is_asked_over_http_with_a_token() -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer the-token"
        assert dict(request.url.params) == {"accounts": "officer1,legal1", "bureau": "500152"}
        one = {
            "account": "officer1",
            "number": "500152-0001",
            "valid_from": "2020-01-01",
            "valid_to": "2035-12-31",
        }
        return httpx.Response(200, json={"certificates": [one]})

    async with httpx.AsyncClient(transport=httpx.MockTransport(serve)) as client:
        directory = HttpOfficerDirectory("http://issuer.test/officers", client, _token)
        found = await directory.certificates(["officer1", "legal1"], "500152")
    assert found == {"officer1": (CERTIFICATE,), "legal1": ()}


@pytest.mark.parametrize("status, content", [(500, b""), (401, b"{}"), (200, b"{}"), (200, b"<p>")])
async def test_a_directory_that_gives_no_usable_answer_is_unavailable(
    status: int, content: bytes
) -> None:
    transport = httpx.MockTransport(lambda _request: httpx.Response(status, content=content))
    async with httpx.AsyncClient(transport=transport) as client:
        directory = HttpOfficerDirectory("http://issuer.test/officers", client, _token)
        with pytest.raises(Unavailable):
            await directory.certificates(["officer1"], "500152")


class _TokenEndpoint:
    """Counts grants; `refuse` names the grant type it answers with 401."""

    def __init__(self) -> None:
        self.granted: list[str] = []
        self.refuse = ""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        form = dict(httpx.QueryParams(request.content.decode()))
        if form["grant_type"] == self.refuse:
            return httpx.Response(401)
        self.granted.append(form["grant_type"])
        number = len(self.granted)
        return httpx.Response(
            200,
            json={"access_token": f"t{number}", "expires_in": 300, "refresh_token": f"r{number}"},
        )


async def test_a_programs_token_is_renewed_before_it_expires_and_after_the_session_ended() -> None:
    endpoint, clock = _TokenEndpoint(), [0.0]
    async with httpx.AsyncClient(transport=httpx.MockTransport(endpoint)) as client:
        credential = PasswordCredential(
            "http://issuer.test/token", "importer1", "secret", client, clock=lambda: clock[0]
        )
        tokens = [await credential.access_token()]
        clock[0] = 269
        tokens.append(await credential.access_token())
        clock[0] = 270
        tokens.append(await credential.access_token())
        clock[0], endpoint.refuse = 600, "refresh_token"
        tokens.append(await credential.access_token())
        clock[0], endpoint.granted = 900, []
        endpoint.refuse = "password"
        assert tokens == ["t1", "t1", "t2", "t3"]
        assert await credential.access_token() == "t1"
        assert endpoint.granted == ["refresh_token"]


async def test_a_program_that_may_not_sign_in_is_told_so() -> None:
    endpoint = _TokenEndpoint()
    endpoint.refuse = "password"
    async with httpx.AsyncClient(transport=httpx.MockTransport(endpoint)) as client:
        credential = PasswordCredential("http://issuer.test/token", "importer1", "x", client)
        with pytest.raises(Unavailable):
            await credential.access_token()
