"""The audit administrator alone searches the trail, and each search is itself on record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.audit.entry import Entry, Kind, Outcome
from shared.clock.law_time import SHANGHAI
from shared.identity.roles import Role
from tests.every_service.stage import account_of

if TYPE_CHECKING:
    import httpx

    from tests.audit.conftest import Trailed

CASE = "0199a000-0000-7000-8000-000000000001"


async def read(trailed: Trailed, account: str, reason: str, **more: Any) -> None:
    await trailed.log.record(
        Entry(
            kind=Kind.READ,
            action="POST /penalties/{id}/disclosures",
            bureau=more.pop("bureau", "500152"),
            account=account,
            reason=reason,
            **more,
        )
    )


async def searched(trailed: Trailed, **params: Any) -> httpx.Response:
    headers = trailed.service.headers("auditadmin1")
    return await trailed.service.http.get("/audit-log", params=params, headers=headers)


async def found(trailed: Trailed, **params: Any) -> list[dict[str, Any]]:
    answer = await searched(trailed, **params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.IMPORTER}))
async def test_nobody_else_searches_and_who_tries_is_recorded(trailed: Trailed, role: Role) -> None:
    account = account_of(role)
    answer = await trailed.service.get("/audit-log", account)
    assert answer.status_code == (200 if role is Role.AUDIT_ADMIN else 403)
    [entry] = [one for one in await trailed.entries() if one["account"] == account]
    kind = "administration" if role is Role.AUDIT_ADMIN else "refusal"
    assert (entry["kind"], entry["action"]) == (kind, "GET /audit-log")


async def test_each_filter_finds_what_it_asks_for(trailed: Trailed) -> None:
    await read(trailed, "officer1", "送达处罚决定书", object_type="penalties", object_id=CASE)
    await read(trailed, "officer2", "核对缴款人信息")
    await trailed.service.post("/penalties", "window1", {"source": "monitoring"})

    async def reasons(**params: Any) -> list[str]:
        return [one["reason"] for one in await found(trailed, kind="read", **params)]

    assert await reasons() == ["核对缴款人信息", "送达处罚决定书"]
    assert await reasons(account="officer1") == ["送达处罚决定书"]
    assert await reasons(object=CASE) == ["送达处罚决定书"]
    assert await reasons(q="缴款人") == ["核对缴款人信息"]
    assert await reasons(q="无此字样") == []
    assert await reasons(outcome="refused") == []
    searches = await found(trailed, kind="administration")
    assert searches[-1]["details"] == {"kind": "read"}
    assert {"kind": "read", "object_id": CASE} in [one["details"] for one in searches]
    assert {"kind": "read", "text": "有"} in [one["details"] for one in searches]


async def test_a_stretch_of_time_includes_its_days(trailed: Trailed) -> None:
    await read(trailed, "officer1", "送达处罚决定书")
    today = datetime.now(UTC).astimezone(SHANGHAI).date()
    day = timedelta(days=1)
    for begins, ends, count in (
        (today, today, 1),
        (today - day, today, 1),
        (today + day, today + day, 0),
        (today - day, today - day, 0),
    ):
        params = {"kind": "read", "from": begins.isoformat(), "to": ends.isoformat()}
        assert len(await found(trailed, **params)) == count
    moment = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    assert await found(trailed, kind="read", **{"from": moment}) == []


@pytest.mark.parametrize(
    "params",
    [
        {"from": "昨天"},
        {"to": "2026-02-30"},
        {"kind": "unheard"},
        {"account": "张三"},
        {"object": "19987654321"},
        {"q": "电话19987654321"},
        {"limit": 0},
        {"after": "1"},
    ],
)
async def test_what_cannot_be_asked_is_named(trailed: Trailed, params: dict[str, Any]) -> None:
    answer = await searched(trailed, **params)
    assert answer.status_code == 422
    assert answer.json()["field"] == next(iter(params))


async def test_pages_follow_one_another_without_gap_or_repeat(trailed: Trailed) -> None:
    for number in range(7):
        await read(trailed, "officer1", f"送达第{number}号文书")
    seen: list[str] = []
    after: dict[str, Any] = {}
    while True:
        page = (await searched(trailed, kind="read", limit=3, **after)).json()
        seen += [one["reason"] for one in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == [f"送达第{number}号文书" for number in reversed(range(7))]


async def test_another_bureaus_entries_are_not_shown_but_nobodys_are(trailed: Trailed) -> None:
    await read(trailed, "officer1", "送达处罚决定书", bureau="500151")
    await trailed.log.record(
        Entry(kind=Kind.REFUSAL, action="GET /penalties", outcome=Outcome.REFUSED)
    )
    assert await found(trailed, kind="read") == []
    assert [one["bureau"] for one in await found(trailed, kind="refusal")] == [None]


async def test_a_search_sees_what_has_only_been_counted(trailed: Trailed) -> None:
    for _ in range(5):
        await trailed.service.http.get("/penalties")
    assert [one["count"] for one in await found(trailed, kind="refusal")] == [4, 1]
