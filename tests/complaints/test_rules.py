"""Periods of complaints and what counts as dealt with, each vector with its article."""

from datetime import date

import pytest

from services.complaints import rules
from services.complaints.schemas import Registration
from shared.clock import reckoning
from shared.clock.calendar import WorkCalendar
from shared.clock.period import Unit

CALENDAR = WorkCalendar.official()


@pytest.mark.parametrize(
    "code,started,due,article",
    [
        ("acceptance", date(2024, 9, 20), date(2024, 10, 5), "信访工作条例23"),
        ("handling", date(2024, 8, 7), date(2024, 10, 6), "信访工作条例34"),
        ("handling", date(2024, 1, 5), date(2024, 3, 5), "信访工作条例34"),
        ("handling", date(2022, 4, 30), date(2022, 6, 29), "信访条例33"),
        ("clue", date(2024, 3, 1), date(2024, 3, 16), "生态环境行政处罚办法（部令30号）18"),
        ("urgent", date(2024, 3, 1), date(2024, 3, 2), "环保举报热线工作管理办法（部令15号）8"),
    ],
)
def test_a_period_ends_on_its_last_natural_day_though_a_holiday(
    code: str, started: date, due: date, article: str
) -> None:
    period = rules.PERIODS.at(code, started)
    stand = reckoning.reckon(reckoning.start(started), period, CALENDAR, started)
    assert stand.due.on == due
    assert period.article.text == article
    assert period.unit is Unit.CALENDAR


@pytest.mark.parametrize(
    "registered,last",
    [
        (date(2024, 9, 27), date(2024, 10, 10)),  # 国庆, with a weekend worked
        (date(2025, 9, 26), date(2025, 10, 10)),
        (date(2024, 3, 1), date(2024, 3, 8)),
    ],
)
def test_a_transfer_may_be_objected_to_for_five_working_days(registered: date, last: date) -> None:
    assert rules.objection_ends(registered, CALENDAR) == last


def test_a_request_to_punish_runs_as_a_clue_and_not_for_sixty_days() -> None:
    assert rules.handling_period("enforcement", date(2024, 3, 1)) == "clue"
    assert rules.handling_period("grievance", date(2024, 3, 1)) == "handling"


def test_before_the_measures_of_2023_it_ran_like_any_other() -> None:
    assert rules.handling_period("enforcement", date(2023, 6, 30)) == "handling"


def test_what_is_urgent_is_accepted_by_the_next_day() -> None:
    assert rules.acceptance_period(urgent=True) == "urgent"
    assert rules.acceptance_period(urgent=False) == "acceptance"


@pytest.mark.parametrize(
    "finding,measures,handled",
    [
        ("founded", ["corrected"], True),
        ("founded", [], False),
        ("partly", [], False),
        ("unfounded", [], True),
        ("unverifiable", [], True),
    ],
)
def test_what_proved_true_is_handled_once_acted_on(
    finding: str, measures: list[str], *, handled: bool
) -> None:
    assert rules.is_handled(finding, measures) is handled


def test_a_reporter_without_a_name_may_leave_a_phone() -> None:
    payload = Registration.model_validate(
        {
            "channel": "12369",
            "pollution": "water",
            "reporter": {"kind": "individual", "phone": "19900000009"},
            "content": "河水发黑",
        }
    )
    assert payload.reporter is not None
    assert payload.reporter.name == "匿名"
