"""`ecocase caseload`: a whole year of synthetic cases whose figures add up to the published ones.

The same year, seed and figures give the same file, byte for byte. Its first line names it, every
other is one command; lines stand in the order of their times, a case's own lines in their order.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from io import StringIO
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import orjson

from services.launch.caseload import cases, complaints, permits
from services.launch.caseload.line import Line
from services.launch.caseload.people import People
from services.launch.caseload.year import Year

Figures = Mapping[str, int | Decimal]
"""Figures by id, as in the `id` and `value` columns of a figures file."""

SHIPPED = Path(__file__).with_name("figures-2024.csv")
"""The 80 figures of the report on 2024."""

PARTS = {"cases": cases.lines, "permits": permits.lines, "complaints": complaints.lines}


def make(year: int, seed: int, figures: Path | None = None) -> Iterator[str]:
    """Write a caseload as lines of JSON, by the 2024 figures unless a figures file is given.

    Raises OSError where the file cannot be read, and ValueError in Chinese where it is no figures
    file or its figures contradict themselves; both before the first line.
    """
    try:
        text = (SHIPPED if figures is None else figures).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        msg = "指标文件不是 UTF-8 编码"
        raise ValueError(msg) from None
    ordered = caseload(year, seed, read_figures(text))
    yield _json({"caseload": _name(year, seed, None if figures is None else text)})
    for line in ordered:
        yield _json(line.as_json())


def caseload(year: int, seed: int, figures: Figures) -> list[Line]:
    """Make every line of a year, ordered by time.

    Raises ValueError in Chinese where the figures contradict themselves.
    """
    days, people = Year(year), People()
    made = [
        list(part(figures, days, people, Random(f"{seed}-{name}")))  # noqa: S311 - no secret
        for name, part in PARTS.items()
    ]
    return sorted(chain.from_iterable(made), key=lambda line: line.at)


def read_figures(text: str) -> Figures:
    """Read a figures file: CSV with the columns `id` and `value`.

    Raises ValueError in Chinese where a column is missing or a value is no number.
    """
    rows = csv.DictReader(StringIO(text))
    names: Sequence[str] = rows.fieldnames or ()
    if not {"id", "value"} <= set(names):
        msg = "指标文件须有 id 和 value 两列"
        raise ValueError(msg)
    return {row["id"]: _number(row["id"], row["value"]) for row in rows}


def _name(year: int, seed: int, figures: str | None) -> str:
    """Name a caseload after its seed, and after its figures where they are the caller's own."""
    if figures is None:
        return f"{year}-seed-{seed}"
    return f"{year}-seed-{seed}-{hashlib.sha256(figures.encode()).hexdigest()[:8]}"


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value).decode()


def _number(name: str, text: str | None) -> int | Decimal:
    try:
        value = Decimal(text or "")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        msg = f"指标 {name} 的值“{text}”不是数字"
        raise ValueError(msg)
    return int(value) if value == value.to_integral_value() else value
