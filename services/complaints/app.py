"""The complaints service, wired."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from services.complaints.models import tables
from services.complaints.workflow import PROCEDURES
from shared.workflow.service import procedure_app

if TYPE_CHECKING:
    from shared.http.app import ServiceApp
    from shared.workflow.service import Standing

NAME = "complaints"
TITLE = "投诉举报"
MIGRATIONS = Path(__file__).parent / "migrations"


def create(standing: Standing) -> ServiceApp:
    """Make the service's application on what it stands on."""
    return procedure_app(
        NAME,
        TITLE,
        "投诉举报:登记、受理、转办、并案、交办、调查、答复、回访、办结,"
        "举报人保密;专职人民调解员;多跨事件。",
        PROCEDURES,
        tables,
        standing,
    )
