"""The statistics cannot keep up: commands go on, the lag is told, and in the end all is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.office import Office, assert_nothing_lost_or_doubled, metric
from tests.faults.test_postgres_hangs import locked
from tests.platform_process import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.platform_process import Platform

pytestmark = pytest.mark.slow
MEMORY_MORE = 64 << 20
"""Bytes by which the process may grow meanwhile: a page is at most 5,000 events, each under 2 kB."""


@pytest.mark.parametrize("steps, lag", [(60, 2), pytest.param(4_000, 30, marks=pytest.mark.soak)])
def test_a_blocked_projection_holds_no_command_back_and_catches_up(
    new_platform: Callable[[], Platform], steps: int, lag: float
) -> None:
    platform = new_platform()
    platform.start()
    reader = platform.signed_in("supervisor1")
    with Office(platform, "slow consumer") as office:
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
