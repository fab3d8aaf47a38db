"""Who handled a complaint neither signs its answer nor calls the reporter back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.complaints import articles, guards
from shared.clock.calendar import WorkCalendar
from shared.clock.law_time import law_day
from shared.identity.caller import Caller
from shared.identity.roles import Role
from shared.workflow.table import Guard, Situation
from tests.complaints.story import Story, registered

BOTH = frozenset({Role.INVESTIGATOR, Role.LEADER, Role.PETITIONS})


def _as(story: Story, account: str) -> Situation:
    """Look at a complaint as somebody who holds every role."""
    complaint = story.complaint
    return Situation(
        state=complaint.state,
        facts=complaint.facts,
        clocks=complaint.clocks,
        caller=Caller(account, BOTH, "500152", "https://issuer.example"),
        at=story.at,
        day=law_day(story.at),
        calendar=WorkCalendar.official(),
        periods=complaint.procedure.periods,
    )


@pytest.mark.parametrize(
    "guard,article",
    [
        (guards.signer_apart, articles.SIGNER_APART),
        (guards.caller_apart, articles.CALLER_APART),
    ],
)
def test_a_handler_is_kept_apart_whatever_their_roles(guard: Guard, article: object) -> None:
    story = registered().tell("accept", "assign")
    assert guard.article == article
    assert guard.check(_as(story, "officer2")) is not None
    assert guard.check(_as(story, "leader1")) is None


def test_a_later_assignment_frees_who_handled_it_before() -> None:
    story = registered().tell("accept", "assign")
    story.take("assign", handlers=["officer2", "officer3"])
    assert guards.signer_apart.check(_as(story, "officer1")) is None
    situation = replace(_as(story, "officer3"), state="drafted")
    assert guards.signer_apart.check(situation) is not None
