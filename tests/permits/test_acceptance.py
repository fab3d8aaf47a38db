"""Receipt, supplement and acceptance: what is refused, by which article, and what may go on."""

from __future__ import annotations

import pytest

from tests.permits.desk import Application, received

ONCE = "行政许可法32（四）、（五）"


def test_a_kind_that_the_item_does_not_know_is_not_received() -> None:
    assert "事项与办理类型" in Application().refused(
        "receive", "2024-03-04", item="eia_form", kind="renewal"
    )
    assert received("eia_form", kind="change").state == "received"


def test_nothing_is_received_under_rules_not_yet_in_force() -> None:
    assert (
        Application().refused("receive", "2021-02-26", item="discharge_key") == "行政许可法29、32"
    )
    assert received("discharge_key", "2021-03-01").state == "received"


@pytest.mark.parametrize("command", ["accept", "accept-eia", "deem-accepted"])
def test_an_item_corrected_to_one_whose_law_came_later_goes_no_further(command: str) -> None:
    application = received("other", "2017-03-06", kind="new")
    application.take("propose-correction", "2017-03-06", changes={"item": "eia_form"})
    application.take("correct", "2017-03-06", by="window2")
    assert application.refused(command, "2017-03-06") == "行政许可法29、32"
    received("other", "2017-03-06").take("accept", "2017-03-06")


def test_a_serial_may_be_used_once_in_a_channel() -> None:
    decision = Application().take("receive", "2024-03-04", channel="online", serial="YKB-1")
    assert [(claim.kind, claim.key) for claim in decision.claims] == [("serial", "online/YKB-1")]
    assert not Application().take("receive", "2024-03-04").claims


def test_a_supplement_is_asked_for_once_only() -> None:
    application = received()
    application.take("request-supplement", "2024-03-05")
    application.take("supplement", "2024-03-08")
    assert application.refused("request-supplement", "2024-03-11") == ONCE
    application.take("accept", "2024-03-11")
    assert application.state == "accepted"


@pytest.mark.parametrize(
    "item,last,late",
    [("other", "2024-03-11", "2024-03-12"), ("discharge_key", "2024-03-07", "2024-03-08")],
)
@pytest.mark.parametrize("command", ["request-supplement", "decline-acceptance", "accept"])
def test_who_is_not_told_in_time_is_accepted(item: str, last: str, late: str, command: str) -> None:
    received(item).take(command, last)
    application = received(item)
    assert application.refused(command, late) == ONCE
    application.take("deem-accepted", "2024-03-04")
    assert application.state == "accepted"


def test_an_application_is_deemed_accepted_from_the_day_of_its_receipt() -> None:
    application = received()
    assert application.refused("deem-accepted", "2024-03-12") == ONCE
    application.take("deem-accepted", "2024-03-04")
    assert application.clock("statutory", "2024-03-12").elapsed == 6


def test_an_eia_is_accepted_as_such_because_its_limit_runs_from_receipt() -> None:
    assert received("eia_form").refused("accept", "2024-03-05") == "建设项目环境保护管理条例9"
    assert received("radiation").refused("accept-eia", "2024-03-05") == "建设项目环境保护管理条例9"
    received("eia_form").take("accept-eia", "2024-03-05")
    received("radiation").take("accept", "2024-03-05")


def test_what_is_incomplete_is_declined_only_after_a_supplement_was_asked_for() -> None:
    application = received()
    assert application.refused("decline-acceptance", "2024-03-05", ground="incomplete") == ONCE
    application.take("request-supplement", "2024-03-05")
    application.take("supplement", "2024-03-08")
    application.take("decline-acceptance", "2024-03-11", ground="incomplete")
    assert application.state == "not_accepted"


def test_a_supplement_has_a_day_on_which_it_is_due_and_lapses_after_it() -> None:
    application = received()
    assert application.refused("request-supplement", "2024-03-05", due_on="2024-03-05") == ONCE
    application.take("request-supplement", "2024-03-05", due_on="2024-03-15")
    assert "逾期不补" in application.refused("lapse", "2024-03-15")
    application.take("lapse", "2024-03-18")
    assert application.state == "lapsed"


def test_an_application_can_be_withdrawn_until_it_is_decided() -> None:
    application = received()
    application.take("withdraw", "2024-03-05")
    application.out_of_place("accept", "2024-03-06")
