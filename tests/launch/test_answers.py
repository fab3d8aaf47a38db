"""What the running platform answers to requests that are not quite the usual ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import orjson
import pytest

from services.cases.examples import PENALTY_CASE

if TYPE_CHECKING:
    from tests.platform_process import Platform

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "path", ["/", "/livez", "/metrics", "/docs", "/cases/penalties", "/reporting/figures/2024"]
)
def test_head_answers_as_get_without_the_content(platform: Platform, path: str) -> None:
    client = platform.signed_in("supervisor1")
    with_content, without = client.get(path), client.head(path)
    assert (without.status_code, without.content) == (200, b"")
    assert without.headers["content-type"] == with_content.headers["content-type"]


def test_head_of_a_stream_ends(platform: Platform) -> None:
    answer = platform.signed_in("supervisor1").head("/reporting/stream")
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_head_is_refused_where_get_is(platform: Platform) -> None:
    client = platform.signed_in("supervisor1")
    assert client.head("/reporting/rebuild").status_code == 405
    assert httpx.head(f"{platform.url}/cases/penalties", trust_env=False).status_code == 401


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "image/json"])
def test_a_body_that_is_said_not_to_be_json_is_refused(platform: Platform, kind: str) -> None:
    client = platform.signed_in("officer1")
    body = orjson.dumps({"occurred_at": "2024-03-01", "data": PENALTY_CASE["register"]})
    headers = {"content-type": kind, "idempotency-key": f"as {kind}"}
    for path, content in (("/cases/penalties", body), ("/reporting/applied", b"[]")):
        refused = client.post(path, content=content, headers=headers)
        assert refused.status_code == 415, refused.text
        assert "application/json" in refused.json()["detail"]
    headers["content-type"] = "application/json; charset=utf-8"
    assert client.post("/cases/penalties", content=body, headers=headers).status_code == 201


def test_a_sign_in_is_json_or_a_form(platform: Platform) -> None:
    refused = httpx.post(
        f"{platform.url}/identity/token",
        content=b"{}",
        headers={"content-type": "text/xml"},
        trust_env=False,
    )
    assert refused.status_code == 415


def test_days_the_wrong_way_round_are_refused(platform: Platform) -> None:
    asked = {"measure": "filed", "from": "2024-02-01", "to": "2024-01-31"}
    refused = platform.signed_in("supervisor1").get("/reporting/metrics", params=asked)
    assert (refused.status_code, refused.json()["field"]) == (422, "from")


def test_nobody_writes_where_they_come_from(platform: Platform) -> None:
    refused = httpx.post(
        f"{platform.url}/identity/token",
        json={"grant_type": "password", "username": "nobody1", "password": "wrong"},
        headers={"x-forwarded-for": "192.0.2.99"},
        trust_env=False,
    )
    assert refused.status_code == 401
    found = platform.run("audit", "search", "--kind", "sign-in", "--outcome", "refused")
    assert "127.0.0.1" in found.stdout
    assert "192.0.2.99" not in found.stdout
