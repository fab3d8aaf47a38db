"""A service that runs procedures: its desks, its API, and what auditors ask of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import APIRouter

from shared.audit.api import keep_trail
from shared.http.app import create_app
from shared.postgres.availability import is_unavailable
from shared.relay.api import republication_routes
from shared.verification.routes import verification_routes
from shared.workflow.desk import Desk
from shared.workflow.disclosure import disclosure_routes
from shared.workflow.reading import reading_routes
from shared.workflow.router import Commands, command_routes
from shared.workflow.statement import Statements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.audit.log import AuditLog
    from shared.http.app import Lifespan, ServiceApp
    from shared.identity.officers import OfficerDirectory
    from shared.identity.tokens import TokenVerifier
    from shared.postgres.database import Database
    from shared.workflow.desk import CalendarSource
    from shared.workflow.table import Procedure
    from shared.workflow.tables import ServiceTables


@dataclass(frozen=True, slots=True)
class Standing:
    """What a service stands on, given by whoever runs it."""

    database: Database
    calendars: CalendarSource
    directory: OfficerDirectory
    verifier: TokenVerifier
    audit: AuditLog
    version: str
    lifespan: Lifespan | None = field(default=None)
    republishes: bool = field(default=False)
    """Whether events go to a bus that keeps them, where some may be lacking."""


def procedure_app(
    service: str,
    title: str,
    description: str,
    procedures: Sequence[Procedure],
    tables: ServiceTables,
    standing: Standing,
) -> ServiceApp:
    """Make the application of a service from its procedures."""
    app = create_app(
        service=service,
        title=title,
        description=description,
        version=standing.version,
        lifespan=standing.lifespan,
        unreachable=is_unavailable,
    )
    app.state.verifier = standing.verifier
    statements = Statements(tables)
    router = APIRouter()
    commands = Commands()
    for procedure in procedures:
        desk = Desk(
            procedure,
            tables,
            statements,
            standing.database,
            standing.calendars,
            standing.directory,
        )
        reading_routes(router, desk, standing.database)
        disclosure_routes(router, desk, standing.database)
        command_routes(router, desk, commands)
    verification_routes(router, procedures, tables, standing.database, standing.calendars)
    if standing.republishes:
        router.include_router(republication_routes(standing.database))
    app.include_router(router)
    app.find = commands.find
    keep_trail(app, standing.audit, standing.verifier)
    return app
