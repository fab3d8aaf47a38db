"""Notices, review, decision and licence: what is refused, by which article, and what may go on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.permits.desk import Application, accepted, approved, received, reviewed

NOTICE = "渝环〔2014〕1号 受理公示"
PROPOSAL = "环办〔2013〕103号 拟审批公示"
TERM = "排污许可管理条例14；放射性同位素与射线装置安全和防护条例13"
AUTHORITY = "排污许可管理条例6；放射性同位素与射线装置安全和防护条例6"


@pytest.mark.parametrize(
    "item,short,enough",
    [("eia_report", "2024-03-19", "2024-03-20"), ("eia_form", "2024-03-12", "2024-03-13")],
)
def test_the_first_notice_lasts_ten_days_for_a_report_and_five_for_a_form(
    item: str, short: str, enough: str
) -> None:
    application = accepted(item)
    assert application.refused("publicise", "2024-03-06", ends_on=short) == NOTICE
    application.take("publicise", "2024-03-06", ends_on=enough)
    assert application.state == "noticed"


def test_a_report_is_published_in_full_a_form_need_not_be() -> None:
    data: dict[str, Any] = {"ends_on": "2024-03-20", "full_text": False}
    assert "环境保护法56Ⅱ" in accepted("eia_report").refused("publicise", "2024-03-06", **data)
    accepted("eia_form").take("publicise", "2024-03-06", **data)


def test_only_an_eia_is_publicised() -> None:
    application = accepted("discharge_key")
    assert application.refused("publicise", "2024-03-06") == "建设项目环境保护管理条例9"
    application.take("review", "2024-03-06")
    assert application.refused("propose", "2024-03-07") == "建设项目环境保护管理条例9"
    application.take("approve", "2024-03-07")
    assert application.state == "approved"


def test_an_eia_is_reviewed_after_its_first_notice() -> None:
    application = accepted("eia_form")
    assert application.refused("review", "2024-03-06") == NOTICE
    application.take("publicise", "2024-03-06", ends_on="2024-03-13")
    assert application.refused("review", "2024-03-13") == NOTICE
    assert application.refused("end-notice", "2024-03-12") == NOTICE
    application.take("end-notice", "2024-03-13")
    assert application.refused("end-notice", "2024-03-13") == NOTICE
    application.take("review", "2024-03-14")
    assert application.state == "reviewed"


@pytest.mark.parametrize("command", ["approve", "refuse"])
def test_an_eia_is_decided_after_five_working_days_of_the_second_notice(command: str) -> None:
    application = reviewed("eia_form")
    decide: dict[str, Any] = {"grounds": ["siting"]} if command == "refuse" else {}
    assert application.refused(command, "2024-03-22", **decide) == PROPOSAL
    assert application.refused("propose", "2024-03-22", ends_on="2024-03-28") == PROPOSAL
    application.take("propose", "2024-03-22", ends_on="2024-03-29")
    assert application.refused(command, "2024-03-29", **decide) == PROPOSAL
    assert application.refused("review", "2024-03-29") == PROPOSAL
    application.take("end-proposal", "2024-03-29")
    application.take(command, "2024-04-01", **decide)
    assert application.state in {"approved", "refused"}


@pytest.mark.parametrize("command", ["approve", "refuse"])
def test_whoever_reviewed_does_not_decide(command: str) -> None:
    application = reviewed()
    assert "审查与决定" in application.refused(command, "2024-03-08", by="approver1")
    application.take(command, "2024-03-08", by="approver2")


def test_an_eia_is_refused_on_one_of_five_grounds() -> None:
    application = reviewed("eia_report")
    application.take("propose", "2024-03-21", intended="refuse", ends_on="2024-03-28")
    application.take("end-proposal", "2024-03-28")
    assert application.refused("refuse", "2024-03-29") == "建设项目环境保护管理条例11"
    application.take("refuse", "2024-03-29", grounds=["flawed_report", "siting"])
    assert application.state == "refused"


def test_other_items_are_refused_with_reasons_of_their_own() -> None:
    application = reviewed()
    assert "11" in application.refused("refuse", "2024-03-08", grounds=["siting"])
    application.take("refuse", "2024-03-08")


def test_a_refusal_tells_the_remedies() -> None:
    application = reviewed()
    assert application.refused("refuse", "2024-03-08", told_remedies=False) == "行政许可法38"
    application.take("refuse", "2024-03-08", told_remedies=True)


def test_nothing_is_decided_while_a_special_procedure_goes_on() -> None:
    application = reviewed()
    application.take("begin-special", "2024-03-08")
    assert application.refused("begin-special", "2024-03-11") == "行政许可法45、46、47"
    assert application.refused("review", "2024-03-11") == "行政许可法45、46、47"
    assert application.refused("approve", "2024-03-11") == "行政许可法45、46、47"
    application.take("end-special", "2024-03-12")
    assert application.refused("end-special", "2024-03-12") == "行政许可法45、46、47"
    application.take("approve", "2024-03-13")


def test_a_technical_review_does_not_stop_the_clock_of_a_discharge_permit() -> None:
    data: dict[str, Any] = {"procedure": "technical_review"}
    application = accepted("discharge_key")
    assert application.refused("begin-special", "2024-03-06", **data) == "行政许可法45"
    accepted("eia_report").take("begin-special", "2024-03-06", **data)
    application.take("begin-special", "2024-03-06", procedure="hearing")


def test_the_applicant_is_told_how_long_a_special_procedure_takes() -> None:
    application = accepted()
    assert application.refused("begin-special", "2024-03-06", told_applicant=False) == (
        "行政许可法45"
    )
    application.take("begin-special", "2024-03-06", told_applicant=True)


@pytest.mark.parametrize("item", ["discharge_key", "discharge_simplified", "radiation"])
def test_a_licence_says_on_whose_authority_and_in_whose_name_it_is_issued(item: str) -> None:
    application = approved(item)
    assert application.refused("issue", "2024-03-11", authority_basis=None) == AUTHORITY
    assert application.refused("issue", "2024-03-11", issued_in_name_of=None) == AUTHORITY
    assert application.refused("issue", "2024-03-11", issued_in_name_of="district") == (
        "行政许可法24"
    )
    application.take("issue", "2024-03-11")
    assert application.state == "issued"


def test_a_delegated_licence_is_issued_in_the_districts_own_name() -> None:
    approved("discharge_key").take(
        "issue", "2024-03-11", authority_basis="delegated", issued_in_name_of="district"
    )


@pytest.mark.parametrize("kind", ["new", "renewal"])
def test_a_licence_runs_for_exactly_five_years(kind: str) -> None:
    application = approved("radiation", kind=kind)
    assert application.refused("issue", "2024-03-11", valid_until="2029-03-30") == TERM
    assert application.refused("issue", "2024-03-11", valid_until="2029-04-01") == TERM
    assert application.refused("issue", "2024-03-11", valid_until=None) == TERM
    application.take("issue", "2024-03-11", valid_from="2024-04-01", valid_until="2029-03-31")


def test_a_changed_licence_keeps_its_term() -> None:
    application = approved("discharge_key", kind="change")
    assert application.refused("issue", "2024-03-11", valid_until="2029-04-01") == TERM
    assert application.refused("issue", "2024-03-11", valid_until="2024-03-31") == TERM
    application.take("issue", "2024-03-11", valid_until="2026-05-31")


def test_an_eia_ends_with_its_approval_and_a_permit_with_its_licence() -> None:
    eia, permit = approved("eia_report"), approved("discharge_key")
    assert eia.refused("issue", "2024-04-01") == "行政许可法39、44"
    assert permit.refused("conclude", "2024-03-11") == "行政许可法39、44"
    eia.take("conclude", "2024-04-01")
    permit.take("issue", "2024-03-11")


def test_a_change_may_end_without_a_new_licence() -> None:
    application = approved("discharge_key", kind="change")
    application.take("conclude", "2024-03-11")
    assert application.state == "concluded"


def test_an_issued_licence_can_be_revoked_or_cancelled() -> None:
    for command, state in (("revoke", "revoked"), ("cancel", "cancelled")):
        application = approved("other")
        application.take("issue", "2024-03-11")
        application.take(command, "2024-06-03")
        assert application.state == state


@pytest.mark.parametrize("command", ["approve", "refuse"])
def test_a_decision_says_what_was_decided_and_through_which_channel(command: str) -> None:
    application = reviewed("radiation", kind="renewal", channel="online")
    data = application.take(command, "2024-03-08").data
    assert {name: data[name] for name in ("item", "kind", "channel")} == {
        "item": "radiation",
        "kind": "renewal",
        "channel": "online",
    }


def test_an_issued_licence_says_what_it_is_for() -> None:
    data = approved("radiation", kind="renewal", channel="window").take("issue", "2024-03-11").data
    assert (data["item"], data["kind"], data["channel"]) == ("radiation", "renewal", "window")
    assert (data["authority_basis"], data["issued_in_name_of"]) == ("entrusted", "municipal")
    assert "authority_document" not in data


def test_a_corrected_channel_holds_for_what_is_decided_later() -> None:
    application: Application = received(channel="window")
    application.take("propose-correction", "2024-03-04", changes={"channel": "online"})
    application.take("correct", "2024-03-04", by="window2")
    application.take("accept", "2024-03-05")
    application.take("review", "2024-03-06")
    assert application.take("approve", "2024-03-07").data["channel"] == "online"
