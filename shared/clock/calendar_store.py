"""The working calendar as the bureau loads it: its file, and the table that keeps it.

The State Council publishes next year's holidays (放假安排), as a rule in November. An
administrator loads them as a small JSON file:

    {"year": 2027, "source": "国办发明电〔2026〕…号",
     "holidays": ["2027-01-01", …], "workdays": ["2027-02-06", …]}

Every load is a new version of its year, none is changed; the newest one counts and
lies over the official table.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

import orjson
from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
)

from shared.clock.calendar import CalendarError, WorkCalendar, check_notice

_FIELDS = ("year", "source", "holidays", "workdays")
_YEARS = range(2004, 2101)
_SOURCE_LENGTH = 200


class CalendarNotice(NamedTuple):
    """One year's notice: days off, weekend days worked in exchange, its document."""

    year: int
    holidays: tuple[date, ...]
    makeup: tuple[date, ...]
    source: str


def parse_calendar(text: str | bytes) -> CalendarNotice:
    """Read a calendar file. Raises `CalendarError` naming the field at fault."""
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise CalendarError("file", "不是有效的 JSON 文件") from error
    if not isinstance(content, dict):
        raise CalendarError("file", "应为一个 JSON 对象")
    for field in _FIELDS:
        if field not in content:
            raise CalendarError(field, "缺少该字段")
    for field in content:
        if field not in _FIELDS:
            raise CalendarError(field, "不认识的字段")
    year = _year(content["year"])
    source = _source(content["source"])
    holidays = _days("holidays", content["holidays"])
    makeup = _days("workdays", content["workdays"])
    if not holidays:
        raise CalendarError("holidays", "不能为空")
    check_notice(year, holidays, makeup)
    return CalendarNotice(year, holidays, makeup, source)


def calendar_table(metadata: MetaData, schema: str | None = None) -> Table:
    """Define `calendar_year` in `metadata`: one row a version of a year, never changed.

    `loaded_at` is aware UTC; `loaded_by` names the account.
    """
    return Table(
        "calendar_year",
        metadata,
        Column("year", Integer, primary_key=True, autoincrement=False),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("source", Text, nullable=False),
        Column("holidays", ARRAY(Date), nullable=False),
        Column("workdays", ARRAY(Date), nullable=False),
        Column("loaded_at", DateTime(timezone=True), nullable=False),
        Column("loaded_by", Text, nullable=False),
        CheckConstraint("version >= 1", name="version_from_one"),
        schema=schema,
    )


def load_calendar(rows: Iterable[Mapping[str, Any]]) -> WorkCalendar:
    """Lay the newest version of each year of `calendar_year` over the official table.

    `rows` are mappings by column name (`result.mappings()`), in any order.
    """
    newest: dict[int, Mapping[str, Any]] = {}
    for row in sorted(rows, key=lambda row: row["version"]):
        newest[row["year"]] = row
    calendar = WorkCalendar.official()
    for year, row in newest.items():
        calendar = calendar.with_year(year, row["holidays"], row["workdays"], row["source"])
    return calendar


def _year(value: object) -> int:
    if not isinstance(value, int) or value not in _YEARS:
        raise CalendarError("year", f"应为 {_YEARS[0]} 至 {_YEARS[-1]} 的整数")
    return value


def _source(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise CalendarError("source", "应写明国务院办公厅通知的文号")
    if len(value) > _SOURCE_LENGTH or not value.isprintable():
        raise CalendarError("source", f"应为不超过 {_SOURCE_LENGTH} 字的一行文字")
    return value.strip()


def _days(field: str, value: object) -> tuple[date, ...]:
    if not isinstance(value, list):
        raise CalendarError(field, "应为日期列表")
    days: set[date] = set()
    for position, item in enumerate(value, start=1):
        day = _day(item)
        if day is None:
            raise CalendarError(field, f"第 {position} 项应为日期，如 2027-01-01")
        if day in days:
            raise CalendarError(field, f"{day} 重复")
        days.add(day)
    return tuple(sorted(days))


def _day(item: object) -> date | None:
    """Read YYYY-MM-DD only; `fromisoformat` alone would take week dates as well."""
    if not isinstance(item, str):
        return None
    try:
        day = date.fromisoformat(item)
    except ValueError:
        return None
    return day if day.isoformat() == item else None
