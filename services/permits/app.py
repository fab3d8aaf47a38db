"""The permits service, wired."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from services.permits.models import tables
from services.permits.workflow import PROCEDURES
from shared.workflow.service import procedure_app

if TYPE_CHECKING:
    from shared.http.app import ServiceApp
    from shared.workflow.service import Standing

NAME = "permits"
TITLE = "行政许可"
MIGRATIONS = Path(__file__).parent / "migrations"


def create(standing: Standing) -> ServiceApp:
    """Make the service's application on what it stands on."""
    return procedure_app(
        NAME,
        TITLE,
        "行政许可申请:收件、补正、受理、公示、审查、决定、发证;办理时限的登记。",
        PROCEDURES,
        tables,
        standing,
    )
