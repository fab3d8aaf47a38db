"""Every command of every service, by name: what the loader, the documents and the tests go by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.cases.workflow import PROCEDURES as CASES
from services.complaints.workflow import PROCEDURES as COMPLAINTS
from services.permits.workflow import PROCEDURES as PERMITS

if TYPE_CHECKING:
    from shared.workflow.table import Procedure, Row

PROCEDURES: dict[str, tuple[Procedure, ...]] = {
    "cases": CASES,
    "permits": PERMITS,
    "complaints": COMPLAINTS,
}


@dataclass(frozen=True, slots=True)
class Command:
    """A command: the procedure and row it stands for."""

    procedure: Procedure
    row: Row

    @property
    def name(self) -> str:
        """Its name on the wire and in caseloads."""
        return self.row.command

    def path(self, aggregate_id: str | None) -> str:
        """Where it is posted to."""
        base = f"/{self.procedure.service}/{self.procedure.path}"
        return base if self.row.opens else f"{base}/{aggregate_id}/{self.name}"
