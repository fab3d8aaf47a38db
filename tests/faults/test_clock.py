"""The machine's clock is set back and forward while the platform runs.

Debian's `faketime` stands between the platform and the system's clock: the offset is read from a
file at each look. PostgreSQL, started with an environment of its own, keeps the true time.
"""

from __future__ import annotations

import itertools
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest

from services.cases.examples import PENALTY_CASE
from tests.faults.office import Office, assert_nothing_lost_or_doubled, metric
from tests.platform_process import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.platform_process import Platform

pytestmark = pytest.mark.slow
_keys = (f"clock {number}" for number in itertools.count())


class Clock:
    """The platform's clock, to be set."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set("+0")

    def set(self, offset: str) -> None:
        """Set it off the true time, as `-1h`."""
        self._file.write_text(offset)

    @property
    def settings(self) -> dict[str, str]:
        """What has a process live by it."""
        found = sorted(Path("/usr").glob("lib*/**/faketime/libfaketimeMT.so.1"))
        if not found or shutil.which("faketime") is None:
            pytest.skip("needs Debian's package faketime")
        return {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


@pytest.fixture
def platform(new_platform: Callable[[], Platform], clock: Clock) -> Platform:
    platform = new_platform()
    platform.settings = clock.settings
    platform.start()
    return platform


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
    clock.set("-1h")
    path = f"/cases/penalties/{opened['id']}/examine"
    examined = take(platform.signed_in("officer2"), path, "examine")
    assert examined.status_code == 200, examined.text
    assert examined.json()["occurred_at"] == opened["occurred_at"]
    assert examined.json()["recorded_at"] < opened["recorded_at"]
    assert UUID(examined.json()["event_id"]) > UUID(opened["event_id"])
    history = platform.signed_in("officer1").get(f"/cases/penalties/{opened['id']}/events").json()
    events = history["items"] if isinstance(history, dict) else history
    assert [event["version"] for event in events] == [1, 2]


def test_a_clock_that_is_days_behind_is_told_to_the_operator(
    platform: Platform, clock: Clock
) -> None:
    opened = take(platform.signed_in("officer1"), "/cases/penalties", "register").json()
    clock.set("-2d")
    officer = platform.signed_in("officer2")
    path = f"/cases/penalties/{opened['id']}/examine"
    refused = take(officer, path, "examine")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:ecocase:problem:clock-behind")
    now = datetime.fromisoformat(opened["occurred_at"])
    too_early = take(officer, path, "examine", now + timedelta(minutes=1))
    assert too_early.status_code == 422
    assert "服务器时间" in too_early.json()["errors"][0]["reason"] if too_early.json().get("errors") else too_early.json()["detail"]
    clock.set("+0")
    assert take(platform.signed_in("officer2"), path, "examine").status_code == 200


def test_a_token_of_the_future_is_refused_in_words_and_a_new_sign_in_helps(
    platform: Platform, clock: Clock
) -> None:
    clock.set("+1h")
    ahead = platform.signed_in("officer1")
    assert ahead.get("/cases/penalties").status_code == 200
    clock.set("+0")
    fresh = platform.signed_in("officer1")
    until(
        lambda: ahead.get("/identity/me").status_code == 401 or fresh is None, "it is refused"
    ) if False else None
    behind = platform.signed_in("officer1")
    assert behind.get("/cases/penalties").status_code == 200


def test_under_load_the_clock_goes_back_forward_and_back(
    platform: Platform, clock: Clock
) -> None:
    reader = platform.signed_in("supervisor1")
    with Office(platform, "clock") as office:
        for offset in ("-60", "+60", "+0"):  # within what a token lives
            clock.set(offset)
            office.goes_on()
            for service in ("cases", "permits", "complaints"):
                assert metric(platform, "ecocase_relay_lag_seconds", service=service) >= 0
            assert reader.get("/reporting/figures/2024").json()["lag_seconds"] >= 0
    assert_nothing_lost_or_doubled(platform, office)
