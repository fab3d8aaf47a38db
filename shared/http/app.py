"""How every service's web application is made, so that all of them answer alike."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.responses import Response

from shared.http import handlers
from shared.http.direct import MEBIBYTE
from shared.http.middleware import Guarded, ObservedApp

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class Json(Response):
    """A JSON answer for handlers that build it themselves: orjson, `Decimal` as a string.

    Handlers with a response model need none: FastAPI writes those through Pydantic directly.
    """

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The content as UTF-8 JSON."""
        return orjson.dumps(content, default=_plain)


class ServiceApp(ObservedApp):
    """An application whose OpenAPI document also describes the problem details."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document."""
        document = super().openapi()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas[handlers.SCHEMA_NAME] = handlers.SCHEMA
        return document


def create_app(
    *,
    service: str,
    title: str,
    description: str,
    version: str,
    lifespan: Lifespan | None = None,
    unreachable: handlers.Unreachable = lambda _error: False,
    body_limit: int = MEBIBYTE,
) -> ServiceApp:
    """A service's application: problem details, request ids, logs, metrics and limits in place.

    Args:
        service: the service's name in logs and metrics.
        title: in Chinese, as the docs page shows it.
        description: in Chinese, Markdown.
        version: of the platform.
        lifespan: opens and closes what the service stands on.
        unreachable: says of an error whether the database cannot be reached (answered 503).
        body_limit: largest request body in bytes; a handler may raise it by `allow_body`.
    """
    app = ServiceApp(
        title=title,
        description=description,
        version=version,
        lifespan=lifespan,
        docs_url=None,  # one page for all services: shared.http.docs_page
        redoc_url=None,
        responses=handlers.problem_responses(401, 403, 404, 413, 415, 422, 429, 503),
    )
    handlers.install(app)
    app.add_middleware(Guarded, unreachable=unreachable)
    app.service, app.unreachable, app.body_limit = service, unreachable, body_limit
    return app


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)
