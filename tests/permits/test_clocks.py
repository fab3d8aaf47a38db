"""The statutory and the committed clock of an application: when they run, and what stops them."""

from __future__ import annotations

from tests.permits.desk import accepted, approved, received, reviewed


def test_the_sixty_days_of_a_report_run_from_receipt_and_the_five_from_acceptance() -> None:
    application = accepted("eia_report")
    assert application.clock("statutory", "2024-03-06").elapsed == 2
    assert application.clock("committed", "2024-03-06").elapsed == 1


def test_the_limit_of_another_item_runs_from_acceptance() -> None:
    application = accepted("discharge_key")
    assert application.clock("statutory", "2024-03-06").elapsed == 1
    assert application.clock("statutory", "2024-03-06").remaining == 29


def test_until_acceptance_the_limit_runs_as_if_it_were_deemed_accepted() -> None:
    assert received("other").clock("statutory", "2024-03-06").elapsed == 2


def test_both_notices_are_left_out_of_both_limits() -> None:
    application = approved("eia_report")
    statutory = application.clock("statutory", "2024-03-29")
    committed = application.clock("committed", "2024-03-29")
    assert (statutory.elapsed, statutory.paused) == (4, 15)
    assert (committed.elapsed, committed.paused) == (3, 15)
    assert not committed.overdue


def test_a_notice_under_way_stops_both_limits() -> None:
    application = accepted("eia_form")
    application.take("publicise", "2024-03-06", ends_on="2024-03-13")
    for clock in ("statutory", "committed"):
        assert application.clock(clock, "2024-03-12").paused_now


def test_days_between_a_notice_and_the_review_count() -> None:
    application = accepted("eia_form")
    application.take("publicise", "2024-03-06", ends_on="2024-03-13")
    application.take("end-notice", "2024-03-13")
    assert application.clock("committed", "2024-03-18").elapsed == 4
    assert application.clock("committed", "2024-03-20").overdue


def test_a_special_procedure_is_left_out_of_both_limits() -> None:
    application = reviewed("radiation")
    application.take("begin-special", "2024-03-08")
    application.take("end-special", "2024-03-20")
    for clock in ("statutory", "committed"):
        assert application.clock(clock, "2024-03-21").elapsed == 4
        assert application.clock(clock, "2024-03-21").paused == 8


def test_a_supplement_does_not_use_up_the_days_of_an_eia() -> None:
    application = received("eia_form")
    application.take("request-supplement", "2024-03-05")
    application.take("supplement", "2024-03-15")
    application.take("accept-eia", "2024-03-18")
    statutory = application.clock("statutory", "2024-03-18")
    assert (statutory.elapsed, statutory.paused) == (2, 8)


def test_an_eia_accepted_is_to_be_publicised_within_a_day() -> None:
    application = accepted("eia_form")
    assert application.clock("publication", "2024-03-07").overdue
    application.take("publicise", "2024-03-06", ends_on="2024-03-13")
    assert not application.clock("publication", "2024-03-07").overdue


def test_a_general_item_is_extended_once_by_ten_days_before_it_expires() -> None:
    application = reviewed("other")
    assert application.refused("extend", "2024-03-29", days=11) == "行政许可法42"
    application.take("extend", "2024-03-29", days=10)
    assert application.clock("statutory", "2024-03-29").remaining == 12
    assert application.refused("extend", "2024-04-01", days=1) == "行政许可法42"


def test_an_expired_limit_is_not_extended() -> None:
    application = reviewed("other")
    assert application.refused("extend", "2024-04-03", days=10) == "行政许可法42"
    application = reviewed("other")
    application.take("extend", "2024-04-02", days=10)


def test_a_site_check_gives_a_key_discharge_permit_forty_five_days() -> None:
    application = reviewed("discharge_key")
    application.take("extend", "2024-03-29", days=15)
    clock = application.clock("statutory", "2024-03-29")
    assert clock.elapsed + clock.remaining == 45


def test_the_limits_of_other_permits_are_not_extended() -> None:
    refused = {
        item: reviewed(item).refused("extend", "2024-03-22", days=10)
        for item in ("eia_form", "discharge_simplified", "radiation")
    }
    assert refused == {
        "eia_form": "环境影响评价法22",
        "discharge_simplified": "排污许可管理条例12",
        "radiation": "放射性同位素与射线装置安全和防护条例9",
    }


def test_a_licence_is_issued_within_ten_working_days_of_the_approval() -> None:
    application = approved("discharge_key")
    assert not application.clock("certificate", "2024-03-22").overdue
    assert application.clock("certificate", "2024-03-25").overdue
    application.take("issue", "2024-03-11")
    assert not application.clock("certificate", "2024-03-25").overdue
