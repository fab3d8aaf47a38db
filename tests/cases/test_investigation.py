"""What the law asks of filing, investigating, seizing and transferring, each way."""

from __future__ import annotations

from typing import Any

import pytest

from services.cases import guards
from shared.http.problem import WrongState
from tests.cases.walk import Walk
from tests.replay import OFFICERS

TEAM = ["officer1", "officer2"]


@pytest.mark.parametrize("unmet", ["has_evidence", "punishable", "in_jurisdiction"])
def test_a_case_is_filed_under_all_four_conditions(unmet: str) -> None:
    walk = Walk().to("examine")
    lacking: dict[str, Any] = {unmet: False}
    walk.refused(guards.four_conditions, "file", "2024-03-05", **lacking)
    walk.take("file", "2024-03-05")


@pytest.mark.parametrize(
    "ended, harmful, lawful",
    [
        ("2022-02-28", False, {"act_ended_on": "2022-03-01"}),
        ("2019-02-28", True, {"act_ended_on": "2019-03-01", "harmful": True}),
        ("2022-02-28", False, {"act_ended_on": "2022-02-28", "harmful": True}),
    ],
)
def test_an_act_found_out_too_late_is_not_filed(
    ended: str, lawful: dict[str, Any], *, harmful: bool
) -> None:
    walk = Walk().to("examine")
    walk.refused(
        guards.within_limitation, "file", "2024-03-05", act_ended_on=ended, harmful=harmful
    )
    walk.take("file", "2024-03-05", **lawful)


@pytest.mark.parametrize(
    "team", [["officer1", "legal1"], ["officer1", "officer1"], ["officer1", "officer9"]]
)
def test_two_certified_officers_investigate(team: list[str]) -> None:
    walk = Walk().to("examine")
    walk.refused(guards.two_investigators, "file", "2024-03-05", investigators=team)
    walk.take("file", "2024-03-05", investigators=TEAM)


def test_a_certificate_must_be_in_force_on_the_day() -> None:
    last = OFFICERS["officer1"][0].valid_to
    clue = {"discovered_on": last.isoformat()}
    acted = {"act_ended_on": last.isoformat()}
    walk = Walk()
    walk.take("register", last.isoformat(), **clue)
    walk.take("examine", "2035-12-31")
    walk.refused(guards.two_investigators, "file", "2036-01-01", **acted)
    walk.take("file", "2035-12-31", **acted)


@pytest.mark.parametrize("command", ["investigate", "conclude-investigation"])
def test_only_the_cases_own_officers_investigate(command: str) -> None:
    before = {"investigate": "file", "conclude-investigation": "inspect"}[command]
    walk = Walk().to(before)
    walk.refused(guards.is_investigator, command, "2024-03-11", "officer3")
    walk.take(command, "2024-03-11", "officer2")


def test_an_inspection_takes_two_certified_officers() -> None:
    walk = Walk().to("investigate")
    walk.refused(guards.two_officers, "inspect", "2024-03-06", officers=["officer1", "window1"])
    walk.take("inspect", "2024-03-06", officers=["officer1", "officer3"])


def test_an_investigation_ends_with_a_record_of_inspection() -> None:
    walk = Walk().to("investigate")
    walk.refused(guards.inspected, "conclude-investigation", "2024-03-11")
    walk.take("inspect", "2024-03-06")
    walk.take("conclude-investigation", "2024-03-11")


def test_an_investigation_waits_for_its_appraisal() -> None:
    walk = Walk().to("inspect")
    walk.refused(guards.appraisal_open, "end-appraisal", "2024-03-08")
    walk.take("begin-appraisal", "2024-03-07")
    walk.refused(guards.no_appraisal_open, "begin-appraisal", "2024-03-08")
    walk.refused(guards.no_appraisal_open, "conclude-investigation", "2024-03-11")
    walk.take("end-appraisal", "2024-03-12", told_party_on="2024-03-12")
    walk.take("conclude-investigation", "2024-03-13")


def test_the_party_is_told_the_results_and_a_correction_may_say_when() -> None:
    walk = Walk().to("inspect")
    walk.take("begin-appraisal", "2024-03-07")
    walk.take("end-appraisal", "2024-03-10", told_party_on=None)
    walk.refused(guards.results_told, "conclude-investigation", "2024-03-11")
    walk.take(
        "propose-correction", "2024-03-11",
        target="end-appraisal", changes={"told_party_on": "2024-03-10"},
    )  # fmt: skip
    walk.take("correct", "2024-03-11")
    walk.take("conclude-investigation", "2024-03-11")


def test_a_seizure_takes_two_officers_the_party_and_nothing_seized_before() -> None:
    walk = Walk().to("investigate")
    walk.refused(guards.two_officers, "seize", "2024-03-06", officers=["officer1", "leader1"])
    walk.refused(guards.party_heard, "seize", "2024-03-06", party_heard=False)
    walk.take("seize", "2024-03-06")
    walk.refused(guards.nothing_seized, "seize", "2024-03-07")
    walk.take("release", "2024-03-08", ground="unrelated")
    walk.take("seize", "2024-03-11")


@pytest.mark.parametrize("command", ["release", "extend-seizure"])
def test_only_what_is_seized_is_released_or_kept(command: str) -> None:
    walk = Walk().to("investigate")
    walk.refused(guards.something_seized, command, "2024-03-07")
    walk.take("seize", "2024-03-07")
    walk.take(command, "2024-03-08")


def test_an_overdue_seizure_blocks_the_decision_until_it_is_released() -> None:
    walk = Walk().to("investigate")
    walk.take("seize", "2024-03-06")
    for command, day in (
        ("inspect", "2024-03-06"),
        ("conclude-investigation", "2024-03-11"),
        ("review", "2024-03-13"),
        ("notify", "2024-03-15"),
        ("review-legality", "2024-03-25"),
    ):
        walk.take(command, day)
    walk.refused(guards.seizure_in_time, "decide", "2024-04-06")
    walk.take("decide", "2024-04-05")
    walk.take("serve", "2024-04-05")
    walk.take("pay", "2024-04-05")
    walk.refused(guards.nothing_seized, "close", "2024-04-05")
    walk.take("release", "2024-04-05")
    walk.take("close", "2024-04-05")


def test_a_transfer_is_verified_by_two_and_answered_once() -> None:
    walk = Walk().to("investigate")
    walk.refused(guards.transferred, "record-police-reply", "2024-03-07")
    walk.refused(
        guards.two_verifiers,
        "transfer-to-police",
        "2024-03-07",
        verified_by=["officer1", "leader1"],
    )
    walk.take("transfer-to-police", "2024-03-07")
    walk.refused(guards.not_transferred, "transfer-to-police", "2024-03-08")
    walk.take("record-police-reply", "2024-03-10")
    walk.take("transfer-to-police", "2024-03-11")


def test_a_case_is_not_closed_while_the_police_have_not_answered() -> None:
    walk = Walk().to("review-legality")
    walk.take("transfer-to-police", "2024-03-26")
    for command, day in (("decide", "2024-03-27"), ("serve", "2024-03-28"), ("pay", "2024-04-01")):
        walk.take(command, day)
    walk.refused(guards.not_transferred, "close", "2024-04-02")
    walk.take("record-police-reply", "2024-04-02", filed=False)
    walk.take("close", "2024-04-02")


def test_a_filing_is_not_withdrawn_over_a_seizure() -> None:
    walk = Walk().to("investigate")
    walk.take("seize", "2024-03-06")
    walk.refused(guards.nothing_seized, "dismiss", "2024-03-08")
    walk.take("release", "2024-03-08")
    walk.take("dismiss", "2024-03-08")


def test_a_step_out_of_turn_is_refused_by_its_state() -> None:
    walk = Walk().to("register")
    with pytest.raises(WrongState, match="作出处罚决定只能在“法制审核”时办理"):
        walk.take("decide", "2024-03-27")
