"""What PostgreSQL cannot store is refused at the door, whichever way the body is read."""

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.problem import InvalidInput
from shared.http.storable import refuse_unstorable

ADDRESSES = ["/v1/cases", "/v1/cases/fast"]
HEAD = '"source":"举报","amount":"100","when":"2026-01-31T09:00:00+08:00"'
NAMED = {"content-type": "application/json"}


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    "rest,field",
    [
        (r'"parties":[{"name":"某\u0000某"}]', "parties[0].name"),
        (r'"parties":[{"name":"某\ud800某"}]', "parties[0].name"),
        (r'"remarks":{"a":["\u0000"]}', "remarks.a[0]"),
        (r'"remarks":{"\u0000":1}', "remarks"),
        (r'"remarks":{"\udfff":"\udfff"}', "remarks"),
        ('"points":9223372036854775808', "points"),
        ('"points":-9223372036854775809', "points"),
        ('"points":1e30', "points"),
        ('"remarks":{"a":123456789012345678901}', "remarks.a"),
        ('"remarks":{"a":NaN}', "remarks.a"),
        ('"remarks":{"a":-Infinity}', "remarks.a"),
        ('"remarks":{"a":1e400}', "remarks.a"),
    ],
)
async def test_it_is_refused_by_its_path(
    client: httpx.AsyncClient, address: str, rest: str, field: str
) -> None:
    body = "{" + HEAD + "," + rest + "}"
    answer = await client.post(address, content=body, headers=NAMED)
    assert answer.status_code == 422, answer.text
    assert answer.json()["field"] == field


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    "body",
    [
        ("{" + HEAD + "}").encode("utf-16"),
        ("{" + HEAD + r',"remarks":{"a":"\u0000"}}').encode("utf-16-le"),
        ("{" + HEAD + "}").encode("gb18030"),
        b'{"remarks":' + b"[" * 480 + b"]" * 480 + b"}",
        b'{"points":' + b"[" * 480 + b"12345678901234567890" + b"]" * 480 + b"}",
        b'{"points":' + b"9" * 900 + b"}",
    ],
    ids=["utf-16", "utf-16 NUL", "gb18030", "deep", "deep and large", "long number"],
)
async def test_odd_documents_are_no_server_error(
    client: httpx.AsyncClient, address: str, body: bytes
) -> None:
    answer = await client.post(address, content=body, headers=NAMED)
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("url", ["/v1/cases/a%00b", "/v1/cases?limit=1&q=%00"])
async def test_no_nul_in_an_address(client: httpx.AsyncClient, url: str) -> None:
    answer = await client.get(url)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["reason"] == "含有无法保存的字符"


@pytest.mark.parametrize(
    "body",
    [
        r'{"a":"\\u0000 written out"}',
        r'{"a":"\ud83d\ude00"}',
        '{"a":9223372036854775807,"b":-9223372036854775808}',
        '{"a":0.1234567890123456789}',
        '{"a":"6222020000000000000"}',
        '{"a":"NaN"}',
        '{"a":',
    ],
)
def test_what_can_be_stored_passes(body: str) -> None:
    refuse_unstorable(body.encode())


@given(st.recursive(st.none() | st.booleans() | st.text() | st.integers(-(2**70), 2**70), st.lists))
def test_the_scan_misses_nothing(document: object) -> None:
    text = json.dumps(document, ensure_ascii=True)
    integers = json.loads(f"[{text}]", parse_int=int)
    bad = "\0" in _texts(integers) or any(not -(2**63) <= n < 2**63 for n in _integers(integers))
    if bad:
        with pytest.raises(InvalidInput):
            refuse_unstorable(text.encode())
    else:
        refuse_unstorable(text.encode())


def _texts(value: object) -> str:
    if isinstance(value, list):
        return "".join(map(_texts, value))
    return value if isinstance(value, str) else ""


def _integers(value: object) -> list[int]:
    if isinstance(value, list):
        return [number for inner in value for number in _integers(inner)]
    return [value] if isinstance(value, int) else []
