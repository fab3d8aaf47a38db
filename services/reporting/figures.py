"""The figures of the annual report (法治政府建设年度报告), each with how it is computed.

A figure that no service publishes the events of yet is known by name and has no value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from services.reporting.report_figures import REPORT

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Sum:
    """A measure summed over the year's days, where the dimensions are of the given values."""

    measure: str
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InForce:
    """A register's measure summed over all days up to the year's end: what is in force then."""

    measure: str
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rate:
    """A percentage of two measures of the year, to two decimals; unknown where there is nothing."""

    numerator: Sum
    denominator: Sum


@dataclass(frozen=True, slots=True)
class Limit:
    """A time limit in force at the year's end for new applications: the longest of the items'."""

    field: str
    items: tuple[str, ...]


Computed: TypeAlias = Sum | InForce | Rate | Limit


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure; `title` and `unit` are Chinese, `owner` the service it comes from."""

    id: str
    title: str
    unit: str
    owner: str
    computed: Computed | None


def _cause(cause: str) -> Sum:
    return Sum("penalised", {"kind": (cause,)})


_COMPUTED: dict[str, Computed] = {
    "cases.penalised": Sum("penalised"),
    "cases.penalised.solid_waste": _cause("solid_waste"),
    "cases.penalised.air": _cause("air"),
    "cases.penalised.water": _cause("water"),
    "cases.penalised.unapproved_construction": _cause("unapproved_construction"),
    "cases.penalised.three_simultaneities": _cause("three_simultaneities"),
    "cases.minimum_penalty": Sum("minimum_penalty"),
    "cases.exempted": Sum("exempted"),
    "cases.transferred_to_police": Sum("transferred"),
    "cases.seizures": Sum("seizures"),
    "cases.catalogue.penalties": InForce("catalogue_items", {"kind": ("penalty",)}),
    "cases.catalogue.coercions": InForce("catalogue_items", {"kind": ("coercion",)}),
    "permits.eia.approved": Sum("approved", {"kind": ("eia_report", "eia_form")}),
    "permits.discharge.issued": Sum("issued", {"kind": ("discharge_key", "discharge_simplified")}),
    "permits.radiation.issued": Sum("issued", {"kind": ("radiation",)}),
    "permits.online.concluded": Sum("concluded", {"channel": ("online",)}),
    "permits.eia.report.statutory_days": Limit("statutory_days", ("eia_report",)),
    "permits.eia.form.statutory_days": Limit("statutory_days", ("eia_form",)),
    "permits.eia.committed_days": Limit("committed_days", ("eia_report", "eia_form")),
    "complaints.accepted": Sum("accepted"),
    "complaints.handled_rate": Rate(Sum("handled"), Sum("accepted")),
    "complaints.replied_rate": Rate(Sum("replied"), Sum("reachable")),
    "complaints.mediators": InForce("mediators"),
    "complaints.cross_events": InForce("cross_events"),
}

FIGURES = tuple(
    Figure(name, title, unit, name.partition(".")[0], _COMPUTED.get(name))
    for name, title, unit in REPORT
)
"""Every figure of the report, in its order."""
