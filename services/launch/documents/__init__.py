"""Documents written from the code: AsyncAPI, the caseload format, states, settings."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import yaml

from services.launch.catalogue import PROCEDURES
from services.launch.documents.caseload import caseload_page
from services.launch.documents.settings import settings_page
from services.launch.documents.states import state_page
from shared.events.registry import asyncapi


def documents() -> dict[Path, str]:
    """Every generated document by its path below docs/."""
    described = asyncapi(PROCEDURES, version("ecocase"))
    pages = {
        Path("asyncapi.yaml"): yaml.safe_dump(
            described, allow_unicode=True, sort_keys=False, width=100
        ),
        Path("caseload.md"): caseload_page(PROCEDURES),
        Path("settings.md"): settings_page(),
    }
    for procedures in PROCEDURES.values():
        for procedure in procedures:
            pages[Path("states") / f"{procedure.name}.md"] = state_page(procedure)
    return pages
