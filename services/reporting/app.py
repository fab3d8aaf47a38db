"""Reporting, wired."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from services.reporting.api import Reporting, operating_routes, statistics_routes
from services.reporting.live import Changes, Notifying
from services.reporting.projection import Statistics
from services.reporting.queries import Queries
from services.reporting.reconciliation import Reconciler
from shared.audit.api import keep_trail
from shared.consumer.consumer import Consumer
from shared.consumer.rebuild import Rebuilder
from shared.http.app import create_app
from shared.postgres.availability import is_unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.audit.log import AuditLog
    from shared.consumer.slice import History
    from shared.http.app import ServiceApp
    from shared.identity.tokens import TokenVerifier
    from shared.postgres.database import Database

NAME = "reporting"
TITLE = "统计"
MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass
class Running:
    """Reporting as it runs: its application, and what a bus hands events to."""

    app: ServiceApp
    subscriber: Notifying
    _consumer: Consumer
    _rebuilder: Rebuilder
    _changes: Changes
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def open(self) -> None:
        """Begin: a generation is served, what rebuilds cut short left behind is cleared.

        One that older code folded is built anew, and not read until then.
        """
        await self._consumer.open()
        self._tasks = [
            asyncio.create_task(self._clear_and_renew()),
            asyncio.create_task(self._changes.watch()),
        ]

    async def _clear_and_renew(self) -> None:
        await self._rebuilder.clear()
        await self._rebuilder.renew()

    async def close(self) -> None:
        """End what was begun."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._rebuilder.close()
        await self._consumer.close()


def create(
    database: Database,
    verifier: TokenVerifier,
    history: History,
    lag: Callable[[], float],
    version: str,
    *,
    audit: AuditLog,
) -> Running:
    """Make reporting; a rebuild reads `history`, `lag` gives how many seconds events are behind."""
    queries = Queries(database, lag)
    consumer = Consumer(database, Statistics())
    rebuilder = Rebuilder(consumer, history)
    changes = Changes(queries)
    reporting = Reporting(queries, consumer, rebuilder, changes, Reconciler(database))
    app = create_app(
        service=NAME,
        title=TITLE,
        description="由事件计算的实时统计：年度数字、指标、实时推送；搁置事件与重算。",
        version=version,
        unreachable=is_unavailable,
    )
    app.state.verifier = verifier
    app.include_router(statistics_routes(reporting))
    app.include_router(operating_routes(reporting))
    keep_trail(app, audit, verifier)
    return Running(app, Notifying(consumer, changes), consumer, rebuilder, changes)
