"""`ecocase verify` and `reconcile` as an auditor runs them, on a database that was tampered with."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import httpx
import pytest

from services.cases.examples import PENALTY_CASE
from tests.platform_process import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.platform_process import Platform

pytestmark = pytest.mark.slow


def registered(platform: Platform, name: str) -> str:
    answer = platform.signed_in("officer1").post(
        "/cases/penalties",
        json={"occurred_at": "2024-03-01", "data": PENALTY_CASE["register"]},
        headers={"idempotency-key": name},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def sealed(platform: Platform, name: str = "cases.jsonl") -> int:
    """How many events the published seals hold together."""
    import orjson  # noqa: PLC0415

    file = platform.data / "seals" / name
    whole = file.read_bytes().rpartition(b"\n")[0] if file.exists() else b""
    return sum(orjson.loads(line)["events"] for line in whole.splitlines())


def execute(platform: Platform, *statements: str) -> None:
    """Write to the platform's database behind its back."""
    import asyncpg  # noqa: PLC0415

    from tests.postgres_fixture import run  # noqa: PLC0415

    sockets = platform.data / "postgres" / "run"

    async def go() -> None:
        connection = await asyncpg.connect(f"postgresql://postgres@/ecocase?host={sockets}")
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    run(go())


def gone(*cases: str) -> list[str]:
    """Statements that remove cases with everything that is theirs."""
    ids = ", ".join(f"'{case}'" for case in cases)
    return [
        *(
            f"DELETE FROM cases.{table} WHERE aggregate_id IN ({ids})"
            for table in ("event", "idempotency", "particulars", "party", "claim")
        ),
        f"DELETE FROM cases.penalty_case WHERE id IN ({ids})",
    ]


def test_a_copy_of_the_seals_shows_what_a_rewritten_database_hides(
    new_platform: Callable[[], Platform], tmp_path: Path
) -> None:
    platform = new_platform()
    platform.start()
    first = registered(platform, "the first")
    until(lambda: sealed(platform) == 1, "the first case is sealed")
    second = registered(platform, "the second")
    until(lambda: sealed(platform) == 2, "the second case is sealed")
    shutil.copytree(platform.data / "seals", tmp_path / "copy")
    clean = platform.run("verify", "--seal", str(tmp_path / "copy"))
    assert clean.returncode == 0, clean.stdout
    assert "2 件 2 个事件 2 个封签，与副本的 2 个封签对照，审计日志 " in clean.stdout
    assert clean.stdout.endswith("发现 0 处\n")

    execute(platform, *gone(second))
    found = platform.run("verify")
    assert found.returncode == 1
    assert "cases 第 2 号封签：封签所含事件应为 1 个，事件表中有 0 个" in found.stdout

    execute(platform, "DELETE FROM cases.seal WHERE number = 2")
    found = platform.run("verify")
    assert found.returncode == 1
    assert "第 2 号封签：在平台的封签文件中，而数据库中的封签止于第 1 号" in found.stdout
    elsewhere = platform.run("verify", "--url", platform.url)
    assert elsewhere.returncode == 0, elsewhere.stdout
    found = platform.run("verify", "--seal", str(tmp_path / "copy" / "cases.jsonl"))
    assert found.returncode == 1
    assert "cases 第 2 号封签：在外部副本中，而数据库中的封签止于第 1 号" in found.stdout

    third = registered(platform, "the third")  # sealed as number 2, in place of the one removed

    def set_aside() -> bool:
        return sealed(platform, "cases.2.jsonl") == 2

    until(set_aside, "what was published stays as it was, and is published anew")
    assert (platform.data / "seals" / "cases.jsonl").read_bytes() == (
        tmp_path / "copy" / "cases.jsonl"
    ).read_bytes()
    metrics = httpx.get(f"{platform.url}/metrics", trust_env=False).text
    assert 'ecocase_seal_files_set_aside{service="cases"} 1.0' in metrics
    told = platform.run("verify")
    assert told.returncode == 0, told.stdout
    assert "封签文件 cases.jsonl 曾与数据库不符，由 cases.2.jsonl 接续" in told.stdout
    found = platform.run("verify", "--seal", str(tmp_path / "copy"))
    assert found.returncode == 1
    assert "cases 第 2 号封签：与外部副本不同" in found.stdout

    (tmp_path / "copy" / "cases.jsonl").rename(tmp_path / "copy" / "permits.jsonl")
    (tmp_path / "copy" / "permits.jsonl").write_bytes(b"")
    lacking = platform.run("verify", "--seal", str(tmp_path / "copy"))
    assert lacking.returncode == 1
    assert "cases 第 1 至 2 号封签：外部副本中没有这一服务的封签" in lacking.stdout
    assert {first, third} >= {
        item["id"]
        for item in platform.signed_in("officer1").get("/cases/penalties").json()["items"]
    }


def test_each_finding_is_printed_in_chinese(platform: Platform) -> None:
    case = registered(platform, "to be tampered with")
    until(lambda: sealed(platform) >= 1, "it is sealed")
    execute(
        platform,
        f"UPDATE cases.penalty_case SET opened_at = '2020-01-01' WHERE id = '{case}'",
    )
    found = platform.run("verify")
    assert found.returncode == 1
    assert f"cases {case} 第 1 版：状态行的 opened_at 与事件不符" in found.stdout
    reconciled = platform.run("reconcile")
    assert reconciled.returncode == 0, reconciled.stdout

    execute(platform, "UPDATE reporting.rollup SET clues = clues + 1 WHERE clues = 1")
    reconciled = platform.run("reconcile")
    assert reconciled.returncode == 1
    assert "线索登记：汇总为 2，由各事项算得 1" in reconciled.stdout


def test_a_copy_that_holds_no_seals_is_a_mistake_of_the_command(
    platform: Platform, tmp_path: Path
) -> None:
    (tmp_path / "copy.jsonl").write_text("no seal\n")
    for copy in (tmp_path / "copy.jsonl", tmp_path / "missing", tmp_path / "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        refused = platform.run("verify", "--seal", str(copy))
        assert refused.returncode == 2, refused.stdout
        assert str(copy.name) in refused.stderr.replace("\n", "")
