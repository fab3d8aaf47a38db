"""What the law asks of a decision and of what follows it, each way."""

from __future__ import annotations

from typing import Any

import pytest

from services.cases import deciding
from tests.cases.walk import Walk


def large(amount: str = "500000.00") -> dict[str, dict[str, Any]]:
    """A notice of a fine that the leaders must discuss."""
    return {"notify": {"proposed_amount": amount}}


def test_answering_never_raises_the_fine() -> None:
    walk = Walk().to("review-legality", notify={"proposed_amount": "150000.00"})
    walk.refused(deciding.not_above_notice, "decide", "2024-03-27", amount="150000.01")
    walk.take("decide", "2024-03-27", amount="150000.00")


@pytest.mark.parametrize(
    "unlawful, lawful", [("99999.99", "100000.00"), ("1000000.01", "1000000.00")]
)
def test_a_fine_lies_within_its_range(unlawful: str, lawful: str) -> None:
    walk = Walk().to("review-legality", **large("2000000.00"))
    walk.take("discuss", "2024-03-26", amount="2000000.00")
    walk.refused(deciding.within_range, "decide", "2024-03-27", amount=unlawful)
    walk.take("decide", "2024-03-27", amount=lawful)


def test_a_fine_below_the_minimum_is_a_reduction_on_a_mitigating_circumstance() -> None:
    walk = Walk().to("review-legality")
    below: dict[str, Any] = {"amount": "50000.00", "reduced": True}
    walk.refused(deciding.within_range, "decide", "2024-03-27", mitigating=[], **below)
    decision = walk.take("decide", "2024-03-27", **below)
    assert decision.data["at_minimum"] is False


def test_a_fine_by_total_investment_needs_the_investment() -> None:
    site: dict[str, Any] = {"cause": "unapproved_construction"}
    walk = Walk().to("review-legality", file=site)
    walk.refused(deciding.within_range, "decide", "2024-03-27", amount="80000.00")
    walk = Walk().to("review-legality", file={**site, "base": "8000000.00"})
    decision = walk.take("decide", "2024-03-27", amount="80000.00")
    assert (decision.data["range_minimum"], decision.data["range_maximum"]) == (
        "80000.00",
        "400000.00",
    )
    assert decision.data["at_minimum"] is True


def across_the_code(**review: Any) -> Walk:
    """A project begun under the former law, reviewed after the code came into force."""
    walk = Walk()
    walk.take("register", "2026-07-01", discovered_on="2026-07-01")
    walk.take("examine", "2026-07-02")
    walk.take(
        "file", "2026-07-03", act_ended_on="2026-06-30",
        cause="unapproved_construction", base="50000000.00", eia_report=True,
    )  # fmt: skip
    walk.take("investigate", "2026-07-03")
    walk.take("inspect", "2026-07-06")
    walk.take("conclude-investigation", "2026-08-10")
    walk.take("review", "2026-08-11")
    walk.take("notify", "2026-08-12")
    walk.take("review-legality", "2026-08-20", **review)
    return walk


def test_an_act_before_the_code_is_decided_by_the_law_that_legal_review_chose() -> None:
    walk = across_the_code()
    walk.refused(deciding.law_chosen, "decide", "2026-08-21", amount="200000.00")
    walk.take("review-legality", "2026-08-21", applicable_law="code")
    decision = walk.take("decide", "2026-08-21", amount="200000.00")
    assert (decision.data["law"], decision.data["range_maximum"]) == ("code", "1000000.00")


def test_the_former_law_chosen_keeps_its_own_range() -> None:
    walk = across_the_code(applicable_law="former")
    walk.refused(deciding.within_range, "decide", "2026-08-21", amount="200000.00")


def test_a_decision_before_the_code_needs_no_choice() -> None:
    assert Walk().to("decide").case.facts["decide"][-1]["law"] == "former"


@pytest.mark.parametrize("ground", ["minor_no_harm", "first_minor"])
def test_a_minor_violation_is_exempted_once_it_is_corrected(ground: str) -> None:
    walk = Walk().to("review")
    walk.take("review-legality", "2024-03-15")
    walk.refused(deciding.corrected, "exempt", "2024-03-18", ground=ground, corrected=False)
    assert walk.take("exempt", "2024-03-18", ground=ground).data["minor"] is True


def test_an_exemption_for_want_of_fault_is_no_minor_one() -> None:
    walk = Walk().to("review")
    walk.take("review-legality", "2024-03-15")
    decision = walk.take("exempt", "2024-03-18", ground="no_fault", corrected=False)
    assert decision.data["minor"] is False


def test_an_exemption_too_passes_legal_review() -> None:
    walk = Walk().to("review")
    walk.take("review-legality", "2024-03-15", discretion_proper=False)
    walk.refused(deciding.review_passed, "exempt", "2024-03-18")
    walk.take("review-legality", "2024-03-18")
    walk.take("exempt", "2024-03-18")


def test_electronic_service_takes_the_partys_consent() -> None:
    walk = Walk().to("decide")
    walk.refused(deciding.consented, "serve", "2024-03-28", method="electronic")
    walk.take("serve", "2024-03-28", method="electronic", consent=True)


def test_a_fine_is_paid_in_full_and_its_surcharge_never_exceeds_it() -> None:
    walk = Walk().to("serve")
    walk.refused(deciding.paid_in_full, "pay", "2024-04-02", amount="99999.99")
    walk.refused(deciding.surcharge_bounded, "pay", "2024-05-20", surcharge="100000.01")
    walk.take("pay", "2024-05-20", surcharge="100000.00")


def test_a_closed_exemption_has_no_penalty_to_revoke() -> None:
    walk = Walk().to("review")
    walk.take("review-legality", "2024-03-15")
    walk.take("exempt", "2024-03-18")
    walk.take("serve-exemption", "2024-03-19")
    walk.take("close", "2024-03-20")
    walk.refused(deciding.was_penalised, "revoke-closed", "2024-05-06")
    penalty = Walk().to("close")
    penalty.take("revoke-closed", "2024-05-06")
    assert penalty.case.state == "revoked"
