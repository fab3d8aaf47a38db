"""The calendar file an administrator loads, and the table its versions lie in."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import MetaData
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from shared.clock.calendar import CalendarError
from shared.clock.calendar_store import (
    CalendarNotice,
    calendar_table,
    load_calendar,
    parse_calendar,
)

NOTICE: dict[str, Any] = {
    "year": 2027,
    "source": "国办发明电〔2026〕示例号",
    "holidays": ["2027-01-01", "2027-01-02", "2027-01-03"],
    "workdays": ["2027-01-30"],
}


def changed(**fields: object) -> str:
    return json.dumps(NOTICE | fields, ensure_ascii=False)


def row(version: int, holidays: list[date], year: int = 2027) -> dict[str, object]:
    source = f"第 {version} 版"
    return {
        "year": year,
        "version": version,
        "source": source,
        "holidays": holidays,
        "workdays": [],
    }


def test_a_calendar_file_gives_its_year_days_and_source() -> None:
    assert parse_calendar(changed()) == CalendarNotice(
        year=2027,
        holidays=(date(2027, 1, 1), date(2027, 1, 2), date(2027, 1, 3)),
        makeup=(date(2027, 1, 30),),
        source="国办发明电〔2026〕示例号",
    )


def test_a_year_without_worked_weekends_is_possible() -> None:
    assert parse_calendar(changed(workdays=[])).makeup == ()


@pytest.mark.parametrize(
    "fields,field,reason",
    [
        ({"year": "2027"}, "year", "应为 2004 至 2100 的整数"),
        ({"year": True}, "year", "应为 2004 至 2100 的整数"),
        ({"year": 1999}, "year", "应为 2004 至 2100 的整数"),
        ({"source": " "}, "source", "应写明国务院办公厅通知的文号"),
        ({"source": 7}, "source", "应写明国务院办公厅通知的文号"),
        ({"source": "国办\u0000号"}, "source", "应为不超过 200 字的一行文字"),
        ({"source": "号" * 201}, "source", "应为不超过 200 字的一行文字"),
        ({"holidays": []}, "holidays", "不能为空"),
        ({"holidays": "2027-01-01"}, "holidays", "应为日期列表"),
        ({"holidays": ["2027-02-30"]}, "holidays", "第 1 项应为日期，如 2027-01-01"),
        ({"holidays": ["20270101"]}, "holidays", "第 1 项应为日期，如 2027-01-01"),
        (
            {"holidays": ["2027-01-01", 3]},
            "holidays",
            "第 2 项应为日期，如 2027-01-01",
        ),
        ({"holidays": ["2027-01-01"] * 2}, "holidays", "2027-01-01 重复"),
        (
            {"holidays": ["2026-12-31"]},
            "holidays",
            "2026-12-31 不在 2027 年内，请装载 2026 年的新版本",
        ),
        ({"workdays": None}, "workdays", "应为日期列表"),
        ({"workdays": ["2027-01-02"]}, "workdays", "2027-01-02 同时列为放假和上班"),
        (
            {"workdays": ["2027-01-05"]},
            "workdays",
            "2027-01-05 不是周末，不能列为调休上班",
        ),
        ({"festivals": []}, "festivals", "不认识的字段"),
    ],
)
def test_a_wrong_field_is_named_with_its_reason(
    fields: dict[str, object], field: str, reason: str
) -> None:
    with pytest.raises(CalendarError) as refused:
        parse_calendar(changed(**fields))
    assert (refused.value.field, refused.value.reason) == (field, reason)


@pytest.mark.parametrize("field", sorted(NOTICE))
def test_a_missing_field_is_named(field: str) -> None:
    rest = {name: value for name, value in NOTICE.items() if name != field}
    with pytest.raises(CalendarError, match="缺少该字段") as refused:
        parse_calendar(json.dumps(rest))
    assert refused.value.field == field


@pytest.mark.parametrize("text", ["", "[]", "{", b"\xff", "[" * 100_000, "null"])
def test_what_is_no_json_object_is_refused(text: str | bytes) -> None:
    with pytest.raises(CalendarError) as refused:
        parse_calendar(text)
    assert refused.value.field == "file"


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.dates().map(str),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(NOTICE)), inner),
    )
)
def test_no_content_is_answered_otherwise_than_by_a_named_field(content: object) -> None:
    fields = content if isinstance(content, dict) else {"holidays": content}
    try:
        notice = parse_calendar(json.dumps(NOTICE | fields))
    except CalendarError as error:
        assert error.field in {*NOTICE, "file"}  # noqa: PT017 - either outcome is right
    else:
        assert load_calendar([row(1, list(notice.holidays), notice.year)]).knows(
            date(notice.year - 1, 12, 31), date(notice.year, 12, 31)
        )


def test_the_newest_version_of_a_year_counts_in_whatever_order_rows_come() -> None:
    first, second = date(2027, 1, 1), date(2027, 1, 4)
    calendar = load_calendar([row(2, [second]), row(1, [first])])
    assert calendar.is_workday(first)
    assert not calendar.is_workday(second)
    assert calendar.years[2027].source == "第 2 版"


def test_a_loaded_year_lies_over_the_official_one_and_leaves_the_others() -> None:
    calendar = load_calendar([row(1, [date(2026, 12, 31)], year=2026)])
    assert not calendar.is_workday(date(2026, 12, 31))
    assert calendar.is_workday(date(2026, 10, 1))
    assert not calendar.is_workday(date(2025, 10, 1))


def test_without_loaded_years_the_official_calendar_stands() -> None:
    assert load_calendar([]).known_until == date(2026, 12, 31)


def test_a_year_and_version_are_kept_once_and_from_version_one() -> None:
    table = calendar_table(MetaData(), "kit")
    ddl = str(CreateTable(table).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    assert [column.name for column in table.primary_key] == ["year", "version"]
    assert "CREATE TABLE kit.calendar_year" in ddl
    assert "holidays DATE[] NOT NULL" in ddl
    assert "loaded_at TIMESTAMP WITH TIME ZONE NOT NULL" in ddl
    assert "CHECK (version >= 1)" in ddl
