"""A command through the whole of a real service: HTTP, rules, one statement, the event."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from services.cases import app as cases
from services.cases.examples import PENALTY_CASE
from services.cases.workflow import PENALTY_CASE as PENALTY_CASE_PROCEDURE
from tests.service_double import Service, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.postgres_fixture import MakeFresh

CLUE = PENALTY_CASE["register"]


@pytest.fixture
async def service(fresh_database: MakeFresh) -> AsyncIterator[Service]:
    async with running(cases, fresh_database) as service:
        yield service


async def registered(service: Service, at: str = "2024-03-01") -> str:
    answer = await service.post("/penalties", "officer1", CLUE, at)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_registering_a_clue_writes_state_event_and_record_together(service: Service) -> None:
    case = await registered(service)
    async with service.database.connection() as connection:
        event = await connection.fetchrow("SELECT * FROM event WHERE aggregate_id = $1::uuid", case)
        row = await connection.fetchrow("SELECT * FROM penalty_case WHERE id = $1::uuid", case)
        kept = await connection.fetchval("SELECT count(*) FROM idempotency")
    assert event is not None
    assert row is not None
    assert event["type"] == "cn.ecocase.cases.clue-registered.v1"
    assert (event["aggregate_version"], event["previous_hash"]) == (1, None)
    assert (row["version"], row["hash"], row["state"]) == (1, event["hash"], "clue")
    assert kept == 1


async def test_the_event_names_nobody(service: Service) -> None:
    await registered(service)
    async with service.database.connection() as connection:
        data = await connection.fetchval("SELECT data::text FROM event")
    assert CLUE["party"]["name"] not in data
    assert CLUE["description"] not in data
    assert "party_id" in data


async def test_a_retry_is_answered_as_before_and_changes_nothing(service: Service) -> None:
    first = await service.post("/penalties", "officer1", CLUE, "2024-03-01", key="once")
    again = await service.post("/penalties", "officer1", CLUE, "2024-03-01", key="once")
    assert again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert (await service.get("/penalties")).json()["items"][0]["version"] == 1


async def test_a_step_retried_after_success_is_not_refused_by_its_state(service: Service) -> None:
    case = await registered(service)
    for _ in range(2):
        answer = await service.post(
            f"/penalties/{case}/examine", "officer1", {"opinion": "建议立案"}, "2024-03-04", key="k"
        )
        assert answer.status_code == 200, answer.text
    assert answer.json()["version"] == 2


async def test_a_key_with_another_body_or_person_is_refused(service: Service) -> None:
    await service.post("/penalties", "officer1", CLUE, "2024-03-01", key="once")
    edited = await service.post("/penalties", "officer1", CLUE, "2024-03-02", key="once")
    other = await service.post("/penalties", "officer2", CLUE, "2024-03-01", key="once")
    assert edited.status_code == other.status_code == 422
    assert edited.json()["type"].endswith("key-reused")


async def test_racing_retries_open_one_case(service: Service) -> None:
    answers = await asyncio.gather(
        *(service.post("/penalties", "officer1", CLUE, "2024-03-01", key="race") for _ in range(8))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await service.get("/penalties")).json()["items"]) == 1


async def test_racing_steps_are_taken_once_each_in_versions_without_gap(service: Service) -> None:
    case = await registered(service)
    note = {"due_on": "2024-05-01", "requirement": "检修"}
    for step, actor, data in (
        ("examine", "officer1", {"opinion": "建议立案"}),
        ("file", "leader1", PENALTY_CASE["file"]),
    ):
        assert (
            await service.post(f"/penalties/{case}/{step}", actor, data, "2024-03-05")
        ).is_success
    answers = await asyncio.gather(
        *(
            service.post(f"/penalties/{case}/order-correction", "officer1", note, "2024-03-06")
            for _ in range(6)
        )
    )
    done = [answer.json()["version"] for answer in answers if answer.status_code == 200]
    lost = [answer for answer in answers if answer.status_code != 200]
    assert all(answer.json()["type"].endswith("race-lost") for answer in lost)
    assert sorted(done) == list(range(4, 4 + len(done)))


@pytest.mark.parametrize(
    "account,data,at,status,slug",
    [
        ("approver1", CLUE, "2024-03-01", 403, "role-forbidden"),
        ("officer1", {**CLUE, "source": "rumour"}, "2024-03-01", 422, "invalid-input"),
        ("officer1", {**CLUE, "extra": 1}, "2024-03-01", 422, "invalid-input"),
        ("officer1", {}, "2024-03-01", 422, "invalid-input"),
        ("officer1", CLUE, "yesterday", 422, "invalid-input"),
        ("officer1", CLUE, "2190-01-01", 422, "invalid-input"),
    ],
)
async def test_bad_input_is_named_and_leaves_no_trace(
    service: Service, account: str, data: dict[str, object], at: str, status: int, slug: str
) -> None:
    answer = await service.post("/penalties", account, data, at)
    assert answer.status_code == status, answer.text
    assert answer.json()["type"].endswith(slug)
    async with service.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM event") == 0


async def test_a_false_credit_code_is_refused_by_its_check_digit(service: Service) -> None:
    party = {**CLUE["party"], "code": "91500110MAACATRW38"}
    answer = await service.post("/penalties", "officer1", {**CLUE, "party": party}, "2024-03-01")
    assert answer.status_code == 422
    assert "校验位" in answer.text


async def test_a_clue_is_not_discovered_after_it_was_registered(service: Service) -> None:
    answer = await service.post("/penalties", "officer1", CLUE, "2024-02-29")
    assert (answer.status_code, answer.json()["field"]) == (409, "discovered_on")


async def test_a_command_needs_a_key(service: Service) -> None:
    answer = await service.http.post(
        "/penalties", json={"data": CLUE}, headers=service.headers("officer1")
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("named", ["13900001111", "r-13900001111", "500152199003071236"])
async def test_no_number_of_a_person_enters_an_event_as_a_key_or_code(
    service: Service, named: str
) -> None:
    as_key = await service.post("/penalties", "officer1", CLUE, "2024-03-01", key=named)
    as_code = await service.post("/penalties", "officer1", {**CLUE, "township": named})
    assert (as_key.status_code, as_code.status_code) == (422, 422)
    lawful = await service.post("/penalties", "officer1", {**CLUE, "township": "500152100"})
    assert lawful.status_code == 201


async def test_a_refusal_cites_its_article(service: Service) -> None:
    case = await registered(service)
    await service.post(f"/penalties/{case}/examine", "officer1", {"opinion": "可"}, "2024-03-04")
    alone = {**PENALTY_CASE["file"], "investigators": ["officer1", "legal1"]}
    answer = await service.post(f"/penalties/{case}/file", "leader1", alone, "2024-03-05")
    assert answer.status_code == 409
    assert answer.json()["article"]["text"] == "行政处罚法42"
    assert answer.json()["field"] == "investigators"


async def test_a_stale_reader_is_refused(service: Service) -> None:
    case = await registered(service)
    read = await service.get(f"/penalties/{case}")
    opinion = {"opinion": "可"}
    path = f"/penalties/{case}/examine"
    stale = await service.post(path, "officer1", opinion, "2024-03-04", if_match='"7"')
    fresh = await service.post(
        path, "officer1", opinion, "2024-03-04", if_match=read.headers["etag"]
    )
    assert (stale.status_code, fresh.status_code) == (412, 200)


async def test_a_step_does_not_lie_before_the_last_one(service: Service) -> None:
    case = await registered(service, "2024-03-05")
    answer = await service.post(
        f"/penalties/{case}/examine", "officer1", {"opinion": "可"}, "2024-03-04"
    )
    assert answer.status_code == 409
    assert answer.json()["field"] == "occurred_at"


async def test_another_bureau_sees_nothing(service: Service) -> None:
    case = await registered(service)
    read = await service.get(f"/penalties/{case}", "supervisor1", "500151")
    acted = await service.post(
        f"/penalties/{case}/examine", "officer1", {"opinion": "可"}, bureau="500151"
    )
    listed = await service.get("/penalties", "supervisor1", "500151")
    assert (read.status_code, acted.status_code) == (404, 404)
    assert listed.json()["items"] == []


async def test_the_three_administrators_read_no_cases(service: Service) -> None:
    await registered(service)
    for admin in ("sysadmin1", "secadmin1", "auditadmin1"):
        assert (await service.get("/penalties", admin)).status_code == 403


async def test_actions_say_what_may_be_done_and_why_not(service: Service) -> None:
    case = await registered(service)
    actions = (await service.get(f"/penalties/{case}/actions", "officer1")).json()
    by_command = {action["command"]: action for action in actions}
    assert by_command["examine"]["allowed"]
    assert "局领导" in by_command["extend-filing"]["reason"]
    assert "处罚决定" not in by_command["decide"]["article"]["text"]
    assert not by_command["decide"]["allowed"]
    assert by_command["decide"]["refused_by"]["text"].startswith("行政处罚法")


async def test_a_list_pages_by_cursor_and_searches_words(service: Service) -> None:
    for number in range(5):
        party = {**CLUE["party"], "name": f"示例{'电镀' if number % 2 else '造纸'}厂{number}"}
        await service.post("/penalties", "officer1", {**CLUE, "party": party}, "2024-03-01")
    first = (await service.get("/penalties", limit=3)).json()
    rest = (await service.get("/penalties", limit=3, after=first["next"])).json()
    found = (await service.get("/penalties", q="电镀")).json()
    assert [len(first["items"]), len(rest["items"]), rest["next"]] == [3, 2, None]
    assert len({item["id"] for item in first["items"] + rest["items"]}) == 5
    assert sorted(item["party_name"] for item in found["items"]) == ["示例电镀厂1", "示例电镀厂3"]


async def test_a_case_is_read_with_its_clocks_and_texts(service: Service) -> None:
    case = await registered(service)
    read = (await service.get(f"/penalties/{case}", "officer1")).json()
    clock = read["clocks"][0]
    assert (clock["name"], clock["due"]) == ("filing", "2024-03-16")  # a Saturday: it does not roll
    assert read["facts"]["register"][0]["description"] == CLUE["description"]
    assert [person["name"] for person in read["persons"].values()] == [CLUE["party"]["name"]]


async def test_a_correction_takes_two_persons_and_leaves_the_old_event(service: Service) -> None:
    case = await registered(service)
    proposal = {"target": "register", "changes": {"source": "complaint"}, "reason": "录入笔误"}
    path = f"/penalties/{case}"
    assert (await service.post(f"{path}/propose-correction", "officer1", proposal)).is_success
    opinion = {"opinion": "属实"}
    alone = await service.post(f"{path}/correct", "officer1", opinion)
    other = await service.post(f"{path}/correct", "officer2", opinion)
    assert (alone.status_code, other.status_code) == (409, 200)
    facts = (await service.get(path, "officer1")).json()["facts"]
    assert facts["register"][0]["source"] == "complaint"
    history = (await service.get(f"{path}/events", "officer1")).json()
    assert history[0]["data"]["source"] == "monitoring"
    assert history[-1]["data"]["changes"] == {"source": "complaint"}


@pytest.mark.parametrize("wrong", ["2024-02-01", "2024-03-06", "2199-01-01"])
async def test_a_corrected_time_keeps_the_order_of_steps(service: Service, wrong: str) -> None:
    case = await registered(service)
    path = f"/penalties/{case}"
    await service.post(f"{path}/examine", "officer1", {"opinion": "可"}, "2024-03-04")
    await service.post(f"{path}/file", "leader1", PENALTY_CASE["file"], "2024-03-05")
    wanted = {"target": "file", "changes": {"occurred_at": "2024-03-04T10:00"}, "reason": "笔误"}
    unordered = {**wanted, "target": "register", "changes": {"occurred_at": wrong}}
    if wrong == "2024-02-01":
        unordered["target"] = "file"
    refused = await service.post(f"{path}/propose-correction", "officer1", unordered)
    assert refused.status_code == 409, refused.text
    assert (await service.post(f"{path}/propose-correction", "officer1", wanted)).is_success


async def test_the_openapi_document_describes_every_command(service: Service) -> None:
    document = (await service.http.get("/openapi.json")).json()
    paths = document["paths"]
    for row in PENALTY_CASE_PROCEDURE.rows:
        path = "/penalties" if row.opens else f"/penalties/{{id}}/{row.command}"
        assert paths[path]["post"]["summary"] == row.title
