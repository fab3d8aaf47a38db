"""Days that run into a year whose holidays (放假安排) are not published yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from services.permits.examples import PERMIT_APPLICATION

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.platform_process import Platform

pytestmark = pytest.mark.slow

NOTICE: dict[str, Any] = {
    "year": 2027,
    "source": "合成通知",
    "holidays": ["2027-01-01", "2027-01-04"],
    "workdays": ["2027-01-02"],
}


def take(client: httpx.Client, path: str, at: str, data: dict[str, Any]) -> str:
    """Take a step of 20 or 23 November 2026; gives the application's id."""
    done = client.post(
        path, json={"occurred_at": at, "data": data}, headers={"idempotency-key": path + at}
    )
    assert done.is_success, done.text
    return str(done.json()["id"])


@pytest.fixture(scope="module")
def application(platform: Platform) -> str:
    """A 报告书 accepted on Friday 20 November 2026: 60 working days run into the next year."""
    window = platform.signed_in("window1")
    received = {**PERMIT_APPLICATION["receive"], "item": "eia_report"}
    opened = take(window, "/permits/applications", "2026-11-20T09:00:00", received)
    return take(window, f"/permits/applications/{opened}/accept-eia", "2026-11-20T10:00:00", {})


def statutory(platform: Platform, application: str) -> dict[str, Any]:
    """The application's statutory clock."""
    answer = platform.signed_in("window1").get(f"/permits/applications/{application}")
    clocks: list[dict[str, Any]] = answer.json()["clocks"]
    return next(clock for clock in clocks if clock["name"] == "statutory")


@pytest.mark.parametrize(
    "fault,field",
    [
        ({"holidays": ["2026-01-01"]}, "holidays"),
        ({"workdays": ["2027-01-05"]}, "workdays"),
        ({"year": "2027"}, "year"),
        ({"festivals": []}, "festivals"),
    ],
)
def test_a_notice_that_cannot_be_is_refused_by_its_field(
    platform: Platform, tmp_path: Path, fault: dict[str, Any], field: str
) -> None:
    file = tmp_path / "2027.json"
    file.write_bytes(orjson.dumps({**NOTICE, **fault}))
    refused = platform.run("calendar", "load", str(file))
    assert refused.returncode == 1
    [said] = refused.stderr.strip().splitlines()
    assert f"{field}：" in said


def test_the_next_years_notice_makes_provisional_days_final(
    platform: Platform, application: str, tmp_path: Path
) -> None:
    asked: dict[str, str | int] = {"start": "2026-12-28", "days": 5}
    reader = platform.signed_in("officer1")
    before = statutory(platform, application)
    assert (before["due"], before["provisional"]) == ("2027-02-12", True)
    counted = reader.get("/clock/working-days", params=asked).json()
    assert counted == {"due": "2027-01-04", "provisional": True}
    file = tmp_path / "2027.json"
    file.write_bytes(orjson.dumps(NOTICE))
    assert "第 1 版" in platform.run("calendar", "load", str(file)).stdout
    counted = reader.get("/clock/working-days", params=asked).json()
    assert counted == {"due": "2027-01-05", "provisional": False}
    after = statutory(platform, application)
    assert (after["due"], after["provisional"]) == ("2027-02-15", False)


def test_the_same_notice_again_is_no_new_version(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "2027.json"
    for source, version in (("一号", 1), ("一号", 1), ("二号", 2)):
        file.write_bytes(orjson.dumps({**NOTICE, "year": 2028, "source": source, **_DAYS_2028}))
        assert f"第 {version} 版" in platform.run("calendar", "load", str(file)).stdout


_DAYS_2028 = {"holidays": ["2028-01-03"], "workdays": ["2028-01-08"]}
