"""What surrounds the services in one process: their paths, `/`, `/docs`, health and metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.launch.home import home_page
from shared.http.app import create_app
from shared.http.docs_page import mount_docs
from shared.http.head import head
from shared.http.health import NotReady, health_router
from shared.http.metrics import metrics_page
from shared.postgres.database import NotReady as DatabaseNotReady

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import FastAPI, Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from shared.http.health import Check
    from shared.postgres.database import Database
    from shared.relay.relay import Relay


@dataclass(frozen=True, slots=True)
class Part:
    """One application, reached under `/name`."""

    name: str
    title: str
    app: FastAPI


class Site:
    """Hands a request to the service that its path names, the rest to the whole's own pages.

    A service brings its own layers (limits, logs, errors), so that none is passed twice.
    """

    def __init__(self, own: FastAPI, parts: Sequence[Part]) -> None:
        self._own = own
        self._apps = {part.name: part.app for part in parts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        name = scope["path"][1:].partition("/")[0] if scope["type"] == "http" else ""
        app: ASGIApp | None = self._apps.get(name)
        if app is None:
            app = self._own
        else:
            scope["root_path"] = f"{scope.get('root_path', '')}/{name}"
        if scope.get("method") == "HEAD":
            await head(app, scope, receive, send)
        else:
            await app(scope, receive, send)


def site(
    parts: Sequence[Part],
    databases: Mapping[str, Database],
    relays: Mapping[str, Relay],
    release: str,
) -> Site:
    """Put the parts beside what belongs to the whole."""
    app = create_app(
        service="platform",
        title="环案通 EcoCase",
        description="区县生态环境局的办案平台。",
        version=release,
    )

    async def home(request: Request) -> Response:
        return await home_page(request, parts, databases, relays, release)

    async def metrics(_request: Request) -> Response:
        return await metrics_page()

    app.add_route("/", home, include_in_schema=False)
    app.include_router(
        health_router({f"数据库 {name}": _database_check(it) for name, it in databases.items()})
    )
    app.add_route("/metrics", metrics, include_in_schema=False)
    mount_docs(app, {part.title: f"/{part.name}/openapi.json" for part in parts})
    return Site(app, parts)


def _database_check(database: Database) -> Check:
    async def check() -> None:
        try:
            await database.ready()
        except DatabaseNotReady as reason:
            raise NotReady(str(reason)) from reason

    return check
