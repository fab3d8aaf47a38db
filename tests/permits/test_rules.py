"""The limits, notices and terms of law.md's sources, item by item."""

from datetime import date

import pytest

from services.permits import rules
from services.permits.articles import CODE
from shared.clock.period import Period, Unit, UnknownPeriod

IN_2024 = date(2024, 3, 4)


def statutory(item: str, kind: str, day: date = IN_2024) -> Period:
    return rules.PERIODS.at(rules.statutory_code(item, kind), day)


@pytest.mark.parametrize(
    "item,kind,days,article",
    [
        ("eia_report", "new", 60, "环境影响评价法22"),
        ("eia_form", "new", 30, "环境影响评价法22"),
        ("discharge_key", "new", 30, "排污许可管理条例12"),
        ("discharge_key", "reissue", 30, "排污许可管理条例12"),
        ("discharge_simplified", "new", 20, "排污许可管理条例12"),
        ("discharge_key", "renewal", 20, "排污许可管理条例14"),
        ("discharge_simplified", "change", 10, "排污许可管理条例14Ⅲ"),
        ("radiation", "new", 20, "放射性同位素与射线装置安全和防护条例9"),
        ("radiation", "renewal", 20, "行政许可法42"),
        ("other", "new", 20, "行政许可法42"),
    ],
)
def test_the_statutory_limit_of_each_item(item: str, kind: str, days: int, article: str) -> None:
    period = statutory(item, kind)
    assert (period.length, period.unit, period.article.text) == (days, Unit.WORKING, article)


def test_the_code_keeps_the_sixty_and_thirty_days_of_an_eia() -> None:
    assert statutory("eia_report", "new", CODE).article.text == "生态环境法典102Ⅱ"
    assert statutory("eia_report", "new", CODE).length == 60
    assert statutory("eia_form", "new", CODE).length == 30


def test_no_discharge_permit_has_a_limit_before_its_rules_took_effect() -> None:
    with pytest.raises(UnknownPeriod):
        statutory("discharge_key", "new", date(2021, 2, 28))
    assert statutory("discharge_key", "new", date(2021, 3, 1)).length == 30


def test_a_discharge_application_is_answered_in_three_days_any_other_in_five() -> None:
    lengths = {
        item: rules.PERIODS.at(rules.acceptance_code(item), IN_2024).length for item in rules.KINDS
    }
    assert {item for item, days in lengths.items() if days == 3} == rules.DISCHARGE
    assert {days for item, days in lengths.items() if item not in rules.DISCHARGE} == {5}


@pytest.mark.parametrize(
    "item,kind", [(item, kind) for item, kinds in rules.KINDS.items() for kind in sorted(kinds)]
)
def test_what_is_committed_is_never_longer_than_what_the_law_allows(item: str, kind: str) -> None:
    committed = rules.PERIODS.at(rules.committed_code(item, kind), IN_2024)
    assert 1 <= committed.length <= statutory(item, kind).length
    assert committed.article.mark.value == "E"


def test_both_eia_items_are_committed_to_in_five_days() -> None:
    for item in rules.EIA:
        assert rules.PERIODS.at(rules.committed_code(item, "new"), IN_2024).length == 5


def test_only_general_items_and_key_discharge_permits_can_be_extended() -> None:
    extended = {
        (item, kind): [extension.length for extension in statutory(item, kind).extensions]
        for item, kinds in rules.KINDS.items()
        for kind in kinds
        if statutory(item, kind).extensions
    }
    assert extended.pop(("discharge_key", "new")) == [15]
    assert extended.pop(("discharge_key", "reissue")) == [15]
    assert {item for item, _ in extended} == {"other", "radiation"}
    assert ("radiation", "new") not in extended
    assert all(lengths == [10] for lengths in extended.values())


@pytest.mark.parametrize(
    "item,procedure",
    [
        ("eia_report", "technical_review"),
        ("eia_form", "expert_review"),
        ("discharge_key", "expert_review"),
        ("discharge_simplified", "hearing"),
        ("radiation", "testing"),
        ("other", "appraisal"),
    ],
)
def test_the_clock_stops_for_what_the_law_names(item: str, procedure: str) -> None:
    assert rules.stops_the_clock(item, procedure)


@pytest.mark.parametrize("item", ["discharge_key", "discharge_simplified", "radiation", "other"])
def test_a_technical_review_stops_the_clock_of_an_eia_alone(item: str) -> None:
    assert not rules.stops_the_clock(item, "technical_review")


@pytest.mark.parametrize(
    "begins,ends",
    [
        (date(2024, 4, 1), date(2029, 3, 31)),
        (date(2024, 2, 29), date(2029, 2, 27)),
        (date(2024, 1, 1), date(2028, 12, 31)),
    ],
)
def test_a_licence_runs_for_five_years(begins: date, ends: date) -> None:
    assert rules.term_ends(begins) == ends
