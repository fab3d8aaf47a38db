"""Every refusal is a problem document in Chinese that says what to do, and nothing of our insides."""

from io import BytesIO
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from shared.http import problem
from shared.http.problem import Problem

GOOD = {"source": "举报", "amount": "100.00", "when": "2026-01-31T09:00:00+08:00"}
ADDRESSES = ["/v1/cases", "/v1/cases/fast"]


def reasons(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return {error["field"]: error["reason"] for error in answer.json()["errors"]}


async def test_a_refused_step_cites_its_article(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/cases/expired")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:ecocase:problem:refused-by-law",
        "title": "不符合法律规定",
        "status": 409,
        "detail": "违法行为已过追究时效",
        "field": "found_at",
        "article": {"law": "行政处罚法", "article": "36"},
        "request_id": answer.headers["x-request-id"],
    }
    assert "违法行为".encode() in answer.content


async def test_who_is_not_signed_in_is_told_how(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/cases/secret")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_an_unforeseen_error_tells_nothing(client: httpx.AsyncClient, log: BytesIO) -> None:
    answer = await client.get("/v1/cases/crash")
    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:ecocase:problem:internal"
    assert "张三" not in answer.text
    assert "RuntimeError" not in answer.text
    logged = [orjson.loads(line) for line in log.getvalue().splitlines()]
    crash = next(line for line in logged if line["event"] == "unhandled error")
    assert crash["error"] == "builtins.RuntimeError"
    assert crash["at"][-1].endswith("read_case")
    assert crash["request_id"] == answer.json()["request_id"]
    assert "张三".encode() not in log.getvalue()


async def test_a_database_out_of_reach_is_not_our_fault(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/cases/database-down")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "10.0.0.1" not in answer.text


async def test_unknown_addresses_and_methods(client: httpx.AsyncClient) -> None:
    missing = await client.get("/nothing")
    assert (missing.status_code, missing.json()["title"]) == (404, "未找到")
    wrong = await client.put("/v1/cases/1")
    assert (wrong.status_code, wrong.json()["title"]) == (405, "不支持这种请求方法")
    assert wrong.headers["allow"] == "GET"


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_good_filing_passes(client: httpx.AsyncClient, address: str) -> None:
    answer = await client.post(address, json=GOOD)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    "change,field,reason",
    [
        ({"source": "电话"}, "source", "只能是：巡查、举报"),
        ({"amount": "0"}, "amount", "应大于 0"),
        ({"amount": "1.005"}, "amount", "最多 2 位小数"),
        ({"amount": "一百"}, "amount", "应为数字"),
        ({"when": "昨天"}, "when", "应为时间，例如 2026-01-31T09:00:00+08:00"),
        ({"when": "2026-01-31T09:00:00"}, "when", "应带时区，例如 +08:00"),
        ({"when": "1970-01-31T09:00:00Z"}, "when", "早于《环境保护法（试行）》施行"),
        ({"when": None}, "when", "应为时间，例如 2026-01-31T09:00:00+08:00"),
        ({"points": "三"}, "points", "应为整数"),
        ({"parties": {}}, "parties", "应为列表"),
        ({"parties": [{"name": "某"}]}, "parties[0].name", "至少 2 个字"),
        ({"parties": [{"name": "某某"}, {}]}, "parties[1].name", "必填"),
        ({"parties": [{"name": "某" * 11}]}, "parties[0].name", "最多 10 个字"),
        ({"parties": [{"name": 7}]}, "parties[0].name", "应为文字"),
        ({"parties": [1]}, "parties[0]", "应为 JSON 对象"),
        ({"color": "红"}, "color", "没有这个字段"),
    ],
)
async def test_each_fault_is_named_by_field_and_reason(
    client: httpx.AsyncClient, address: str, change: dict[str, Any], field: str, reason: str
) -> None:
    answer = await client.post(address, json=GOOD | change)
    assert reasons(answer) == {field: reason}
    assert answer.json()["field"] == field


async def test_every_fault_is_listed(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/cases", json={})
    assert reasons(answer) == {"source": "必填", "amount": "必填", "when": "必填"}


async def test_query_parameters_too(client: httpx.AsyncClient) -> None:
    assert reasons(await client.get("/v1/cases?limit=51")) == {"limit": "不得大于 50"}
    assert reasons(await client.get("/v1/cases?limit=x")) == {"limit": "应为整数"}


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("body", [b"{", b"", b"nonsense", b'{"source":}'])
async def test_broken_json_is_no_server_error(
    client: httpx.AsyncClient, address: str, body: bytes
) -> None:
    answer = await client.post(address, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert "JSON" in answer.json()["errors"][0]["reason"] or body == b""


async def test_openapi_describes_the_problems(app: FastAPI, client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    answers = document["paths"]["/v1/cases"]["post"]["responses"]
    assert set(answers) == {
        "200",
        "400",
        "401",
        "403",
        "404",
        "409",
        "413",
        "415",
        "422",
        "429",
        "503",
    }
    schema = answers["409"]["content"]["application/problem+json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/ProblemDocument"}
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert "type" in document["components"]["schemas"]["ProblemDocument"]["required"]
    assert app.docs_url is None


def test_every_problem_has_its_own_type() -> None:
    kinds = [
        kind
        for kind in vars(problem).values()
        if isinstance(kind, type) and issubclass(kind, Problem)
    ]
    assert len({kind().type for kind in kinds}) == len(kinds) > 15
    assert {kind.status for kind in kinds} == {400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429, 500, 503}  # fmt: skip
