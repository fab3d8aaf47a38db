"""What a measurement gives, and the table and file that all of them end in."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import orjson
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = Path(__file__).parent / "results.json"


@dataclass(frozen=True, slots=True)
class Result:
    """One figure; `spread` is half the distance between the quartiles of what it is a median of."""

    name: str
    value: float
    unit: str
    target: str
    holds: bool
    spread: float


def at_least(name: str, values: Sequence[float], unit: str, target: float) -> Result:
    """The median of `values`, which should be no less than `target`."""
    return _result(name, values, unit, target, "≥")


def at_most(name: str, values: Sequence[float], unit: str, target: float) -> Result:
    """The median of `values`, which should be no more than `target`."""
    return _result(name, values, unit, target, "≤")


def _result(
    name: str, values: Sequence[float], unit: str, target: float, sign: Literal["≥", "≤"]
) -> Result:
    median = statistics.median(values)
    quartiles = statistics.quantiles(values, n=4) if len(values) > 1 else [median, median, median]
    holds = median >= target if sign == "≥" else median <= target
    return Result(
        name=name,
        value=round(median, 4),
        unit=unit,
        target=f"{sign} {target:g}",
        holds=holds,
        spread=round((quartiles[2] - quartiles[0]) / 2, 4),
    )


def publish(results: Sequence[Result]) -> None:
    """Write bench/results.json and print the table."""
    raw = orjson.dumps([asdict(result) for result in results], option=orjson.OPT_INDENT_2)
    RESULTS.write_bytes(raw + b"\n")
    table = Table("name", "value", "unit", "target", "holds", "spread")
    for result in results:
        holds = "yes" if result.holds else "NO"
        table.add_row(
            result.name,
            f"{result.value:g}",
            result.unit,
            result.target,
            holds,
            f"{result.spread:g}",
        )
    Console().print(table)
