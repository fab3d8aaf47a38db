"""The cases service, wired."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from services.cases.models import tables
from services.cases.workflow import PROCEDURES
from shared.workflow.service import procedure_app

if TYPE_CHECKING:
    from shared.http.app import ServiceApp
    from shared.workflow.service import Standing

NAME = "cases"
TITLE = "行政处罚"
MIGRATIONS = Path(__file__).parent / "migrations"


def create(standing: Standing) -> ServiceApp:
    """Make the service's application on what it stands on."""
    return procedure_app(
        NAME,
        TITLE,
        "行政处罚案件：线索、立案、调查、告知、法制审核、决定、送达、缴款、结案，"
        "查封扣押与移送公安；执法事项清单。",
        PROCEDURES,
        tables,
        standing,
    )
