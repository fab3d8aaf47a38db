"""The statistics cannot keep up: commands go on, the lag is told, and in the end all is counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from services.cases.examples import PENALTY_CASE
from tests.faults.office import Office, assert_nothing_lost_or_doubled, metric
from tests.faults.test_postgres_hangs import locked
from tests.platform_process import until

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    from tests.platform_process import Platform

pytestmark = pytest.mark.slow
MEMORY_MORE = 64 << 20
"""Bytes by which the process may grow meanwhile: a page is at most 5,000 events, each under 2 kB."""


@pytest.mark.parametrize("steps, lag", [(40, 1), pytest.param(4_000, 30, marks=pytest.mark.soak)])
def test_a_blocked_projection_holds_no_command_back_and_catches_up(
    platform: Platform, done: Counter[str], steps: int, lag: float
) -> None:
    reader = platform.signed_in("supervisor1")
    with Office(platform, "slow consumer", done) as office:
        memory = metric(platform, "process_resident_memory_bytes")
        with locked(platform, "reporting.position", "EXCLUSIVE"):
            office.goes_on(steps)
            until(
                lambda: metric(platform, "ecocase_relay_lag_seconds", service="cases") > lag,
                f"the lag has grown past {lag} s",
            )
            assert office.statuses[503] == 0
            assert metric(platform, "process_resident_memory_bytes") < memory + MEMORY_MORE
            told = reader.get("/reporting/figures/2024").json()
            assert told["lag_seconds"] > lag
        office.goes_on()
    until(
        lambda: metric(platform, "ecocase_relay_lag_seconds") == 0, "the statistics have caught up"
    )
    assert_nothing_lost_or_doubled(platform, office)


@pytest.mark.soak
def test_a_load_whose_statistics_stay_behind_says_so_by_its_exit_code(
    platform: Platform, done: Counter[str], tmp_path: Path
) -> None:
    opening = {"service": "cases", "ref": "a", "command": "register", "actor": "officer1"}
    line = {**opening, "at": "2024-03-01", "data": PENALTY_CASE["register"]}
    file = tmp_path / "behind.jsonl"
    file.write_text('{"caseload": "behind"}\n' + json.dumps(line) + "\n")
    with locked(platform, "reporting.position", "EXCLUSIVE"):
        behind = platform.run("load", str(file))
    done["register"] += 1
    assert behind.returncode == 4
    assert "统计尚未跟上" in behind.stderr
    assert platform.run("load", str(file)).returncode == 0
