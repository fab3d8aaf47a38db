"""Requests answered without the framework's router, for the few routes that are asked most.

Between the socket and a handler the framework passes a request through a dozen layers, which cost
more than a small command itself. A `Direct` handler takes the headers and the whole body and gives
the whole answer. It is also registered with the framework, which describes it in OpenAPI and
answers the same request when it comes by another way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from shared.http.problem import BadRequest, BodyTooLarge

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

MEBIBYTE = 1024 * 1024
JSON = (b"content-type", b"application/json")

Headers = Mapping[bytes, bytes]
"""Request headers, names in lower case; of one sent twice, the first."""


class Incoming(NamedTuple):
    """A request with its whole body; `name` is what its path names, None where nothing."""

    scope: Scope
    headers: Headers
    body: bytes
    name: str | None = None

    def header(self, name: bytes) -> str | None:
        """A header's text, or None."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


class Reply(NamedTuple):
    """A whole answer."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Direct(Protocol):
    """Answers one route; raises `Problem`."""

    route: str
    """The path's template, for logs and metrics."""

    async def answer(self, request: Incoming) -> Reply:
        """Answer a request."""

    async def endpoint(self, request: Request) -> Response:
        """Answer a request that came through the framework."""


Find = Callable[[str, str], "tuple[Direct, str | None] | None"]
"""From method and path, below the service's own, to the handler and what the path names."""


def headers_of(scope: Scope) -> Headers:
    """The headers of a request."""
    return dict(reversed(scope["headers"]))


async def read_body(receive: Receive, headers: Headers, limit: int) -> bytes:
    """Read a whole body of at most `limit` bytes.

    Raises `BodyTooLarge`, before anything is read where the length announced is beyond it, and
    `BadRequest` where the caller leaves before its end: nobody will read that answer.
    """
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > limit:
        raise too_large(limit)
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("请求未发送完")
        body += message.get("body", b"")
        if len(body) > limit:
            raise too_large(limit)
        if not message.get("more_body", False):
            return body


def as_reply(response: Response) -> Reply:
    """A response of the framework's as a reply."""
    headers = [pair for pair in response.raw_headers if pair[0] != b"content-length"]
    return Reply(response.status_code, headers, bytes(response.body))


async def send_reply(reply: Reply, request_id: bytes, send: Send) -> None:
    """Send a whole answer."""
    reply.headers.append((b"content-length", b"%d" % len(reply.body)))
    reply.headers.append((b"x-request-id", request_id))
    await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
    await send({"type": "http.response.body", "body": reply.body})


def too_large(limit: int) -> BodyTooLarge:
    """The refusal of a body beyond `limit` bytes."""
    size = f"{limit // MEBIBYTE} MiB" if limit >= MEBIBYTE else f"{limit} 字节"
    return BodyTooLarge(f"最多 {size}")
