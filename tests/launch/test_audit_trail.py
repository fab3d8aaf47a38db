"""The trail of the whole platform: searched by its command, kept over kills, verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import orjson
import pytest

from services.launch.trails import SERVICES
from tests.postgres_fixture import run

if TYPE_CHECKING:
    from typing import Any

    from tests.platform_process import Platform

pytestmark = pytest.mark.slow


def searched(platform: Platform, *options: str) -> list[dict[str, Any]]:
    done = platform.run("audit", "search", "--format", "json", *options)
    assert done.returncode == 0, done.stderr
    return [orjson.loads(line) for line in done.stdout.splitlines()]


def test_a_refusal_outlives_a_kill_that_follows_its_answer(platform: Platform) -> None:
    refused = platform.signed_in("officer1").get("/cases/audit-log")
    platform.kill()
    assert refused.status_code == 403
    platform.start()
    [entry] = searched(platform, "--kind", "refusal", "--service", "cases")
    assert (entry["account"], entry["action"]) == ("officer1", "GET /audit-log")
    assert entry["request_id"] == refused.json()["request_id"]
    verified = platform.run("verify")
    assert verified.returncode == 0, verified.stdout
    assert "审计日志" in verified.stdout


def test_every_service_keeps_one_and_a_search_joins_them(platform: Platform) -> None:
    platform.signed_in("leader1").post("/reporting/rebuild")
    found = searched(platform, "--account", "leader1")
    assert [(one["service"], one["kind"], one["outcome"]) for one in found] == [
        ("reporting", "refusal", "refused"),
        ("identity", "sign-in", "accepted"),
    ]
    begun = searched(platform, "--kind", "trail", "--most", "200")
    assert {one["service"] for one in begun} == set(SERVICES)
    table = platform.run("audit", "search", "--account", "leader1", "--service", "reporting").stdout
    assert "共 1 条" in table
    assert "拒绝 403" in table


def test_what_the_operator_does_is_on_record(platform: Platform) -> None:
    assert platform.run("rebuild").returncode == 0
    assert platform.run("parked", "replay").returncode == 0
    assert platform.run("reconcile").returncode == 0
    done = {one["action"] for one in searched(platform, "--account", "sysadmin1", "--most", "200")}
    assert done == {"登录", "POST /rebuild", "POST /parked/replay", "GET /aggregates", "GET /facts"}


@pytest.mark.parametrize("options", [("--service", "unheard"), ("--from", "昨天")])
def test_a_wrong_option_is_told_in_a_line(platform: Platform, options: tuple[str, str]) -> None:
    done = platform.run("audit", "search", *options)
    assert done.returncode == 1
    assert done.stderr.startswith("ecocase：")
    assert len(done.stderr.splitlines()) == 1


def test_an_entry_removed_behind_its_back_is_named_by_verify(platform: Platform) -> None:
    [entry, *_] = searched(platform, "--kind", "sign-in", "--service", "identity")
    sockets = platform.data / "postgres" / "run"

    async def remove() -> None:
        connection = await asyncpg.connect(f"postgresql://postgres@/ecocase?host={sockets}")
        try:
            await connection.execute("SET session_replication_role = replica")
            await connection.execute("DELETE FROM identity.audit_entry WHERE id = $1", entry["id"])
        finally:
            await connection.close()

    run(remove())
    verified = platform.run("verify")
    assert verified.returncode == 1
    assert f"identity 审计日志 链 {entry['writer']}" in verified.stdout
