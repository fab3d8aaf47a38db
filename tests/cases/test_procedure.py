"""What the law asks between notice and decision: who acts, who is heard, who reviews."""

from __future__ import annotations

from typing import Any

import pytest

from services.cases import deciding, guards
from shared.workflow.table import Guard
from tests.cases.walk import Walk
from tests.replay import OFFICERS


def large(amount: str = "500000.00") -> dict[str, dict[str, Any]]:
    """A notice of a fine that the leaders must discuss."""
    return {"notify": {"proposed_amount": amount}}


@pytest.mark.parametrize(
    "command, before, guard",
    [
        ("review", "conclude-investigation", guards.reviewer_apart),
        ("return-for-investigation", "review", guards.reviewer_apart),
        ("review-legality", "notify", guards.legal_apart),
        ("hear-statement", "notify", guards.reviewer_apart),
    ],
)
def test_who_investigated_neither_reviews_nor_hears(
    command: str, before: str, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviewer = "legal2"
    certificate = OFFICERS["officer2"]
    monkeypatch.setitem(OFFICERS, reviewer, certificate)
    walk = Walk().to(before, file={"investigators": ["officer1", reviewer]})
    walk.refused(guard, command, "2024-03-25", reviewer)
    walk.take(command, "2024-03-25", "legal1")


def test_investigators_do_not_vote() -> None:
    walk = Walk().to("review-legality", **large())
    voters = ["committee1", "committee2", "officer1"]
    walk.refused(deciding.voters_apart, "discuss", "2024-03-26", voters=voters)
    walk.take("discuss", "2024-03-26")


@pytest.mark.parametrize(
    "party, amount, lawful",
    [
        ({"kind": "organisation", "name": "示例厂"}, "50000.00", "49999.99"),
        ({"kind": "individual", "name": "示例群众"}, "5000.00", "4999.99"),
    ],
)
def test_a_considerable_fine_needs_the_right_to_a_hearing(
    party: dict[str, str], amount: str, lawful: str
) -> None:
    walk = Walk().to("review", register={"party": party})
    silent: dict[str, Any] = {"told_hearing_right": False}
    walk.refused(deciding.rights_told, "notify", "2024-03-15", proposed_amount=amount, **silent)
    walk.take("notify", "2024-03-15", proposed_amount=lawful, **silent)
    walk.take("notify", "2024-03-15", proposed_amount=amount)


def test_every_notice_tells_the_right_to_be_heard() -> None:
    walk = Walk().to("review")
    walk.refused(deciding.rights_told, "notify", "2024-03-15", told_statement_right=False)
    walk.take("notify", "2024-03-15")


def test_a_graver_kind_needs_the_right_to_a_hearing_whatever_the_fine() -> None:
    walk = Walk().to("review")
    graver: dict[str, Any] = {"proposed_amount": "0.00", "grave_kinds": True}
    walk.refused(deciding.rights_told, "notify", "2024-03-15", told_hearing_right=False, **graver)
    walk.take("notify", "2024-03-15", **graver)


def test_nothing_is_decided_without_a_notice() -> None:
    walk = Walk().to("review")
    walk.take("review-legality", "2024-03-14")
    walk.refused(deciding.noticed, "decide", "2024-03-27")
    walk.take("notify", "2024-03-15")
    walk.take("review-legality", "2024-03-25")
    walk.take("decide", "2024-03-27")


def test_a_case_returned_for_investigation_is_noticed_again() -> None:
    walk = Walk().to("review-legality")
    walk.take("return-for-investigation", "2024-03-26")
    walk.take("conclude-investigation", "2024-03-27")
    walk.take("review", "2024-03-28")
    walk.take("review-legality", "2024-03-29")
    walk.refused(deciding.noticed, "decide", "2024-04-01")
    walk.take("notify", "2024-04-01")
    walk.take("waive", "2024-04-02")
    walk.take("review-legality", "2024-04-02")
    walk.take("decide", "2024-04-02")


def test_a_decision_waits_for_the_partys_days_or_a_waiver() -> None:
    walk = Walk().to("notify")
    walk.take("review-legality", "2024-03-18")
    walk.refused(deciding.window_passed, "decide", "2024-03-22")
    walk.take("waive", "2024-03-19")
    walk.take("decide", "2024-03-19")


def test_a_waiver_does_not_outlive_its_notice() -> None:
    walk = Walk().to("notify")
    walk.take("waive", "2024-03-18")
    walk.take("notify", "2024-03-19")
    walk.take("review-legality", "2024-03-20")
    walk.refused(deciding.window_passed, "decide", "2024-03-20")
    walk.take("decide", "2024-03-27")


def test_a_requested_hearing_is_held_before_review_and_decision() -> None:
    walk = Walk().to("notify")
    walk.refused(
        deciding.hearing_requested, "hold-hearing", "2024-03-28", notice_served_on="2024-03-19"
    )
    walk.take("request-hearing", "2024-03-18")
    walk.refused(deciding.hearing_over, "request-hearing", "2024-03-19")
    walk.refused(deciding.hearing_over, "review-legality", "2024-03-25")
    walk.take("hold-hearing", "2024-03-28", notice_served_on="2024-03-19")
    walk.take("review-legality", "2024-03-29")
    walk.take("decide", "2024-03-29")


def test_a_hearing_requested_after_the_review_stops_the_decision() -> None:
    walk = Walk().to("review-legality")
    walk.take("request-hearing", "2024-03-20")
    walk.refused(deciding.hearing_over, "decide", "2024-03-27")
    walk.take("hold-hearing", "2024-04-08", notice_served_on="2024-03-26")
    walk.take("decide", "2024-04-08")


def test_an_investigator_does_not_preside_over_the_hearing() -> None:
    walk = Walk().to("notify")
    walk.take("request-hearing", "2024-03-18")
    notice = {"notice_served_on": "2024-03-19"}
    walk.refused(deciding.host_apart, "hold-hearing", "2024-03-28", host="officer1", **notice)
    walk.take("hold-hearing", "2024-03-28", host="officer3", **notice)


@pytest.mark.parametrize("command", ["hear-statement", "waive", "request-hearing"])
def test_the_party_answers_a_notice_not_a_review(command: str) -> None:
    walk = Walk().to("review")
    walk.take("review-legality", "2024-03-14")
    walk.refused(deciding.noticed, command, "2024-03-18")
    walk.take("notify", "2024-03-18")
    walk.take(command, "2024-03-19")


@pytest.mark.parametrize("fault", ["competent", "facts_clear", "discretion_proper"])
def test_a_failed_legal_review_stops_the_decision(fault: str) -> None:
    walk = Walk().to("review-legality", review_legality={fault: False})
    walk.refused(deciding.review_passed, "decide", "2024-03-27")
    walk.take("review-legality", "2024-03-28")
    walk.take("decide", "2024-03-28")


def test_a_failed_legal_review_can_send_the_case_back() -> None:
    walk = Walk().to("review-legality", review_legality={"facts_clear": False})
    walk.take("return-for-investigation", "2024-03-26", "legal1")
    assert walk.case.state == "investigating"


@pytest.mark.parametrize("fresh", [True, False])
def test_new_evidence_from_a_statement_is_reviewed_again(*, fresh: bool) -> None:
    walk = Walk().to("review-legality")
    walk.take("hear-statement", "2024-03-26", new_evidence=fresh)
    if fresh:
        walk.refused(deciding.review_passed, "decide", "2024-03-27")
        walk.take("review-legality", "2024-03-27")
    walk.take("decide", "2024-03-27")


def test_new_evidence_from_a_hearing_is_reviewed_again() -> None:
    walk = Walk().to("review-legality")
    walk.take("request-hearing", "2024-03-20")
    walk.take("hold-hearing", "2024-04-08", notice_served_on="2024-03-26", new_evidence=True)
    walk.refused(deciding.review_passed, "decide", "2024-04-09")
    walk.take("review-legality", "2024-04-09")
    walk.take("decide", "2024-04-09")


def test_half_a_million_yuan_is_discussed_first() -> None:
    walk = Walk().to("review-legality", **large())
    walk.refused(deciding.discussed, "decide", "2024-03-27", amount="500000.00")
    walk.take("discuss", "2024-03-26", amount="500000.00")
    walk.take("decide", "2024-03-27", amount="500000.00")


def test_less_than_half_a_million_needs_no_discussion() -> None:
    walk = Walk().to("review-legality", **large())
    walk.take("decide", "2024-03-27", amount="499999.99")


def test_a_fine_does_not_exceed_what_was_discussed() -> None:
    walk = Walk().to("review-legality", **large("600000.00"))
    walk.take("discuss", "2024-03-26", amount="550000.00")
    walk.refused(deciding.discussed, "decide", "2024-03-27", amount="550000.01")
    walk.take("decide", "2024-03-27", amount="550000.00")


@pytest.mark.parametrize("answer", ["hear-statement", "request-hearing"])
def test_a_discussion_before_the_partys_answer_is_held_again(answer: str) -> None:
    walk = Walk().to("notify", **large())
    walk.take("discuss", "2024-03-15", amount="500000.00")
    walk.take(answer, "2024-03-18")
    if answer == "request-hearing":
        walk.take("hold-hearing", "2024-03-28", notice_served_on="2024-03-19")
    walk.take("review-legality", "2024-03-29")
    walk.refused(deciding.discussed, "decide", "2024-04-01", amount="500000.00")
    walk.take("discuss", "2024-04-01", amount="500000.00")
    walk.take("decide", "2024-04-01", amount="500000.00")


def test_a_hearing_is_asked_for_within_five_working_days_of_the_notice() -> None:
    late = Walk().to("notify")  # served on Friday, 2024-03-15
    late.refused(deciding.hearing_in_time, "request-hearing", "2024-03-25")
    late.take("request-hearing", "2024-03-22")


def test_nothing_ended_or_was_told_after_the_day_it_is_entered() -> None:
    walk = Walk()
    walk.take("register", "2024-03-01", discovered_on="2024-03-01")
    walk.take("examine", "2024-03-02")
    walk.refused(guards.within_limitation, "file", "2024-03-04", act_ended_on="2024-03-05")
    walk.take("file", "2024-03-04", act_ended_on="2024-03-04")
    walk.take("investigate", "2024-03-05")
    walk.take("begin-appraisal", "2024-03-06")
    walk.refused(guards.told_by_now, "end-appraisal", "2024-03-08", told_party_on="2024-03-09")
    walk.take("end-appraisal", "2024-03-08", told_party_on="2024-03-08")


def test_a_suspended_investigation_is_resumed_before_it_is_concluded() -> None:
    walk = Walk().to("inspect")
    walk.take("suspend", "2024-03-11")
    walk.refused(guards.not_suspended, "conclude-investigation", "2024-03-12")
    walk.take("resume", "2024-03-12")
    walk.take("conclude-investigation", "2024-03-12")


def test_three_different_persons_vote() -> None:
    walk = Walk().to("review-legality")
    walk.refused(deciding.voters_apart, "discuss", "2024-03-26", voters=["leader1"] * 3)
    walk.take("discuss", "2024-03-26", voters=["leader1", "committee1", "committee2"])


def test_an_answer_binds_to_the_notice_it_answered_whatever_is_told_later() -> None:
    walk = Walk().to("notify", notify={"proposed_amount": "150000.00"})
    walk.take("hear-statement", "2024-03-18")
    walk.take("notify", "2024-03-19", proposed_amount="200000.00")
    walk.take("review-legality", "2024-03-27")
    walk.refused(deciding.not_above_notice, "decide", "2024-03-27", amount="150000.01")
    walk.take("decide", "2024-03-27", amount="150000.00")


def test_a_hearing_is_announced_after_it_was_asked_for() -> None:
    walk = Walk().to("notify")
    walk.take("request-hearing", "2024-03-18")
    walk.refused(
        deciding.hearing_announced, "hold-hearing", "2024-03-28", notice_served_on="2024-03-15"
    )
    walk.take("hold-hearing", "2024-03-28", notice_served_on="2024-03-18")
