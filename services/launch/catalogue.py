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


def find_command(service: str, name: str, opened: Procedure | None) -> Command | None:
    """The command of that name: of the procedure that was opened, or else the one that opens.

    Commands such as 更正 stand in every procedure, so it takes the procedure to tell them apart.
    """
    for procedure in PROCEDURES[service] if opened is None else (opened,):
        row = procedure.row(name)
        if row is not None and (row.opens or opened is not None):
            return Command(procedure, row)
    return None


def is_command(service: str, name: str) -> bool:
    """Whether a service has a command of that name at all."""
    return any(procedure.row(name) is not None for procedure in PROCEDURES[service])
