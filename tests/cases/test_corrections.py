"""更正: what may be corrected in a case, by whom, and what follows from it."""

from __future__ import annotations

from typing import Any

import pytest

from services.cases.examples import CATALOGUE_ITEM
from shared.http.problem import RefusedByLaw
from shared.workflow.correction import SECOND_PERSON
from tests.cases.walk import Walk


def propose(walk: Walk, target: str, changes: dict[str, Any], **rest: Any) -> None:
    walk.take("propose-correction", "2024-04-10", target=target, changes=changes, **rest)


def refused(walk: Walk, command: str, actor: str | None = None, **changes: Any) -> str:
    with pytest.raises(RefusedByLaw) as refusal:
        walk.take(command, "2024-04-11", actor, **changes)
    assert refusal.value.article == SECOND_PERSON
    return str(refusal.value)


def test_a_circumstance_left_out_makes_the_minimum_when_corrected() -> None:
    walk = Walk().to("close", decide={"mitigating": ["restored"]})
    assert walk.case.facts["decide"][0]["at_minimum"] is False
    propose(walk, "decide", {"mitigating": ["restored", "eliminated_harm"]})
    walk.take("correct", "2024-04-11")
    assert walk.case.facts["decide"][0]["at_minimum"] is True
    assert walk.case.state == "closed"


def test_an_aggravating_circumstance_unmakes_the_minimum_when_corrected() -> None:
    walk = Walk().to("decide")
    propose(walk, "decide", {"aggravating": ["repeated"]})
    decision = walk.take("correct", "2024-04-11")
    assert decision.data["changes"] == {"aggravating": ["repeated"], "at_minimum": False}


def test_a_ground_of_exemption_is_corrected_into_a_minor_one() -> None:
    walk = Walk().to("review")
    walk.take("review-legality", "2024-03-15")
    walk.take("exempt", "2024-03-18", ground="no_fault")
    propose(walk, "exempt", {"ground": "first_minor"})
    walk.take("correct", "2024-04-11")
    assert walk.case.facts["exempt"][0]["minor"] is True


def test_a_corrected_cause_shows_in_lists() -> None:
    walk = Walk().to("file")
    propose(walk, "file", {"cause": "water"})
    walk.take("correct", "2024-04-11")
    assert walk.case.columns["cause"] == "water"


def test_who_proposed_does_not_confirm() -> None:
    walk = Walk().to("decide")
    propose(walk, "decide", {"aggravating": ["repeated"]})
    refused(walk, "correct", "officer1")
    refused(walk, "reject-correction", "officer1")
    walk.take("correct", "2024-04-11", "officer2")


def test_a_rejected_correction_changes_nothing_and_makes_room_for_another() -> None:
    walk = Walk().to("decide")
    propose(walk, "decide", {"aggravating": ["repeated"]})
    refused(walk, "propose-correction", target="decide", changes={"aggravating": []})
    walk.take("reject-correction", "2024-04-11")
    assert walk.case.facts["decide"][0]["aggravating"] == []
    refused(walk, "correct")
    propose(walk, "decide", {"aggravating": ["malicious"]})


@pytest.mark.parametrize(
    "target, occurrence, changes, reason",
    [
        ("decide", 0, {"amount": "1.00"}, "只可更正"),
        ("decide", 0, {"mitigating": ["无此情节"]}, "不合规定"),
        ("decide", 1, {"mitigating": []}, "没有这一次办理"),
        ("pay", 0, {"amount": "1.00"}, "可更正的步骤"),
        ("decide", 0, {"occurred_at": "昨天"}, "不是 RFC 3339"),
    ],
)
def test_only_what_the_table_names_is_corrected(
    target: str, occurrence: int, changes: dict[str, Any], reason: str
) -> None:
    walk = Walk().to("decide")
    detail = refused(
        walk, "propose-correction", target=target, occurrence=occurrence, changes=changes
    )
    assert reason in detail


def test_a_catalogue_item_claimed_as_the_wrong_kind_is_corrected() -> None:
    walk = Walk()
    walk.take("claim-item", "2024-01-05")
    walk.take(
        "propose-correction", "2024-01-08", "legal1", target="claim-item",
        changes={"kind": "coercion"},
    )  # fmt: skip
    walk.take("correct", "2024-01-09", "legal2")
    assert walk.case.columns == {"kind": "coercion", "code": CATALOGUE_ITEM["claim-item"]["code"]}
