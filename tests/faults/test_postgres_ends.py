"""The embedded PostgreSQL is killed under load: it comes back by itself, and nothing is lost."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.faults.office import LONGEST_ANSWER, Office, assert_nothing_lost_or_doubled, metric
from tests.platform_process import Platform, descendants, hung, until

if TYPE_CHECKING:
    from collections import Counter


pytestmark = pytest.mark.slow


@pytest.mark.parametrize("times", [1, pytest.param(15, marks=pytest.mark.soak)])
def test_a_killed_postgres_is_started_again_and_nothing_is_lost(
    platform: Platform, done: Counter[str], times: int
) -> None:
    before = metric(platform, "ecocase_postgres_restarts_total")
    with Office(platform, "killed postmaster", done) as office:
        for _ in range(times):
            os.kill(platform.postgres_pid(), signal.SIGKILL)
            office.is_refused()
            until(platform.ready, "the platform is ready again")
            office.goes_on()
    assert metric(platform, "ecocase_postgres_restarts_total") >= before + times
    assert_nothing_lost_or_doubled(platform, office)


@pytest.mark.parametrize("times", [1, pytest.param(15, marks=pytest.mark.soak)])
def test_a_killed_backend_takes_all_with_it_and_all_come_back(
    platform: Platform, done: Counter[str], times: int
) -> None:
    with Office(platform, "killed backend", done) as office:
        for _ in range(times):
            server = platform.postgres_pid()
            os.kill(next(iter(backends(server))), signal.SIGKILL)
            office.is_refused()
            until(platform.ready, "the platform is ready again")
            office.goes_on()
            assert platform.postgres_pid() == server
    assert_nothing_lost_or_doubled(platform, office)


@pytest.mark.soak
def test_a_platform_whose_postgres_hangs_says_so_and_still_ends(tmp_path: Path) -> None:
    platform = Platform(tmp_path / "data")
    platform.start()
    with hung(platform):
        until(lambda: not platform.ready(), "readiness is denied")
        asked = {"grant_type": "password", "username": "officer1", "password": "x"}
        signing_in = httpx.post(
            f"{platform.url}/identity/token", json=asked, timeout=LONGEST_ANSWER, trust_env=False
        )
        assert signing_in.status_code == 503
        assert "retry-after" in signing_in.headers
        assert platform.process is not None
        platform.process.send_signal(signal.SIGINT)
        assert platform.process.wait(timeout=20) == 0
    platform.end()


def backends(server: int) -> set[int]:
    """The processes that serve the commands of cases."""
    titles = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in descendants(server)}
    return {pid for pid, title in titles.items() if b": cases ecocase" in title}
