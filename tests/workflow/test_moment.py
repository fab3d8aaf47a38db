"""When a step stands in time, whatever the clocks say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.http.problem import ClockBehind, InvalidInput
from shared.workflow.moment import AHEAD, BEHIND, moment, refuse_future

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("last", [None, NOW - SECOND, NOW])
def test_a_step_without_a_time_is_taken_now(last: datetime | None) -> None:
    assert moment(None, NOW, last) == NOW


@pytest.mark.parametrize("ahead", [SECOND, BEHIND])
def test_it_is_never_before_the_last_one(ahead: timedelta) -> None:
    assert moment(None, NOW, NOW + ahead) == NOW + ahead


def test_a_clock_far_behind_is_told_with_both_times() -> None:
    with pytest.raises(ClockBehind, match="2026-03-02 10:00:00") as refused:
        moment(None, NOW, NOW + BEHIND + SECOND)
    assert "2026-03-02 22:00:01" in str(refused.value)


def test_a_time_that_was_given_stands() -> None:
    assert moment(NOW - SECOND, NOW, NOW) == NOW - SECOND


def test_the_future_is_refused_with_the_servers_time() -> None:
    refuse_future(NOW + AHEAD, NOW)
    with pytest.raises(InvalidInput, match="服务器时间 2026-03-02 10:00:00"):
        refuse_future(NOW + AHEAD + SECOND, NOW)
