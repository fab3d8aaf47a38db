"""Every refusal is on record before it is answered; what succeeds leaves no entry."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from services.cases.workflow import PENALTY_CASE
from tests.audit.conftest import tamper

if TYPE_CHECKING:
    from tests.audit.conftest import Trailed

OPENING = PENALTY_CASE.opening
EXAMPLE = PENALTY_CASE.examples[OPENING.command]
NOTHING = "00000000-0000-0000-0000-000000000001"


async def opened(trailed: Trailed) -> str:
    answer = await trailed.service.post(f"/{PENALTY_CASE.path}", "officer1", EXAMPLE)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_command_that_succeeds_leaves_no_entry(trailed: Trailed) -> None:
    await opened(trailed)
    assert {entry["kind"] for entry in await trailed.entries()} == {"trail"}


async def test_a_refusal_by_role_names_account_route_and_object(trailed: Trailed) -> None:
    case = await opened(trailed)
    path = f"/{PENALTY_CASE.path}/{case}/file"
    answer = await trailed.service.post(
        path, "window1", PENALTY_CASE.examples["file"], x_request_id="request-abcdef"
    )
    assert answer.status_code == 403
    [entry] = await trailed.entries("refusal")
    wanted = {
        "bureau": "500152",
        "account": "window1",
        "on_behalf_of": None,
        "action": f"POST /{PENALTY_CASE.path}/{{id}}/file",
        "object_type": PENALTY_CASE.path,
        "object_id": case,
        "outcome": "refused",
        "status": 403,
        "problem": "urn:ecocase:problem:role-forbidden",
        "reason": answer.json()["detail"],
        "address": "127.0.0.1",
        "request_id": answer.json()["request_id"],
        "count": 1,
    }
    assert {name: entry[name] for name in wanted} == wanted


async def test_a_refusal_by_law_names_the_article(trailed: Trailed) -> None:
    case = await opened(trailed)
    answer = await trailed.service.post(
        f"/{PENALTY_CASE.path}/{case}/examine",
        "officer1",
        PENALTY_CASE.examples["examine"],
        at="1999-01-01",
    )
    assert answer.json()["type"] == "urn:ecocase:problem:refused-by-law"
    [entry] = await trailed.entries("refusal")
    assert (entry["status"], entry["article"]) == (409, answer.json()["article"]["text"])


async def test_what_is_wrong_with_the_input_is_no_refusal(trailed: Trailed) -> None:
    answer = await trailed.service.post(f"/{PENALTY_CASE.path}", "officer1", {"unheard": 1})
    assert answer.status_code == 422
    assert (await trailed.service.get(f"/{PENALTY_CASE.path}/{NOTHING}")).status_code == 404
    assert await trailed.entries("refusal") == []


async def test_who_is_not_signed_in_is_counted_by_source(trailed: Trailed) -> None:
    for _ in range(50):
        answer = await trailed.service.http.get(f"/{PENALTY_CASE.path}")
        assert answer.status_code == 401
    assert [entry["count"] for entry in await trailed.entries("refusal")] == [1]
    await trailed.log.flush()
    found = await trailed.entries("refusal")
    assert [(one["count"], one["account"], one["address"]) for one in found] == [
        (1, None, "127.0.0.1"),
        (49, None, "127.0.0.1"),
    ]


async def test_a_flood_of_one_account_is_counted_and_none_is_lost(trailed: Trailed) -> None:
    path = f"/{PENALTY_CASE.path}"
    answers = await asyncio.gather(
        *(trailed.service.post(path, "window1", EXAMPLE) for _ in range(200))
    )
    assert {answer.status_code for answer in answers} == {403}
    await trailed.log.flush()
    found = await trailed.entries("refusal")
    assert sum(one["count"] for one in found) == 200
    assert len(found) < 100


async def test_an_importer_and_whom_he_names_both_stand_in_the_entry(trailed: Trailed) -> None:
    case = await opened(trailed)
    path = f"/{PENALTY_CASE.path}/{case}/examine"
    data = PENALTY_CASE.examples["examine"]
    await trailed.service.post(path, "importer1", data, at="1999-01-01", ecocase_actor="officer2")
    [entry] = await trailed.entries("refusal")
    assert (entry["account"], entry["on_behalf_of"]) == ("officer2", "importer1")


async def test_who_names_an_actor_and_may_not_is_recorded_himself(trailed: Trailed) -> None:
    path = f"/{PENALTY_CASE.path}"
    answer = await trailed.service.post(path, "officer1", EXAMPLE, ecocase_actor="officer2")
    assert answer.status_code == 403
    [entry] = await trailed.entries("refusal")
    assert (entry["account"], entry["on_behalf_of"]) == ("officer1", None)


async def test_a_refusal_stands_though_it_cannot_be_recorded_and_the_gap_is_told(
    trailed: Trailed,
) -> None:
    away = "ALTER TABLE audit_entry RENAME TO elsewhere"
    back = "ALTER TABLE elsewhere RENAME TO audit_entry"
    await tamper(trailed.fresh, "cases", away)
    path = f"/{PENALTY_CASE.path}"
    answer = await trailed.service.post(path, "window1", EXAMPLE)
    assert answer.status_code == 403
    await tamper(trailed.fresh, "cases", back)
    again = await trailed.service.post(path, "window1", EXAMPLE)
    once_more = await trailed.service.post(path, "window1", EXAMPLE)
    assert (again.status_code, once_more.status_code) == (403, 403)
    [lost, entry, last] = [one for one in await trailed.entries() if one["outcome"] == "refused"]
    assert (lost["kind"], lost["action"], lost["count"]) == ("trail", "未能写入", 1)
    assert entry["request_id"] == again.json()["request_id"]
    assert last["request_id"] == once_more.json()["request_id"]
    assert await trailed.findings() == []


@pytest.mark.parametrize("roles", [["no-such-role"], ["audit_admin", "investigator"]])
async def test_a_token_without_lawful_roles_is_recorded_by_its_source(
    trailed: Trailed, roles: list[str]
) -> None:
    from tests.service_double import authorization  # noqa: PLC0415

    headers: dict[str, Any] = {"authorization": authorization("officer1", roles=roles)}
    answer = await trailed.service.http.get(f"/{PENALTY_CASE.path}", headers=headers)
    assert answer.status_code == 403
    [entry] = await trailed.entries("refusal")
    assert (entry["account"], entry["address"], entry["status"]) == (None, "127.0.0.1", 403)
