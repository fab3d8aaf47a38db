"""Period rows: found by the day, and what a row may not say."""

from dataclasses import replace
from datetime import date

import pytest

from shared.clock.period import Period, Periods, Roll, Unit, UnknownPeriod, add_months
from shared.law import Article, Mark
from tests.clock.rows import NINETY_DAYS, PAYMENT, SEIZURE

OLD = Article("环境影响评价法22", Mark.V, date(2018, 12, 29), date(2026, 8, 14))
CODE = Article("生态环境法典102", Mark.V1, date(2026, 8, 15))
EIA_OLD = Period("eia-report", "审批报告书的期限", 60, Unit.WORKING, Roll.NONE, OLD)
EIA_CODE = replace(EIA_OLD, article=CODE)


def test_a_period_is_found_by_the_law_in_force_on_the_day() -> None:
    periods = Periods([EIA_CODE, PAYMENT, EIA_OLD])
    assert periods.at("eia-report", date(2026, 8, 14)) is EIA_OLD
    assert periods.at("eia-report", date(2026, 8, 15)) is EIA_CODE
    assert periods.at("payment", date(2026, 8, 15)) is PAYMENT


@pytest.mark.parametrize(
    "code,day", [("eia-report", date(2018, 12, 28)), ("eia-form", date(2026, 1, 1))]
)
def test_a_period_not_in_force_is_unknown(code: str, day: date) -> None:
    with pytest.raises(UnknownPeriod, match=f"{day} 没有施行中的期限“{code}”"):
        Periods([EIA_OLD, EIA_CODE]).at(code, day)


def test_two_rows_of_one_period_never_overlap() -> None:
    endless = replace(EIA_OLD, article=replace(OLD, effective_to=None))
    with pytest.raises(ValueError, match="eia-report"):
        Periods([EIA_CODE, endless])


def test_a_period_has_a_length_and_each_pause_ground_once() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        replace(PAYMENT, length=0)
    with pytest.raises(ValueError, match="at least 1"):
        replace(SEIZURE, extensions=(replace(SEIZURE.extensions[0], length=0),))
    with pytest.raises(ValueError, match="twice"):
        replace(SEIZURE, pauses=SEIZURE.pauses * 2)


def test_a_row_needs_checking_when_any_article_it_rests_on_does() -> None:
    assert not NINETY_DAYS.article.mark.needs_check
    assert NINETY_DAYS.needs_check
    assert not SEIZURE.needs_check
    assert [article.text for article in NINETY_DAYS.articles] == [
        "行政处罚法60",
        "生态环境部令30号附则",
        *["生态环境部令30号57"] * 4,
    ]


@pytest.mark.parametrize(
    "start,months,corresponding",
    [
        ("2025-03-01", 3, "2025-06-01"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2025-01-31", 1, "2025-02-28"),
        ("2024-11-30", 3, "2025-02-28"),
        ("2025-08-31", 6, "2026-02-28"),
        ("2025-12-15", 12, "2026-12-15"),
        ("2025-06-30", 6, "2025-12-30"),
    ],
)
def test_months_end_on_the_corresponding_day_or_the_last_of_the_month(
    start: str, months: int, corresponding: str
) -> None:
    assert add_months(date.fromisoformat(start), months) == date.fromisoformat(corresponding)


def test_units_are_named_in_chinese() -> None:
    assert [unit.label for unit in Unit] == ["工作日", "日", "个月"]
