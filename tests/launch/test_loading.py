"""Loading caseloads by the command, with everything that can be wrong with a file."""

from __future__ import annotations

import itertools
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from services.cases.examples import PENALTY_CASE
from services.complaints.examples import MEDIATOR
from tests.platform_process import ECOCASE, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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


@pytest.fixture(scope="module", autouse=True)
def load_from_nobody(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[subprocess.Popen[bytes]]:
    """A load where no platform is; it waits for one while the other tests run."""
    file = tmp_path_factory.mktemp("away") / "caseload.jsonl"
    file.write_text('{"caseload": "away"}\n' + json.dumps(REGISTER))
    with subprocess.Popen(  # noqa: S603 - our own command
        [ECOCASE, "load", str(file), "--url", f"http://127.0.0.1:{free_port()}"],
        env=platform.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        yield process
        process.kill()


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
    edits = [
        {**EXAMINE, "data": {"opinion": "改过的意见"}},
        {**EXAMINE, "actor": "officer1"},
        {**EXAMINE, "at": "2024-03-04T11:00:00"},
    ]
    whole = [[of(ref, line) for line in (REGISTER, EXAMINE)] for ref in "bcd"]
    edited = [
        [of(ref, line) for line in (REGISTER, edit)] for ref, edit in zip("bcd", edits, strict=True)
    ]
    platform.run("load", written(*itertools.chain(*whole), name=name))
    refused = platform.run("load", written(*itertools.chain(*edited), name=name))
    assert refused.returncode == 1
    assert "载入 0，已有 3，拒绝 3" in refused.stdout
    for number in (3, 5, 7):
        assert f"第 {number} 行：与已载入的内容不同" in refused.stderr


def test_the_same_refs_in_two_caseloads_are_different_cases(
    platform: Platform, written: Callable[..., str]
) -> None:
    before = penalties(platform)
    platform.run("load", written(REGISTER))
    platform.run("load", written(REGISTER))
    assert len(penalties(platform) - before) == 2


WITHOUT_TIME = {name: value for name, value in EXAMINE.items() if name != "at"}
FALSE_CODE = {**PENALTY_CASE["register"]["party"], "code": "91500110MAACATRW38"}
BAD: list[tuple[Any, str, str]] = [
    ("{", "", "不是完整的 JSON"),
    ("[]", "", "应为一个 JSON 对象"),
    ({**EXAMINE, "service": "courts"}, "service", "没有这一服务"),
    ({**EXAMINE, "command": "pardon"}, "command", "没有这一命令"),
    ({**EXAMINE, "command": "claim-item"}, "command", "行政处罚案件没有这一命令"),
    ({**EXAMINE, "note": "x"}, "note", "没有这个字段"),
    (WITHOUT_TIME, "at", "缺少该字段"),
    ({**EXAMINE, "at": "last spring"}, "at", "不是 RFC 3339 的时间"),
    ({**EXAMINE, "at": "2024-02-01"}, "at", "早于上一步骤"),
    ({**EXAMINE, "at": "2199-01-01"}, "at", "不得晚于现在"),
    ({**EXAMINE, "data": []}, "data", "应为一个 JSON 对象"),
    ({**EXAMINE, "data": {"opinion": ""}}, "data.opinion", "至少 1 个字"),
    ({**REGISTER, "data": {**REGISTER["data"], "party": FALSE_CODE}}, "data.party", "校验位不符"),
    ({**EXAMINE, "actor": "张 三"}, "actor", "应为账号代码"),
    ({**EXAMINE, "actor": "officer9"}, "actor", "没有账号 officer9"),
    ({**EXAMINE, "actor": "approver1"}, "actor", "须由"),
    ({**EXAMINE, "ref": "never opened"}, "ref", "尚未登记"),
    ({**EXAMINE, "ref": 7}, "ref", "应为文字"),
    (FILE, "command", "只能在“初步审查”时办理"),
    (REGISTER, "command", "该事项已登记"),
]
"""What may be wrong with the second line of a case, the field at fault, and the reason given."""


def of(ref: str, line: Any) -> Any:
    """A line as one of another case, where it names one at all."""
    return {**line, "ref": ref} if isinstance(line, dict) and line["ref"] == "a" else line


def test_every_bad_line_is_named_by_number_field_and_reason_and_the_good_ones_load(
    platform: Platform, written: Callable[..., str]
) -> None:
    cases = [
        (of(f"a{number}", REGISTER), of(f"a{number}", bad))
        for number, (bad, _, _) in enumerate(BAD)
    ]
    before = penalties(platform)
    done = platform.run("load", written(*itertools.chain.from_iterable(cases)))
    assert done.returncode == 1
    assert f"载入 {len(BAD)}，已有 0，拒绝 {len(BAD)}" in done.stdout
    assert len(penalties(platform) - before) == len(BAD)
    faults = [said for said in done.stderr.splitlines() if said.startswith("第 ")]
    for number, ((_, field, reason), fault) in enumerate(zip(BAD, faults, strict=True)):
        assert fault.startswith(f"第 {2 * number + 3} 行{f' {field}' if field else ''}：")
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


TWICE_THE_SAME = {**FILE["data"], "investigators": ["officer1", "officer1"]}


@pytest.mark.parametrize(
    "bad",
    [
        ["{"],
        [{**FILE, "actor": "leader9"}],
        [
            {**FILE, "at": "2024-02-01"},
            {**FILE, "at": "2199-01-01"},
            {**FILE, "actor": "legal1"},
            {**FILE, "data": TWICE_THE_SAME},
        ],
    ],
    ids=["a line", "an account", "a rule"],
)
def test_all_or_nothing_loads_nothing_where_one_thing_stands_against_it(
    platform: Platform, written: Callable[..., str], bad: list[Any]
) -> None:
    cases = [
        [of(f"a{number}", line) for line in (REGISTER, EXAMINE, last)]
        for number, last in enumerate([*bad, FILE])
    ]
    before = penalties(platform)
    file = written(*itertools.chain.from_iterable(cases))
    refused = platform.run("load", "--all-or-nothing", file)
    assert refused.returncode == 1
    assert f"载入 0，已有 0，拒绝 {len(bad)}" in refused.stdout
    for number in range(len(bad)):
        assert f"第 {3 * number + 4} 行" in refused.stderr
    assert penalties(platform) == before


def test_all_or_nothing_loads_all_where_nothing_stands_against_it(
    platform: Platform, written: Callable[..., str]
) -> None:
    done = platform.run("load", "--all-or-nothing", written(REGISTER, EXAMINE, FILE))
    assert done.returncode == 0
    assert "载入 3，已有 0，拒绝 0" in done.stdout


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
    load_from_nobody: subprocess.Popen[bytes],
) -> None:
    said, complaint = load_from_nobody.communicate(timeout=30)
    assert load_from_nobody.returncode == 3
    assert "载入 0，已有 0，拒绝 0" in said.decode()
    assert "10 秒没有应答" in complaint.decode()
