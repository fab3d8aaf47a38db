"""The ranges of fines and the thresholds that hang on them (law.md's worked examples)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cases import rules
from services.cases.schemas import Cause


def limits(
    cause: str,
    law: rules.Law,
    base: int | None = None,
    *,
    licensed: bool = False,
    report: bool = False,
) -> tuple[int, int]:
    found = rules.bounds(
        cause, law, None if base is None else Decimal(base), licensed=licensed, eia_report=report
    )
    return int(found.minimum), int(found.maximum)


@pytest.mark.parametrize(
    "cause, base, licensed, expected",
    [
        pytest.param(
            "unapproved_construction", 8_000_000, False, (80_000, 400_000), id="环评法31Ⅰ"
        ),
        pytest.param(
            "unapproved_construction",
            50_000_000,
            False,
            (500_000, 2_500_000),
            id="环评法31Ⅰ 五千万",
        ),
        pytest.param("air", None, False, (100_000, 1_000_000), id="大气99（二）"),
        pytest.param("air", None, True, (200_000, 1_000_000), id="条例34（一） 废气"),
        pytest.param("water", None, False, (100_000, 1_000_000), id="水83（二）"),
        pytest.param("water", None, True, (200_000, 1_000_000), id="条例34（一） 废水"),
        pytest.param("solid_waste", 60_000, False, (100_000, 300_000), id="固废102（七） 不足十万"),
        pytest.param(
            "solid_waste", 100_000, False, (100_000, 300_000), id="固废102（七） 恰为十万"
        ),
        pytest.param("solid_waste", 150_000, False, (150_000, 450_000), id="固废102（七）"),
        pytest.param("three_simultaneities", None, False, (200_000, 1_000_000), id="条例23"),
        pytest.param("other", None, False, (20_000, 200_000), id="大气108等"),
    ],
)
def test_the_former_laws_give_the_range_of_each_cause(
    cause: str, base: int | None, expected: tuple[int, int], *, licensed: bool
) -> None:
    assert limits(cause, "former", base, licensed=licensed) == expected


@pytest.mark.parametrize(
    "cause, report, expected",
    [
        pytest.param("unapproved_construction", True, (200_000, 1_000_000), id="1095Ⅰ 报告书"),
        pytest.param("unapproved_construction", False, (100_000, 500_000), id="1095Ⅰ 报告表"),
        pytest.param("air", False, (100_000, 1_000_000), id="1107 废气"),
        pytest.param("water", False, (100_000, 1_000_000), id="1107 废水"),
        pytest.param("solid_waste", False, (100_000, 1_000_000), id="1169"),
        pytest.param("three_simultaneities", False, (200_000, 1_000_000), id="1100"),
        pytest.param("other", False, (20_000, 200_000), id="1120等"),
    ],
)
def test_the_code_gives_the_range_of_each_cause_without_a_base(
    cause: str, expected: tuple[int, int], *, report: bool
) -> None:
    assert limits(cause, "code", report=report) == expected


@pytest.mark.parametrize("cause", ["unapproved_construction", "solid_waste"])
def test_a_multiple_of_an_unknown_sum_is_no_range(cause: str) -> None:
    with pytest.raises(rules.NoRangeError, match="请在立案时填写"):
        limits(cause, "former")


@given(
    cause=st.sampled_from(list(Cause.__args__)),  # type: ignore[attr-defined]
    law=st.sampled_from(["former", "code"]),
    base=st.decimals(0, 10**9, places=2),
    licensed=st.booleans(),
    report=st.booleans(),
)
def test_every_case_has_one_range_whose_least_is_not_above_its_most(
    cause: str, law: rules.Law, base: Decimal, *, licensed: bool, report: bool
) -> None:
    found = rules.bounds(cause, law, base, licensed=licensed, eia_report=report)
    assert 0 <= found.minimum <= found.maximum
    rows = [
        row
        for row in rules.RANGES
        if (row.cause, row.law) == (cause, law)
        and row.licensed in (None, licensed)
        and row.eia_report in (None, report)
    ]
    assert [row.article for row in rows] == [found.article]


@pytest.mark.parametrize(
    "ended, law", [("2026-08-14", "former"), ("2026-08-15", "code"), ("2024-03-01", "former")]
)
def test_an_act_falls_under_the_law_in_force_when_it_ended(ended: str, law: str) -> None:
    assert rules.law_at(date.fromisoformat(ended)) == law


@pytest.mark.parametrize(
    "ended, decided, crosses",
    [
        ("2026-08-14", "2026-08-15", True),
        ("2026-08-14", "2026-08-14", False),
        ("2026-08-15", "2026-09-01", False),
    ],
)
def test_laws_cross_where_an_act_of_the_former_is_decided_under_the_code(
    ended: str, decided: str, *, crosses: bool
) -> None:
    assert rules.laws_cross(date.fromisoformat(ended), date.fromisoformat(decided)) is crosses


@pytest.mark.parametrize(
    "amount, mitigating, aggravating, minimal",
    [
        ("80000", ["eliminated_harm", "restored"], [], True),
        ("80000", ["eliminated_harm"], [], False),
        ("80000", ["eliminated_harm", "eliminated_harm"], [], False),
        ("80000", ["eliminated_harm", "restored"], ["repeated"], False),
        ("80001", ["eliminated_harm", "restored"], [], False),
        ("79999", ["eliminated_harm", "restored"], [], False),
    ],
)
def test_a_minimum_fine_takes_two_mitigating_and_no_aggravating_circumstance(
    amount: str, mitigating: list[str], aggravating: list[str], *, minimal: bool
) -> None:
    assert rules.is_minimum(Decimal(amount), Decimal(80_000), mitigating, aggravating) is minimal


@pytest.mark.parametrize(
    "kind, amount, grave, due",
    [
        ("individual", "4999.99", False, False),
        ("individual", "5000", False, True),
        ("organisation", "49999.99", False, False),
        ("organisation", "50000", False, True),
        ("organisation", "0", True, True),
    ],
)
def test_chongqing_hearings_begin_at_five_and_fifty_thousand_yuan(
    kind: str, amount: str, *, grave: bool, due: bool
) -> None:
    assert rules.hearing_due(kind, Decimal(amount), grave_kinds=grave) is due


@pytest.mark.parametrize(
    "amount, grave, due",
    [("499999.99", False, False), ("500000", False, True), ("1", True, True)],
)
def test_leaders_discuss_half_a_million_yuan_and_graver_kinds(
    amount: str, *, grave: bool, due: bool
) -> None:
    assert rules.discussion_due(Decimal(amount), grave_kinds=grave) is due


@pytest.mark.parametrize(
    "ended, harmful, last",
    [
        ("2022-03-01", False, "2024-03-01"),
        ("2019-03-01", True, "2024-03-01"),
        ("2024-02-29", False, "2026-02-28"),
        ("2024-02-29", True, "2029-02-28"),
    ],
)
def test_an_act_is_barred_after_two_years_or_five(ended: str, last: str, *, harmful: bool) -> None:
    assert rules.limitation_ends(date.fromisoformat(ended), harmful=harmful) == date.fromisoformat(
        last
    )
