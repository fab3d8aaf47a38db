"""The operator's page, the alerts and what /metrics really shows are one and the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

if TYPE_CHECKING:
    from tests.platform_process import Platform

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
KAFKA = (ROOT / "docs" / "kafka.md").read_text(encoding="utf-8")
ALERTS = ROOT / "deploy" / "monitoring" / "alerts.yaml"
PARTS = re.compile(r"_(bucket|count|sum)$")


def documented(page: str = PAGE) -> set[str]:
    """The metrics in a page's table."""
    return set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))


def rules() -> list[dict[str, Any]]:
    """Every alert."""
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.slow
def test_every_metric_is_described_and_every_description_has_its_metric(
    platform: Platform,
) -> None:
    page = httpx.get(f"{platform.url}/metrics", trust_env=False).text
    shown = set(re.findall(r"^# TYPE (\w+)", page, re.MULTILINE))
    ours = {n for n in shown if n.startswith("ecocase_") and not n.endswith("_created")}
    assert {name for name in documented() if name.startswith("ecocase_")} == ours
    assert documented() <= shown


def test_alerts_name_only_metrics_there_are() -> None:
    described = documented() | documented(KAFKA)
    for rule in rules():
        named = set(re.findall(r"\b(?:ecocase|process)_\w+", rule["expr"]))
        assert named or "up{" in rule["expr"], rule
        for name in named:
            assert name in described or PARTS.sub("", name) in described, name


def test_alerts_are_complete_and_listed_in_the_page() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    listed = PAGE.partition("\nAlerts: ")[2].partition("\n\n")[0]
    assert re.findall(r"`(\w+)`", listed) == names
    for rule in rules():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert re.search(r"[\u4e00-\u9fff]", rule["annotations"]["summary"])
        assert rule["expr"].count("(") == rule["expr"].count(")")
