"""The embedded PostgreSQL is killed under load: it comes back by itself, and nothing is lost."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.office import Office, assert_nothing_lost_or_doubled, metric
from tests.platform_process import descendants, hung, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.platform_process import Platform

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("times", [2, pytest.param(15, marks=pytest.mark.soak)])
def test_a_killed_postgres_is_started_again_and_nothing_is_lost(
    new_platform: Callable[[], Platform], times: int
) -> None:
    platform = new_platform()
    platform.start()
    with Office(platform, "killed postmaster") as office:
        for _ in range(times):
            os.kill(platform.postgres_pid(), signal.SIGKILL)
            office.is_refused()
            until(platform.ready, "the platform is ready again")
            office.goes_on()
    assert metric(platform, "ecocase_postgres_restarts_total") >= times
    assert_nothing_lost_or_doubled(platform, office)


@pytest.mark.parametrize("times", [2, pytest.param(15, marks=pytest.mark.soak)])
def test_a_killed_backend_takes_all_with_it_and_all_come_back(
    new_platform: Callable[[], Platform], times: int
) -> None:
    platform = new_platform()
    platform.start()
    with Office(platform, "killed backend") as office:
        for _ in range(times):
            server = platform.postgres_pid()
            os.kill(next(iter(backends(server))), signal.SIGKILL)
            office.is_refused()
            until(platform.ready, "the platform is ready again")
            office.goes_on()
            assert platform.postgres_pid() == server
    assert_nothing_lost_or_doubled(platform, office)


def test_a_platform_whose_postgres_hangs_says_so_and_still_ends(
    new_platform: Callable[[], Platform],
) -> None:
    platform = new_platform()
    platform.start()
    with hung(platform):
        until(lambda: not platform.ready(), "readiness is denied")
        assert platform.process is not None
        platform.process.send_signal(signal.SIGINT)
        assert platform.process.wait(timeout=20) == 0


def backends(server: int) -> set[int]:
    """The processes that serve the commands of cases."""
    titles = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in descendants(server)}
    return {pid for pid, title in titles.items() if b": cases ecocase" in title}
