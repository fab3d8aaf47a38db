"""The machine's clock is set back and forward while the platform runs.

Debian's `faketime` stands between the platform and the system's clock: the offset is read from a
file at each look. PostgreSQL, started with an environment of its own, keeps the true time.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest

from services.cases.examples import PENALTY_CASE
from tests.faults.office import Office, metric
from tests.platform_process import Platform, until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow
HOUR = 3600
_keys = (f"clock {number}" for number in itertools.count())


class Clock:
    """The clock of a platform, to be set."""

    def __init__(self, file: Path, platform: Platform) -> None:
        self._file = file
        self._platform = platform
        file.write_text("+0")
        found = sorted(Path("/usr").glob("lib*/**/faketime/libfaketimeMT.so.1"))
        if not found:
            pytest.skip("needs Debian's package faketime")
        platform.settings = {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }

    def set(self, seconds: int) -> None:
        """Set it off the true time; returns when the platform lives by it."""
        self._file.write_text(f"{seconds:+d}")
        until(lambda: abs(self._shown() - time.time() - seconds) < 5, "its clock is set")

    def _shown(self) -> float:
        answer = httpx.get(f"{self._platform.url}/livez", trust_env=False)
        return parsedate_to_datetime(answer.headers["date"]).timestamp()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Platform, Clock]]:
    """One platform for all: to start under another clock is slow."""
    folder = tmp_path_factory.mktemp("clock")
    platform = Platform(folder / "data")
    clock = Clock(folder / "clock", platform)
    platform.start()
    yield platform, clock
    platform.end()


@pytest.fixture
def platform(running: tuple[Platform, Clock]) -> Platform:
    return running[0]


@pytest.fixture
def clock(running: tuple[Platform, Clock]) -> Iterator[Clock]:
    yield running[1]
    running[1].set(0)


def take(
    client: httpx.Client, path: str, command: str, at: datetime | None = None
) -> httpx.Response:
    """Send a command, without a time of its own unless `at`."""
    body: dict[str, Any] = {"data": PENALTY_CASE[command]}
    if at is not None:
        body["occurred_at"] = at.isoformat()
    return client.post(path, json=body, headers={"idempotency-key": next(_keys)})


def test_a_step_is_not_refused_because_the_clock_was_set_back(
    platform: Platform, clock: Clock
) -> None:
    opened = take(platform.signed_in("officer1"), "/cases/penalties", "register").json()
    clock.set(-HOUR)
    path = f"/cases/penalties/{opened['id']}/examine"
    examined = take(platform.signed_in("officer2"), path, "examine")
    assert examined.status_code == 200, examined.text
    assert examined.json()["occurred_at"] == opened["occurred_at"]
    assert examined.json()["recorded_at"] < opened["recorded_at"]
    assert UUID(examined.json()["event_id"]) > UUID(opened["event_id"])


def test_a_clock_that_is_days_behind_is_told_to_the_operator(
    platform: Platform, clock: Clock
) -> None:
    opened = take(platform.signed_in("officer1"), "/cases/penalties", "register").json()
    clock.set(-48 * HOUR)
    officer = platform.signed_in("officer2")
    path = f"/cases/penalties/{opened['id']}/examine"
    refused = take(officer, path, "examine")
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "urn:ecocase:problem:clock-behind",
    )
    now = datetime.fromisoformat(opened["occurred_at"])
    too_early = take(officer, path, "examine", now + timedelta(minutes=1))
    assert too_early.status_code == 422
    assert "服务器时间" in too_early.json()["detail"]
    clock.set(0)
    assert take(platform.signed_in("officer2"), path, "examine").status_code == 200


def test_a_token_of_the_future_is_refused_in_words_and_a_new_sign_in_helps(
    platform: Platform, clock: Clock
) -> None:
    clock.set(HOUR)
    ahead = platform.signed_in("officer1")
    clock.set(0)
    refused = ahead.get("/cases/penalties")
    assert refused.status_code == 401
    assert "签发时间晚于服务器时间" in refused.json()["detail"]
    assert platform.signed_in("officer1").get("/cases/penalties").status_code == 200


def test_failed_sign_ins_before_the_clock_was_set_back_keep_nobody_out(
    platform: Platform, clock: Clock
) -> None:
    def sign_in(password: str) -> httpx.Response:
        asked = {"grant_type": "password", "username": "mediator1", "password": password}
        return httpx.post(f"{platform.url}/identity/token", json=asked, trust_env=False)

    clock.set(HOUR)
    until(lambda: sign_in("wrong").status_code == 429, "the account is slowed down")
    clock.set(0)
    assert sign_in("wrong").status_code == 401


def test_under_load_the_clock_goes_back_forward_and_back(platform: Platform, clock: Clock) -> None:
    reader = platform.signed_in("supervisor1")
    with Office(platform, "clock", Counter()) as office:
        for offset in (-20, 20, 0):  # no more than tokens may be off
            clock.set(offset)
            office.goes_on()
            assert metric(platform, "ecocase_relay_lag_seconds", service="cases") >= 0
            assert reader.get("/reporting/figures/2024").json()["lag_seconds"] >= 0
    assert not office.wrong, office.wrong
    assert platform.run("reconcile").returncode == 0
    assert platform.run("verify").returncode == 0
