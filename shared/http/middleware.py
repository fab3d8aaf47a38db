"""What happens to every request before a service sees it: plain ASGI, a few microseconds each.

`Observed` gives it an id, continues its trace, measures and logs it, and turns an error nobody
foresaw into a problem. `CheckedBody` refuses bodies that are too large or hold what no database
can store. Where apps are mounted in one another, the outermost does it once.
"""

from collections.abc import Mapping
from functools import cached_property
from time import perf_counter
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http import logs, metrics
from shared.http.handlers import Unreachable, answer, problem_for
from shared.http.problem import BodyTooLarge, Problem
from shared.http.storable import refuse_unstorable, refuse_unstorable_text
from shared.http.trace import Trace, begin_trace

MEBIBYTE = 1024 * 1024
_SERVICE = "ecocase.service"  # scope keys
_LIMIT = "ecocase.body_limit"
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})


class ObservedApp(FastAPI):
    """An application that knows the template of each of its routes, prefixes included."""

    @cached_property
    def templates(self) -> Mapping[Any, str]:
        """Endpoint -> path template, as they stand at the first request."""
        return {
            route.endpoint: route.path_format or ""
            for route in iter_route_contexts(self.routes)
            if route.endpoint
        }


class Observed:
    """Names, measures and logs a request; answers for its errors.

    Logs and metrics carry the route's template, never the path, the query or the body: those may
    hold a person's data.
    """

    def __init__(self, app: ASGIApp, service: str, unreachable: Unreachable) -> None:
        self.app = app
        self.service = service
        self.unreachable = unreachable

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        mounted = _SERVICE in scope
        scope[_SERVICE] = self.service  # the innermost service is the one that answers
        if mounted:
            await self._guarded(scope, receive, send)
            return
        began = perf_counter()
        headers = Headers(scope=scope)
        trace = begin_trace(headers.get("x-request-id"), headers.get("traceparent"))
        name = trace.request_id.encode()
        status = 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", name)]
            await send(message)

        try:
            await self._guarded(scope, receive, named)
        finally:
            self._record(scope, trace, status, perf_counter() - began)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for an error that no handler took."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            problem = problem_for(error, self.unreachable)
            if started:  # too late for another answer: let the server cut the connection
                raise
            await answer(problem)(scope, receive, send)

    @staticmethod
    def _record(scope: Scope, trace: Trace, status: int, seconds: float) -> None:
        service, method = scope[_SERVICE], scope["method"]
        app, endpoint = scope.get("app"), scope.get("endpoint")
        templates = app.templates if isinstance(app, ObservedApp) else {}
        route = templates.get(endpoint, "unmatched")
        metrics.observe(service, method, route, status, seconds)
        if route not in _QUIET:
            logs.lines.write_access(
                trace,
                service=service,
                method=method,
                route=route,
                status=status,
                ms=round(seconds * 1000, 2),
            )


class CheckedBody:
    """Bounds a request's body and refuses what the database cannot store.

    The limit counts `Content-Length` and what really arrives. It applies when the body is first
    read, so that an upload handler may raise it before (`allow_body`).
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if _LIMIT in scope:  # mounted: checked outside already, by the limit of this service
            scope[_LIMIT] = self.limit
            await self.app(scope, receive, send)
            return
        try:
            refuse_unstorable_text(scope["path"], field="path")
            refuse_unstorable_text(scope.get("query_string", b"").decode("latin-1"), field="query")
        except Problem as problem:
            await answer(problem)(scope, receive, send)
            return
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        if length == "0" and "transfer-encoding" not in headers:
            await self.app(scope, receive, send)
            return
        scope[_LIMIT] = self.limit
        await self.app(scope, _checked(scope, receive, headers), send)


def allow_body(request: Request, size: int) -> None:
    """Let this request's body be up to `size` bytes; call it before reading the body."""
    request.scope[_LIMIT] = size


def _checked(scope: Scope, receive: Receive, headers: Headers) -> Receive:
    """`receive`, refusing a body beyond the limit, and a JSON body that cannot be stored."""
    length = headers.get("content-length", "0")
    announced = int(length) if length.isdecimal() else 0
    is_json = "json" in headers.get("content-type", "json")
    kept = bytearray()
    size = 0

    async def checked() -> Message:
        nonlocal size
        if announced > scope[_LIMIT]:
            raise _too_large(scope[_LIMIT])
        message = await receive()
        if message["type"] == "http.request":
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > scope[_LIMIT]:
                raise _too_large(scope[_LIMIT])
            if is_json:
                kept.extend(chunk)
                if not message.get("more_body", False):
                    refuse_unstorable(bytes(kept))
        return message

    return checked


def _too_large(limit: int) -> BodyTooLarge:
    size = f"{limit // MEBIBYTE} MiB" if limit >= MEBIBYTE else f"{limit} 字节"
    return BodyTooLarge(f"最多 {size}")
