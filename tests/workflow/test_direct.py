"""A command is answered directly, and just so where it comes by way of the framework."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from services.cases import app as cases
from services.cases.examples import PENALTY_CASE
from shared.http.middleware import ObservedApp
from shared.workflow.router import Commands
from tests.service_double import Service, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from tests.postgres_fixture import MakeFresh

SAME_HEADERS = ("content-type", "content-length", "etag", "idempotent-replayed")


@pytest.fixture
async def service(fresh_database: MakeFresh) -> AsyncIterator[Service]:
    async with running(cases, fresh_database) as service:
        yield service


def app_of(service: Service) -> ObservedApp:
    app: Any = service.http._transport.app  # type: ignore[attr-defined]
    assert isinstance(app, ObservedApp)
    return app


async def said(service: Service) -> list[tuple[int, dict[str, Any], dict[str, str | None]]]:
    """What a case's first steps, a retry and several refusals are answered."""
    opened = await service.post("/penalties", "officer1", PENALTY_CASE["register"], key="open")
    case = opened.json()["id"]
    steps = [
        opened,
        await service.post("/penalties", "officer1", PENALTY_CASE["register"], key="open"),
        await service.post(f"/penalties/{case}/examine", "officer1", PENALTY_CASE["examine"]),
        await service.post(f"/penalties/{case}/examine", "officer1", PENALTY_CASE["examine"]),
        await service.post(f"/penalties/{case}/examine", "officer1", {"no-such": "field"}),
        await service.post(f"/penalties/{case}/file", "officer1", PENALTY_CASE["file"]),
        await service.post("/penalties/nobody/file", "leader1", PENALTY_CASE["file"]),
        await service.post(f"/penalties/{case}/fly", "leader1"),
        await service.http.post("/penalties", content=b"{"),
        await service.http.get(f"/penalties/{case}/file"),
    ]
    return [_said(answer) for answer in steps]


def _said(answer: httpx.Response) -> tuple[int, dict[str, Any], dict[str, str | None]]:
    own = ("id", "event_id", "request_id", "occurred_at", "recorded_at")
    document = {name: value for name, value in answer.json().items() if name not in own}
    assert len(answer.headers.get_list("x-request-id")) == 1
    return answer.status_code, document, {name: answer.headers.get(name) for name in SAME_HEADERS}


async def test_it_is_answered_alike_by_either_way(
    service: Service, fresh_database: MakeFresh
) -> None:
    directly = await said(service)
    async with running(cases, fresh_database) as other:
        app_of(other).find = None
        by_framework = await said(other)
    assert [status for status, _, _ in directly] == [
        *(201, 201, 200, 409, 422, 403, 404, 404, 401, 405),
    ]
    assert directly == by_framework


async def test_every_command_is_found_by_its_path_and_nothing_else(service: Service) -> None:
    find = app_of(service).find
    assert find is not None
    commands = find.__self__  # type: ignore[attr-defined]
    assert isinstance(commands, Commands)
    routes = [
        path
        for path, item in app_of(service).openapi()["paths"].items()
        if "Idempotency-Key" in str(item.get("post", {}).get("parameters"))
    ]
    assert len(routes) > 20
    for route in routes:
        found = find("POST", route.replace("{id}", "some-id"))
        assert found is not None
        assert found[0].route == route
        assert found[1] == ("some-id" if "{id}" in route else None)
        assert find("GET", route) is None
        assert find("POST", f"{route}/") is None
    assert find("POST", "/") is None
