"""What is done for every request: id, trace, limit, log, metrics, health, docs."""

import logging
from collections.abc import AsyncIterator
from decimal import Decimal
from io import BytesIO
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY

from shared.http.app import Json, create_app
from shared.http.docs_page import mount_docs
from shared.http.health import NotReady, health_router
from shared.http.metrics import metrics_page
from shared.http.trace import begin_trace, current_trace

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def caller(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ecocase.test")


def lines(log: BytesIO) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.parametrize(
    "sent",
    ["7f9c2ba4e88f827d", "mobile-2026.11.23_a"],
)
async def test_a_request_id_is_echoed_when_it_looks_like_one(
    client: httpx.AsyncClient, sent: str
) -> None:
    answer = await client.get("/v1/cases", headers={"x-request-id": sent})
    assert answer.headers["x-request-id"] == sent


@pytest.mark.parametrize(
    "sent", ["short", "13800000000", "50010519491231002X", "a" * 65, "line\tbreak-id"]
)
async def test_a_request_id_that_may_be_a_person_is_replaced(
    client: httpx.AsyncClient, sent: str
) -> None:
    answer = await client.get("/v1/cases", headers={"x-request-id": sent})
    assert answer.headers["x-request-id"] not in {sent, ""}


def test_a_trace_is_continued_under_a_span_of_ours() -> None:
    trace = begin_trace(None, PARENT)
    assert current_trace() == trace
    assert trace.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert trace.span_id != "b7ad6b7169203331"
    assert trace.traceparent == f"00-{trace.trace_id}-{trace.span_id}-01"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "nonsense",
        PARENT.upper(),
        PARENT + "-more",
        "ff" + PARENT[2:],
        PARENT.replace("b7ad6b7169203331", "0" * 16),
        PARENT.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
    ],
)
def test_an_unusable_trace_is_replaced(header: str | None) -> None:
    trace = begin_trace(None, header)
    assert trace.trace_id not in PARENT
    assert int(trace.trace_id, 16) > 0


def test_a_later_version_of_the_header_is_read() -> None:
    assert begin_trace(None, "01" + PARENT[2:] + "-more").trace_id in PARENT


async def test_a_body_beyond_the_limit_is_refused(client: httpx.AsyncClient) -> None:
    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b'"' + b"a" * 400

    headers = {"content-type": "application/json"}
    for address in ("/v1/cases", "/v1/cases/fast"):
        for body in (b'"' + b"a" * 1200, unannounced()):
            answer = await client.post(address, content=body, headers=headers)
            assert answer.status_code == 413, answer.text
            assert answer.json()["detail"] == "最多 1000 字节"
            assert answer.headers["content-type"] == "application/problem+json"


async def test_an_upload_may_be_larger(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "image/jpeg"}
    taken = await client.post("/v1/cases/evidence", content=b"\0" * 4000, headers=headers)
    assert taken.json() == {"size": 4000}
    refused = await client.post("/v1/cases/evidence", content=b"\0" * 4001, headers=headers)
    assert refused.status_code == 413


async def test_the_log_names_the_route_and_nothing_of_the_person(
    client: httpx.AsyncClient, log: BytesIO
) -> None:
    await client.get("/v1/cases/张三?q=13800000000", headers={"traceparent": PARENT})
    await client.get("/李四")
    found, missing = lines(log)
    assert found["event"] == "request"
    assert (found["service"], found["method"], found["status"]) == ("cases", "GET", 200)
    assert found["route"] == "/v1/cases/{number}"
    assert found["trace_id"] in PARENT
    assert missing["route"] == "unmatched"
    for planted in ("张三", "13800000000", "李四", "%E5"):
        assert planted.encode() not in log.getvalue()


async def test_standard_library_logs_are_json_too(log: BytesIO) -> None:
    logging.getLogger("uvicorn.error").error(
        "Exception in ASGI application", exc_info=KeyError("张三")
    )
    (line,) = lines(log)
    assert line["error"] == "builtins.KeyError"
    assert line["level"] == "error"
    assert "张三" not in str(line)


async def test_requests_are_counted_by_route(app: FastAPI, client: httpx.AsyncClient) -> None:
    def counted(route: str) -> float:
        labels = {"service": "cases", "method": "GET", "route": route, "status": "200"}
        return REGISTRY.get_sample_value("ecocase_http_request_seconds_count", labels) or 0

    app.add_api_route("/metrics", metrics_page, include_in_schema=False)
    before = counted("/v1/cases/{number}")
    await client.get("/v1/cases/1")
    await client.get("/v1/cases/2")
    assert counted("/v1/cases/{number}") == before + 2
    text = (await client.get("/metrics")).text
    assert 'route="/v1/cases/{number}"' in text


async def test_ready_only_when_every_check_passes() -> None:
    broken: list[Exception] = []

    async def database() -> None:
        for error in broken:
            raise error

    async def relay() -> None:
        return

    app = create_app(service="cases", title="案件", description="", version="1")
    app.include_router(health_router({"数据库": database, "消息中继": relay}))
    async with caller(app) as client:
        assert (await client.get("/livez")).status_code == 200
        assert (await client.get("/readyz")).json() == {"数据库": "正常", "消息中继": "正常"}
        broken.append(NotReady("排序规则为 C"))
        named = await client.get("/readyz")
        assert named.status_code == 503
        assert named.json()["errors"] == [{"field": "数据库", "reason": "排序规则为 C"}]
        assert "retry-after" in named.headers
        broken[:] = [OSError("password=secret")]
        unnamed = await client.get("/readyz")
        assert unnamed.json()["errors"] == [{"field": "数据库", "reason": "检查未通过"}]
        assert (await client.get("/livez")).status_code == 200


async def test_the_docs_page_needs_no_other_host(app: FastAPI) -> None:
    parent = create_app(service="platform", title="平台", description="", version="1")
    parent.mount("/api/cases", app)
    mount_docs(
        parent, {"案件": "/api/cases/openapi.json", "<信访>": "/api/complaints/openapi.json"}
    )
    async with caller(parent) as client:
        page = await client.get("/docs?service=1")
        assert 'data-spec="/api/complaints/openapi.json"' in page.text
        assert "&lt;信访&gt;" in page.text
        assert "://" not in page.text
        assert "://" not in page.headers["content-security-policy"]
        assert 'data-spec="/api/cases/openapi.json"' in (await client.get("/docs")).text
        for file in (
            "swagger-ui/swagger-ui-bundle.js",
            "swagger-ui/swagger-ui.css",
            "static/docs.js",
        ):
            assert f"docs/{file}" in page.text
            assert (await client.get(f"/docs/{file}")).status_code == 200
        assert (await client.get("/api/cases/openapi.json")).json()["info"]["title"] == "案件"


def test_json_answers_are_utf_8_and_exact() -> None:
    assert Json({"罚款": Decimal("100.10")}).body == '{"罚款":"100.10"}'.encode()
    with pytest.raises(TypeError):
        Json({"what": object()})
