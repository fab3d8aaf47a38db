"""Each guard both ways: what the law forbids is refused by its article, its neighbour passes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.complaints import articles
from shared.http.problem import RefusedByLaw, WrongState
from shared.law import Article
from tests.complaints.story import TO_SIGNED, Story, registered, signed

URGENT: dict[str, Any] = {"urgent": True}
UNREACHABLE: dict[str, Any] = {"reporter": None}


def _refused(story: Story, article: Article, command: str, **data: Any) -> RefusedByLaw:
    with pytest.raises(RefusedByLaw) as refused:
        story.take(command, **data)
    assert refused.value.article == article
    return refused.value


@pytest.mark.parametrize("command", ["accept", "decline", "transfer"])
def test_a_reporter_who_can_be_reached_must_be_told(command: str) -> None:
    story = registered()
    refused = _refused(story, articles.NOTICE, command, told=False)
    assert refused.field == "told"
    story.take(command, told=True)


def test_a_reporter_who_cannot_be_reached_need_not_be_told() -> None:
    assert registered(**UNREACHABLE).take("accept", told=False).state == "accepted"


def test_an_urgent_complaint_is_accepted_and_not_declined() -> None:
    story = registered(**URGENT)
    _refused(story, articles.URGENT, "decline")
    assert story.take("accept").state == "accepted"


def test_a_transfer_is_objected_to_within_five_working_days() -> None:
    late = registered(channel="transferred")
    _refused(late, articles.OBJECTION, "object-to-transfer", on=date(2024, 3, 12))
    in_time = registered(channel="transferred")
    assert in_time.take("object-to-transfer", on=date(2024, 3, 11)).state == "objected"


def test_what_came_from_the_public_is_no_transfer_to_object_to() -> None:
    _refused(registered(channel="letter"), articles.OBJECTION, "object-to-transfer")


def test_a_transfer_is_objected_to_once() -> None:
    story = registered(channel="inspectorate").tell("object-to-transfer", "dismiss-objection")
    _refused(story, articles.OBJECTION, "object-to-transfer")


def test_an_objection_upheld_sends_the_complaint_back_and_ends_its_clock() -> None:
    story = registered(channel="12345").tell("object-to-transfer", "uphold-objection")
    assert story.complaint.state == "returned"
    assert story.complaint.clocks["acceptance"].state.ended is not None


def test_an_officer_complained_about_does_not_investigate() -> None:
    story = registered(staff=["officer2"]).tell("accept")
    refused = _refused(story, articles.RECUSAL, "assign", handlers=["officer1", "officer2"])
    assert refused.field == "handlers"
    assert story.take("assign", handlers=["officer1", "officer3"]).state == "assigned"


def test_a_leader_complained_about_does_not_sign() -> None:
    story = registered(staff=["leader1"]).tell(*TO_SIGNED[:-1])
    _refused(story, articles.RECUSAL, "sign-answer")
    assert story.take("sign-answer", by="leader2").state == "signed"


def test_a_clerk_complained_about_does_not_accept() -> None:
    story = registered(staff=["petition1"])
    _refused(story, articles.RECUSAL, "accept")
    assert story.take("accept", by="petition2").state == "accepted"


@pytest.mark.parametrize("handlers", [["officer1", "officer1"], ["officer1", "leader1"]])
def test_two_officers_with_certificates_investigate(handlers: list[str]) -> None:
    story = registered().tell("accept")
    _refused(story, articles.TWO_OFFICERS, "assign", handlers=handlers)
    story.take("assign", handlers=["officer1", "officer2"])


@pytest.mark.parametrize(
    "before,command",
    [(2, "investigate"), (3, "conclude-investigation"), (4, "draft-answer")],
)
def test_only_those_assigned_investigate_and_draft(before: int, command: str) -> None:
    story = registered().tell(*TO_SIGNED[:before])
    _refused(story, articles.ASSIGNMENT, command, by="officer3")
    story.take(command, by="officer2")


def test_what_proved_true_needs_a_measure() -> None:
    story = registered().tell(*TO_SIGNED[:3])
    refused = _refused(story, articles.HANDLING, "conclude-investigation", measures=[])
    assert refused.field == "measures"
    decision = story.take("conclude-investigation", measures=[], finding="unfounded")
    assert decision.data["handled"] is True


def test_a_request_to_punish_becomes_a_clue_before_it_is_answered() -> None:
    story = registered()
    story.take("accept", petition_type="enforcement")
    story.tell(*TO_SIGNED[1:4])
    _refused(story, articles.STATUTORY_DUTY, "draft-answer")
    story.tell("turn-into-clue", "draft-answer")
    assert story.complaint.state == "drafted"


def test_a_complaint_becomes_a_clue_once() -> None:
    story = registered().tell("accept", "turn-into-clue")
    _refused(story, articles.STATUTORY_DUTY, "turn-into-clue")


def test_the_sixty_days_are_extended_once_by_thirty_at_most_and_the_reporter_told() -> None:
    story = registered().tell(*TO_SIGNED[:3])
    _refused(story, articles.EXTENSION, "extend-handling", told=False)
    story.take("extend-handling", days=30)
    _refused(story, articles.HANDLING, "extend-handling", days=1)


def test_the_sixty_days_are_not_extended_once_they_are_over() -> None:
    story = registered().tell(*TO_SIGNED[:3])
    _refused(story, articles.EXTENSION, "extend-handling", on=date(2024, 5, 4))


def test_a_clue_is_extended_by_fifteen_days_at_most() -> None:
    story = registered()
    story.take("accept", petition_type="enforcement")
    _refused(story, articles.CLUE_DAYS, "extend-handling", days=16)
    story.take("extend-handling", days=15)


def test_an_answer_tells_what_the_reporter_can_do_against_it() -> None:
    story = signed()
    refused = _refused(story, articles.REVIEW, "reply", told_remedies=False)
    assert refused.field == "told_remedies"
    assert story.take("reply").state == "replied"


def test_a_reporter_who_can_be_reached_is_answered_before_closing() -> None:
    _refused(signed(), articles.FEEDBACK, "close-unreachable")
    assert signed(**UNREACHABLE).take("close-unreachable").state == "closed"


def test_who_was_unsatisfied_has_the_matter_handled_again_but_once() -> None:
    story = signed().tell("reply")
    story.take("call-back", outcome="unsatisfied")
    _refused(story, articles.REWORK, "close")
    story.tell("reopen", *TO_SIGNED[1:], "reply")
    assert story.complaint.clocks["handling"].period == "rework"
    story.take("call-back", outcome="unsatisfied")
    _refused(story, articles.REVIEW, "reopen")
    assert story.take("close").state == "closed"


@pytest.mark.parametrize("outcome", ["satisfied", "unreached"])
def test_nothing_is_reopened_without_dissatisfaction(outcome: str) -> None:
    story = signed().tell("reply")
    story.take("call-back", outcome=outcome)
    _refused(story, articles.REWORK, "reopen")
    assert story.take("close").state == "closed"


def test_a_complaint_is_not_assigned_before_it_is_accepted() -> None:
    with pytest.raises(WrongState):
        registered().take("assign")
