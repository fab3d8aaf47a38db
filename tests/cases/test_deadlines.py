"""The deadlines of a penalty case where holidays, pauses and extensions meet them."""

from __future__ import annotations

from datetime import date

import pytest

from services.cases import articles, deciding
from services.cases.rules import PERIODS
from shared.clock import reckoning
from shared.clock.calendar import WorkCalendar
from tests.cases.walk import Walk


@pytest.mark.parametrize(
    "period, started, due",
    [
        pytest.param("filing", "2026-09-18", "2026-10-03", id="立案十五日届满在国庆，不顺延"),
        pytest.param("payment", "2026-09-18", "2026-10-08", id="缴款十五日届满在国庆，顺延"),
        pytest.param("filing", "2024-03-01", "2024-03-16", id="立案十五日届满在周六，不顺延"),
        pytest.param("decision", "2024-07-03", "2024-10-08", id="九十日届满在国庆，顺延"),
        pytest.param("decision", "2024-03-05", "2024-06-03", id="九十日届满在工作日"),
        pytest.param("seizure", "2024-09-07", "2024-10-07", id="查封三十日不顺延"),
        pytest.param("payment", "2024-09-20", "2024-10-08", id="缴款十五日顺延"),
    ],
)
def test_a_last_day_moves_over_a_holiday_where_its_rule_says_so(
    period: str, started: str, due: str
) -> None:
    opened = date.fromisoformat(started)
    stand = reckoning.reckon(
        reckoning.start(opened), PERIODS.at(period, opened), WorkCalendar.official(), opened
    )
    assert stand.due.on == date.fromisoformat(due)


def test_filing_is_extended_once_by_fifteen_days() -> None:
    walk = Walk().to("examine")
    walk.refused(articles.FILING_DAYS, "extend-filing", "2024-03-05", days=16)
    walk.take("extend-filing", "2024-03-05", days=15)
    assert walk.clock("filing", date(2024, 3, 5)).due.on == date(2024, 3, 31)
    walk.refused(articles.FILING_DAYS, "extend-filing", "2024-03-06", days=15)


def test_an_expired_period_cannot_be_extended() -> None:
    walk = Walk().to("examine")
    walk.refused(articles.FILING_DAYS, "extend-filing", "2024-03-17", days=15)
    walk.take("extend-filing", "2024-03-16", days=15)


def test_ninety_days_grow_to_one_hundred_and_fifty_and_no_further() -> None:
    walk = Walk().to("investigate")
    assert walk.clock("decision", date(2024, 3, 6)).remaining == 89
    walk.refused(articles.DECISION_PAUSES, "extend-decision", "2024-05-06", days=31)
    walk.take("extend-decision", "2024-05-06", days=30)
    walk.take("extend-decision", "2024-06-06", days=30)
    walk.refused(articles.DECISION_DAYS, "extend-decision", "2024-07-08", days=1)
    assert walk.clock("decision", date(2024, 7, 8)).unrolled_due == date(2024, 8, 2)


def test_a_hearing_pauses_the_ninety_days() -> None:
    walk = Walk().to("notify")
    before = walk.clock("decision", date(2024, 3, 18))
    walk.take("request-hearing", "2024-03-18")
    walk.take("hold-hearing", "2024-04-01", notice_served_on="2024-03-19")
    after = walk.clock("decision", date(2024, 4, 1))
    assert after.paused == 14
    assert after.remaining == before.remaining


def test_an_appraisal_pauses_the_ninety_days_and_a_seizure_under_way() -> None:
    walk = Walk().to("investigate")
    walk.take("seize", "2024-03-06")
    walk.take("begin-appraisal", "2024-03-07")
    walk.take("end-appraisal", "2024-03-17", told_party_on="2024-03-17")
    assert walk.clock("decision", date(2024, 3, 20)).paused == 10
    assert walk.clock("seizure", date(2024, 3, 20)).due.on == date(2024, 4, 15)


def test_suspension_and_the_transfer_to_the_police_pause_the_ninety_days_together() -> None:
    walk = Walk().to("investigate")
    walk.take("suspend", "2024-03-07")
    walk.take("transfer-to-police", "2024-03-10")
    walk.take("resume", "2024-03-12")
    walk.take("record-police-reply", "2024-03-15")
    assert walk.clock("decision", date(2024, 3, 20)).paused == 8


def test_nothing_resumes_what_was_not_suspended() -> None:
    walk = Walk().to("investigate")
    walk.refused(articles.DECISION_DAYS, "resume", "2024-03-07")
    walk.take("suspend", "2024-03-07")
    walk.refused(articles.DECISION_PAUSES, "suspend", "2024-03-08")
    walk.take("resume", "2024-03-08")


def test_a_seizure_is_extended_once_by_thirty_days_within_its_thirty() -> None:
    walk = Walk().to("investigate")
    walk.take("seize", "2024-03-06")
    walk.refused(articles.SEIZURE_DAYS, "extend-seizure", "2024-04-06", days=30)
    walk.refused(articles.SEIZURE_DAYS, "extend-seizure", "2024-04-05", days=31)
    walk.take("extend-seizure", "2024-04-05", days=30)
    assert walk.clock("seizure", date(2024, 4, 5)).due.on == date(2024, 5, 5)
    walk.refused(articles.SEIZURE_DAYS, "extend-seizure", "2024-05-01", days=1)


def test_the_partys_five_days_are_working_days_over_the_national_holiday() -> None:
    walk = Walk().to("review", register={"discovered_on": "2024-03-01"})
    walk.take("notify", "2024-09-27")
    walk.take("review-legality", "2024-09-30")
    walk.refused(deciding.window_passed, "decide", "2024-10-10")
    walk.take("decide", "2024-10-11")


def test_a_hearing_is_announced_seven_working_days_ahead() -> None:
    walk = Walk().to("review")
    walk.take("notify", "2025-01-20")
    walk.take("request-hearing", "2025-01-21")
    walk.refused(
        deciding.hearing_announced, "hold-hearing", "2025-02-06", notice_served_on="2025-01-22"
    )
    walk.take("hold-hearing", "2025-02-07", notice_served_on="2025-01-22")


def test_the_ninety_days_end_with_the_decision() -> None:
    walk = Walk().to("decide")
    stand = walk.clock("decision", date(2025, 1, 1))
    assert (stand.elapsed, stand.overdue) == (22, False)


def test_payment_is_due_fifteen_days_after_service() -> None:
    walk = Walk().to("serve")
    assert walk.clock("payment", date(2024, 3, 28)).due.on == date(2024, 4, 12)
    assert walk.clock("payment", date(2024, 4, 13)).overdue
