"""What happens to every request before a service sees it: plain ASGI, a few microseconds each.

`ObservedApp` gives it an id, continues its trace, measures and logs it, bounds its body, and turns
an error nobody foresaw into a problem. What it finds a direct handler for, it answers itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from time import perf_counter
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http import logs, metrics
from shared.http.direct import (
    Direct,
    Find,
    Headers,
    Incoming,
    Reply,
    as_reply,
    headers_of,
    read_body,
    send_reply,
    too_large,
)
from shared.http.handlers import Unreachable, answer, problem_for, witnessed
from shared.http.problem import Problem
from shared.http.storable import refuse_unstorable, refuse_unstorable_text
from shared.http.trace import Trace, begin_trace

_LIMIT = "ecocase.body_limit"  # scope key
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})


class ObservedApp(FastAPI):
    """An application that names, measures and logs each request, and answers for its errors.

    Logs and metrics carry the route's template, never the path, the query or the body: those may
    hold a person's data.
    """

    service: str
    unreachable: Unreachable
    body_limit: int
    find: Find | None = None

    @cached_property
    def templates(self) -> Mapping[Any, str]:
        """Endpoint -> path template, as they stand at the first request."""
        return {
            route.endpoint: route.path_format or ""
            for route in iter_route_contexts(self.routes)
            if route.endpoint
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        began = perf_counter()
        headers = headers_of(scope)
        trace = begin_trace(_text(headers, b"x-request-id"), _text(headers, b"traceparent"))
        request_id = trace.request_id.encode()
        status = 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id)]
            await send(message)

        direct: tuple[Direct, str | None] | None = None
        try:
            refuse_unstorable_text(scope["path"], field="path")
            if query := scope.get("query_string"):
                refuse_unstorable_text(query.decode("latin-1"), field="query")
            if self.find is not None:
                direct = self.find(scope["method"], _below(scope))
            if direct is None:
                await super().__call__(scope, self._checked(scope, receive, headers), named)
            else:
                reply = await self._directly(*direct, scope, receive, headers)
                status = reply.status
                await send_reply(reply, request_id, send)
        except Problem as problem:
            await answer(problem)(scope, receive, named)
        finally:
            route = direct[0].route if direct else self.templates.get(scope.get("endpoint"))
            self._record(scope["method"], route or "unmatched", trace, status, began)

    async def _directly(
        self, handler: Direct, name: str | None, scope: Scope, receive: Receive, headers: Headers
    ) -> Reply:
        """Have a direct handler answer; what it raises becomes a problem."""
        scope["app"] = self
        try:
            body = await read_body(receive, headers, self.body_limit)
            return await handler.answer(Incoming(scope, headers, body, name))
        except Exception as error:  # noqa: BLE001 - whatever it is becomes an answer
            problem = problem_for(error, self.unreachable)
            scope["endpoint"], scope["path_params"] = handler.endpoint, {"id": name}
            await witnessed(Request(scope), problem)
            return as_reply(answer(problem))

    def _record(self, method: str, route: str, trace: Trace, status: int, began: float) -> None:
        seconds = perf_counter() - began
        metrics.observe(self.service, method, route, status, seconds)
        if route not in _QUIET:
            logs.lines.write_access(
                trace,
                service=self.service,
                method=method,
                route=route,
                status=status,
                ms=round(seconds * 1000, 2),
            )

    def _checked(self, scope: Scope, receive: Receive, headers: Headers) -> Receive:
        """`receive`, refusing a body beyond the limit, and a JSON body that cannot be stored.

        The limit counts `Content-Length` and what really arrives. It applies when the body is
        first read, so that an upload handler may raise it before (`allow_body`).
        """
        length = headers.get(b"content-length", b"0")
        if length == b"0" and b"transfer-encoding" not in headers:
            return receive
        scope[_LIMIT] = self.body_limit
        announced = int(length) if length.isdigit() else 0
        is_json = b"json" in headers.get(b"content-type", b"json")
        kept = bytearray()
        size = 0

        async def checked() -> Message:
            nonlocal size
            if announced > scope[_LIMIT]:
                raise too_large(scope[_LIMIT])
            message = await receive()
            if message["type"] == "http.request":
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > scope[_LIMIT]:
                    raise too_large(scope[_LIMIT])
                if is_json:
                    kept.extend(chunk)
                    if not message.get("more_body", False):
                        refuse_unstorable(bytes(kept))
            return message

        return checked


class Guarded:
    """Answers for the errors that no handler of the framework's took, before its own layer does."""

    def __init__(self, app: ASGIApp, unreachable: Unreachable) -> None:
        self.app = app
        self.unreachable = unreachable

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            problem = problem_for(error, self.unreachable)
            if started or scope["type"] != "http":
                raise
            await answer(problem)(scope, receive, send)


def allow_body(request: Request, size: int) -> None:
    """Let this request's body be up to `size` bytes; call it before reading the body."""
    request.scope[_LIMIT] = size


def _text(headers: Headers, name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")


def _below(scope: Scope) -> str:
    """The path below the service's own."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
