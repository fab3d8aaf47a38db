"""Loading caseloads by the command, with everything that can be wrong with a file."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from services.cases.examples import PENALTY_CASE
from services.complaints.examples import MEDIATOR

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.platform_process import Platform

pytestmark = pytest.mark.slow
_names = (f"caseload {number}" for number in itertools.count())


def line(ref: str, command: str, actor: str, at: str, data: Any) -> dict[str, Any]:
    return {
        "service": "cases",
        "ref": ref,
        "command": command,
        "actor": actor,
        "at": at,
        "data": data,
    }


REGISTER = line("a", "register", "officer1", "2024-03-01", PENALTY_CASE["register"])
EXAMINE = line("a", "examine", "officer2", "2024-03-04T10:00:00", PENALTY_CASE["examine"])
ORDER = PENALTY_CASE["order-correction"]
FILE = line("a", "file", "leader1", "2024-03-05T09:30:00+08:00", PENALTY_CASE["file"])


def penalties(platform: Platform) -> set[str]:
    """Every penalty case's id."""
    reader = platform.signed_in("supervisor1")
    page = reader.get("/cases/penalties", params={"limit": 200}).json()
    assert page["next"] is None
    return {item["id"] for item in page["items"]}


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., str]:
    def write(*lines: dict[str, Any] | str, name: str | None = None) -> str:
        path = tmp_path / "caseload.jsonl"
        head = {"caseload": name or next(_names)}
        text = [one if isinstance(one, str) else json.dumps(one) for one in (head, *lines)]
        path.write_text("\n".join(text) + "\n")
        return str(path)

    return write


def test_a_caseload_loads_and_loads_again_without_doing_anything_twice(
    platform: Platform, written: Callable[..., str]
) -> None:
    file = written(REGISTER, EXAMINE, FILE)
    first, again = platform.run("load", file), platform.run("load", file)
    assert (first.returncode, again.returncode) == (0, 0)
    assert "载入 3，已有 0，拒绝 0" in first.stdout
    assert "载入 0，已有 3，拒绝 0" in again.stdout


def test_a_file_cut_short_goes_on_where_it_stood(
    platform: Platform, written: Callable[..., str]
) -> None:
    name = next(_names)
    assert "载入 1，" in platform.run("load", written(REGISTER, name=name)).stdout
    whole = platform.run("load", written(REGISTER, EXAMINE, FILE, name=name))
    assert "载入 2，已有 1，拒绝 0" in whole.stdout


def test_an_edited_line_is_refused_by_its_number(
    platform: Platform, written: Callable[..., str]
) -> None:
    name = next(_names)
    platform.run("load", written(REGISTER, EXAMINE, name=name))
    for edited in (
        {**EXAMINE, "data": {"opinion": "改过的意见"}},
        {**EXAMINE, "actor": "officer1"},
        {**EXAMINE, "at": "2024-03-04T11:00:00"},
    ):
        refused = platform.run("load", written(REGISTER, edited, name=name))
        assert refused.returncode == 1
        assert "第 3 行：与已载入的内容不同" in refused.stderr
        assert "已有 1，拒绝 1" in refused.stdout


def test_the_same_refs_in_two_caseloads_are_different_cases(
    platform: Platform, written: Callable[..., str]
) -> None:
    before = penalties(platform)
    platform.run("load", written(REGISTER))
    platform.run("load", written(REGISTER))
    assert len(penalties(platform) - before) == 2


@pytest.mark.parametrize(
    "bad,field,reason",
    [
        ("{", "", "JSON"),
        ("[]", "", "JSON 对象"),
        ({**EXAMINE, "service": "courts"}, "service", "没有这一服务"),
        ({**EXAMINE, "command": "pardon"}, "command", "没有这一命令"),
        ({**EXAMINE, "note": "x"}, "note", "没有这个字段"),
        ({k: v for k, v in EXAMINE.items() if k != "at"}, "at", "缺少"),
        ({**EXAMINE, "at": "last spring"}, "at", "RFC 3339"),
        ({**EXAMINE, "data": []}, "data", "JSON 对象"),
        ({**EXAMINE, "data": {"opinion": ""}}, "data.opinion", "至少"),
        ({**EXAMINE, "actor": "张 三"}, "actor", "账号"),
        ({**EXAMINE, "ref": "zz"}, "ref", "尚未登记"),
        (
            {
                **REGISTER,
                "ref": "b",
                "data": {
                    **PENALTY_CASE["register"],
                    "party": {**PENALTY_CASE["register"]["party"], "code": "91500110MAACATRW38"},
                },
            },
            "data.party",
            "校验位",
        ),
        ({**EXAMINE, "ref": 7}, "ref", "应为文字"),
        ({**EXAMINE, "actor": "officer9"}, "actor", "没有账号"),
        ({**EXAMINE, "actor": "approver1"}, "actor", "须由"),
        ({**EXAMINE, "at": "2024-02-01"}, "at", "早于"),
        ({**EXAMINE, "at": "2199-01-01"}, "at", "不得晚于现在"),
        ({**EXAMINE, "command": "claim-item"}, "command", "行政处罚案件没有这一命令"),
        (FILE, "command", "只能在"),
        (REGISTER, "command", "已登记"),
    ],
)
def test_a_bad_line_is_named_and_the_good_ones_load(
    platform: Platform, written: Callable[..., str], bad: Any, field: str, reason: str
) -> None:
    file = written(REGISTER, bad)
    done = platform.run("load", file)
    assert done.returncode == 1
    assert "载入 1，已有 0，拒绝 1" in done.stdout
    [fault] = [said for said in done.stderr.splitlines() if said.startswith("第 ")]
    assert fault.startswith(f"第 3 行{f' {field}' if field else ''}：")
    assert reason in fault


def test_what_hangs_on_a_bad_line_is_refused_with_it(
    platform: Platform, written: Callable[..., str]
) -> None:
    done = platform.run("load", written({**REGISTER, "at": "never"}, EXAMINE))
    assert "载入 0，已有 0，拒绝 2" in done.stdout
    assert "第 3 行 command：该事项尚未登记" in done.stderr


def test_a_mended_line_goes_in_between_those_already_there(
    platform: Platform, written: Callable[..., str]
) -> None:
    name = next(_names)
    first, second = (
        line("a", "order-correction", "officer1", f"2024-03-0{day}", {**ORDER, "requirement": what})
        for day, what in ((6, "检修"), (7, "监测"))
    )
    refused = platform.run(
        "load", written(REGISTER, EXAMINE, FILE, {**first, "note": "?"}, second, name=name)
    )
    assert "载入 4，已有 0，拒绝 1" in refused.stdout
    mended = platform.run("load", written(REGISTER, EXAMINE, FILE, first, second, name=name))
    assert mended.returncode == 0, mended.stderr
    assert "载入 1，已有 4，拒绝 0" in mended.stdout


@pytest.mark.parametrize(
    "bad",
    [
        "{",
        {**FILE, "at": "2024-02-01"},
        {**FILE, "at": "2199-01-01"},
        {**FILE, "actor": "legal1"},
        {**FILE, "actor": "leader9"},
        {**FILE, "data": {**FILE["data"], "investigators": ["officer1", "officer1"]}},
    ],
)
def test_all_or_nothing_loads_nothing_where_a_line_or_a_rule_stands_against_it(
    platform: Platform, written: Callable[..., str], bad: Any
) -> None:
    file = written(REGISTER, EXAMINE, bad)
    before = penalties(platform)
    refused = platform.run("load", "--all-or-nothing", file)
    assert refused.returncode == 1
    assert "载入 0，已有 0，拒绝 1" in refused.stdout
    assert "第 4 行" in refused.stderr
    assert penalties(platform) == before
    good = platform.run("load", "--all-or-nothing", written(REGISTER, EXAMINE, FILE))
    assert good.returncode == 0


def test_times_without_offset_are_shanghais_and_a_bare_date_is_nine(
    platform: Platform, written: Callable[..., str]
) -> None:
    platform.run("load", written(REGISTER, EXAMINE, FILE))
    reader = platform.signed_in("supervisor1")
    newest = reader.get("/cases/penalties", params={"limit": 1}).json()["items"][0]["id"]
    events = reader.get(f"/cases/penalties/{newest}/events").json()
    assert [event["occurred_at"][:19] for event in events] == [
        "2024-03-01T01:00:00",
        "2024-03-04T02:00:00",
        "2024-03-05T01:30:00",
    ]


def test_the_importer_names_the_actor_and_both_are_recorded(
    platform: Platform, written: Callable[..., str], tmp_path: Path
) -> None:
    whole = json.loads((platform.data / "credentials.json").read_text())
    alone = {**whole, "accounts": {"importer1": whole["accounts"]["importer1"]}}
    credentials = tmp_path / "importer.json"
    credentials.write_text(json.dumps(alone))
    done = platform.run(
        "load", written(REGISTER, EXAMINE), "--url", platform.url, "--credentials", str(credentials)
    )
    assert done.returncode == 0, done.stderr
    reader = platform.signed_in("supervisor1")
    newest = reader.get("/cases/penalties", params={"limit": 1}).json()["items"][0]["id"]
    events = reader.get(f"/cases/penalties/{newest}/events").json()
    assert [(e["actor"], e["on_behalf_of"]) for e in events] == [
        ("officer1", "importer1"),
        ("officer2", "importer1"),
    ]


def test_standard_input_is_a_file_too(platform: Platform) -> None:
    mediator = {
        "service": "complaints",
        "ref": "m",
        "command": "appoint-mediator",
        "actor": "leader1",
        "at": "2024-01-02",
        "data": MEDIATOR["appoint-mediator"],
    }
    text = json.dumps({"caseload": next(_names)}) + "\n" + json.dumps(mediator) + "\n"
    done = platform.run("load", "-", stdin=text.encode())
    assert "载入 1，" in done.stdout, done.stderr


@pytest.mark.parametrize("text", ["", "{}", '{"caseload": ""}', "not json", '{"service": "cases"}'])
def test_a_file_that_names_no_caseload_is_none(platform: Platform, text: str) -> None:
    done = platform.run("load", "-", stdin=text.encode())
    assert done.returncode == 1
    assert "caseload" in done.stderr


def test_a_platform_that_is_away_ends_the_load_with_three(
    platform: Platform, new_platform: Callable[[], Platform], written: Callable[..., str]
) -> None:
    away = new_platform()
    credentials = str(platform.data / "credentials.json")
    done = away.run("load", written(REGISTER), "--credentials", credentials)
    assert done.returncode == 3
    assert "没有应答" in done.stderr
