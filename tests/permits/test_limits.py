"""The register of limits: the statutory one is the law's, the committed one never longer."""

from __future__ import annotations

from typing import Any

import pytest

from services.permits.workflow import PROCEDURES
from shared.http.problem import RefusedByLaw
from tests.permits.desk import Application

LAW = "行政许可法42"


def limit(**data: Any) -> Application:
    entry = Application()
    entry.take("set-limit", "2024-01-02", **data)
    return entry


@pytest.mark.parametrize(
    "item,kind,days",
    [
        ("eia_report", "new", 60),
        ("eia_form", "new", 30),
        ("discharge_key", "new", 30),
        ("discharge_simplified", "change", 10),
        ("radiation", "new", 20),
        ("other", "new", 20),
    ],
)
def test_the_statutory_limit_is_what_the_law_says(item: str, kind: str, days: int) -> None:
    for wrong in (days - 1, days + 1):
        article = Application().refused(
            "set-limit", "2024-01-02", item=item, kind=kind, statutory_days=wrong
        )
        assert article == LAW
    assert limit(item=item, kind=kind, statutory_days=days).state == "in_force"


def test_the_refusal_names_the_article_of_the_items_own_limit() -> None:
    with pytest.raises(RefusedByLaw, match="环境影响评价法22"):
        limit(item="eia_report", statutory_days=61)
    with pytest.raises(RefusedByLaw, match="生态环境法典102Ⅱ"):
        Application().take("set-limit", "2026-08-17", item="eia_report", statutory_days=61)


def test_nothing_is_committed_to_beyond_the_law() -> None:
    assert "承诺" in Application().refused("set-limit", "2024-01-02", committed_days=61)
    entry = limit(committed_days=60)
    assert "承诺" in entry.refused("change-limit", "2024-02-01", committed_days=61)
    entry.take("change-limit", "2024-02-01", committed_days=5)


def test_a_limit_of_an_item_without_that_kind_is_not_set() -> None:
    assert "办理类型" in Application().refused("set-limit", "2024-01-02", kind="renewal")


def test_a_change_and_a_withdrawal_say_which_limit_they_concern() -> None:
    entry = limit(committed_days=10)
    assert entry.take("change-limit", "2024-02-01", committed_days=5).data == {
        "item": "eia_report",
        "kind": "new",
        "statutory_days": 60,
        "committed_days": 5,
    }
    withdrawn = entry.take("withdraw-limit", "2024-03-01")
    assert withdrawn.data["committed_days"] == 5
    assert withdrawn.columns["committed_days"] == 5
    assert entry.state == "out_of_force"


def test_a_withdrawn_limit_comes_into_force_again_by_a_change() -> None:
    entry = limit()
    entry.take("withdraw-limit", "2024-03-01")
    entry.out_of_place("withdraw-limit", "2024-03-04")
    entry.take("change-limit", "2024-03-05")
    assert entry.state == "in_force"


def test_procedures_and_events_have_names_of_their_own() -> None:
    events = [row.event for procedure in PROCEDURES for row in procedure.rows]
    assert len(set(events)) == len(events)
    assert [procedure.path for procedure in PROCEDURES] == ["applications", "limits"]
