"""The whole platform over a real Kafka: every command works as it does without."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from services.launch.caseload.make import SHIPPED
from tests.kafka_fixture import unique_prefix
from tests.platform_process import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.kafka.broker import Broker

pytestmark = pytest.mark.slow
OWNERS = ("--owner", "cases", "--owner", "permits", "--owner", "complaints")
PAGE = Path(__file__).parents[2] / "docs" / "kafka.md"


@pytest.fixture(scope="module")
def over_kafka(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform whose events go over Kafka, a year loaded."""
    platform = Platform(tmp_path_factory.mktemp("platform") / "data")
    platform.settings = {
        "ECOCASE_KAFKA_BOOTSTRAP": broker.bootstrap,
        "ECOCASE_KAFKA_PREFIX": unique_prefix(),
    }
    assert platform.run("topics").returncode == 0
    platform.start()
    year = platform.run("caseload", "2024", "--seed", "5").stdout
    path = platform.data / "year.jsonl"
    path.write_text(year, encoding="utf-8")
    loaded = platform.run("load", str(path))
    assert loaded.returncode == 0, loaded.stderr
    yield platform
    platform.end()


def said(platform: Platform, *arguments: str) -> str:
    """What a command answers, which must succeed."""
    done = platform.run(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_figures_come_out_and_everything_agrees(over_kafka: Platform) -> None:
    assert "核对 24 项，0 项不同" in said(
        over_kafka, "figures", "2024", "--check", str(SHIPPED), *OWNERS
    )
    assert "已切换到第" in said(over_kafka, "rebuild")
    assert "0 处不符" in said(over_kafka, "reconcile")
    assert "发现 0 处" in said(over_kafka, "verify")
    assert "共 0 个" in said(over_kafka, "parked", "list")


def test_publishing_again_changes_nothing_downstream(over_kafka: Platform) -> None:
    before = said(over_kafka, "reconcile")
    assert re.search(r"已再次发布 [1-9]\d* 个事件", said(over_kafka, "republish", "cases"))
    young = said(over_kafka, "republish", "permits", "--from", "2199-01-01T00:00:00+08:00")
    assert "已再次发布 0 个事件" in young
    new = said(over_kafka, "republish", "complaints", "--new-topic")
    assert ".complaints.g2" in new
    said(over_kafka, "rebuild")
    assert said(over_kafka, "reconcile") == before
    assert ".complaints.g2" in said(over_kafka, "topics")


def test_what_is_asked_wrongly_is_said_in_one_line(over_kafka: Platform) -> None:
    for arguments in (
        ("republish", "reporting"),
        ("republish", "cases", "--from", "yesterday"),
        ("republish", "cases", "--new-topic", "--from", "2024-01-01T00:00:00Z"),
    ):
        refused = over_kafka.run(*arguments)
        assert refused.returncode == 1, arguments
        assert refused.stderr.startswith("ecocase："), refused.stderr
        assert refused.stderr.count("\n") == 1, refused.stderr
    without = Platform(over_kafka.data / "none")
    refused = without.run("topics")
    assert (refused.returncode, "ECOCASE_KAFKA_BOOTSTRAP" in refused.stderr) == (1, True)
    away = Platform(over_kafka.data / "none", settings={"ECOCASE_KAFKA_BOOTSTRAP": "127.0.0.1:1"})
    refused = away.run("topics")
    assert (refused.returncode, refused.stderr.count("\n")) == (3, 1), refused.stderr


def test_only_the_system_administrator_has_events_published_again(over_kafka: Platform) -> None:
    leader = over_kafka.signed_in("leader1")
    assert leader.post("/cases/republications", json={}).status_code == 403
    assert leader.get("/cases/republications/1").status_code == 403
    administrator = over_kafka.signed_in("sysadmin1")
    assert administrator.get("/cases/republications/999").status_code == 404
    wrong = administrator.post("/cases/republications", json={"since": "2024-01-01T00:00:00"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "since")


def test_every_metric_of_the_feed_is_described(over_kafka: Platform) -> None:
    shown = httpx.get(f"{over_kafka.url}/metrics", trust_env=False).text
    feed = set(re.findall(r"^# TYPE (ecocase_feed_\w+)", shown, re.MULTILINE))
    described = set(re.findall(r"^\| `(ecocase_\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE))
    assert {name for name in feed if not name.endswith("_created")} == described
