"""People with accounts, signed in over HTTP."""

import httpx

from shared.identity.roles import Role
from shared.issuer.accounts import Account
from shared.issuer.issuer import Issuer
from shared.issuer.proof import Proof
from shared.issuer.sealing import Seal
from shared.issuer.witness import Act, Attempt, LogWitness, Origin, Witness
from tests.issuer.conftest import store

HERE = Origin("192.0.2.1", "test")
PASSWORD = "Ganjing-Shui-88"
OTHER = "Lvse-Qingshan-77"
BUREAU = "500152"


class Told(LogWitness):
    """A witness that remembers."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.attempts: list[Attempt] = []

    async def administered(self, _connection: object, act: Act) -> None:
        self.acts.append(act)

    async def attempted(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)


async def have(issuer: Issuer, *people: tuple[str, Role | None], bureau: str = BUREAU) -> None:
    """Store accounts, a role each, with the password of all tests."""
    added = [
        Account(name, "某职", frozenset() if role is None else frozenset({role}), bureau)
        for name, role in people
    ]
    hashed = await issuer.passwords.hash(PASSWORD)
    await store(issuer, added, {one.account: hashed for one in added})


def another(issuer: Issuer, *, witness: Witness | None = None, seal: Seal | None = None) -> Issuer:
    """The same issuer started anew, told otherwise."""
    return Issuer(
        issuer.url,
        issuer.audience,
        issuer.engine,
        issuer.keys,
        issuer.passwords,
        seal or issuer.seal,
        witness=witness,
        now=issuer.now,
    )


async def headers(issuer: Issuer, name: str, code: str | None = None) -> dict[str, str]:
    """The headers of somebody who has just signed in."""
    grant = await issuer.sign_in(Proof(name, PASSWORD, code), HERE)
    return {"Authorization": f"Bearer {grant.access_token}"}


async def token(
    client: httpx.AsyncClient, name: str, password: str = PASSWORD, code: str | None = None
) -> httpx.Response:
    """Ask for a token over HTTP."""
    asked = {"grant_type": "password", "username": name, "password": password}
    return await client.post("/token", json=asked if code is None else {**asked, "code": code})


def problem(answer: httpx.Response) -> str:
    """The kind of problem that an answer is."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    kind: str = answer.json()["type"]
    return kind.rpartition(":")[2]
