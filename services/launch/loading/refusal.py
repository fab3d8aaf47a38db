"""A problem document as a fault of the caseload's line that met it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.launch.client import reason
from services.launch.loading.reading import Fault
from shared.http.problem import KeyReused, RoleForbidden

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.launch.loading.reading import Step


def refusal(step: Step, problem: Mapping[str, Any]) -> Fault:
    """Name the field of the line, not of the request; without one the command is at fault."""
    if problem.get("type") == KeyReused().type:
        return Fault(step.line, "", "与已载入的内容不同：已载入的行不能改动")
    if problem.get("type") == RoleForbidden().type:
        return Fault(step.line, "actor", reason(problem))
    field = problem.get("field") or "command"
    if field == "occurred_at":
        field = "at"
    elif field in step.data:
        field = f"data.{field}"
    return Fault(step.line, field, reason(problem))
