"""The caller in a handler, over HTTP."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import Request

from shared.http.app import ServiceApp, create_app
from shared.identity.dependency import CurrentCaller, authenticate
from tests.identity.issuer_double import bearer, verifier


def _app() -> ServiceApp:
    app = create_app(service="test", title="试验", description="", version="1")
    app.state.verifier = verifier()

    @app.get("/declared")
    async def declared(caller: CurrentCaller) -> list[str | None]:
        return [caller.account, caller.on_behalf_of]

    @app.get("/hot")
    async def hot(request: Request) -> list[str | None]:
        caller = await authenticate(request)
        return [caller.account, caller.on_behalf_of]

    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.mark.parametrize("path", ["/declared", "/hot"])
async def test_a_handler_is_given_the_caller(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"Authorization": bearer()})
    assert answer.json() == ["officer1", None]
    imported = {"Authorization": bearer({"roles": ["导入"]}), "Ecocase-Actor": "legal1"}
    assert (await client.get(path, headers=imported)).json() == ["legal1", "officer1"]


@pytest.mark.parametrize("path", ["/declared", "/hot"])
async def test_refusals_are_problem_details(client: httpx.AsyncClient, path: str) -> None:
    nobody = await client.get(path)
    assert nobody.status_code == 401
    assert nobody.headers["www-authenticate"].startswith("Bearer")
    assert nobody.headers["content-type"] == "application/problem+json"
    named = {"Authorization": bearer(), "Ecocase-Actor": "legal1"}
    assert (await client.get(path, headers=named)).status_code == 403


async def test_openapi_declares_the_token_and_the_actor(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()
    operation = described["paths"]["/declared"]["get"]
    assert operation["security"]
    assert [parameter["name"] for parameter in operation["parameters"]] == ["Ecocase-Actor"]
