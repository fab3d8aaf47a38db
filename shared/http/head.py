"""HEAD, for every address that answers GET (RFC 9110 §9.3.2)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


async def head(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as GET would, without the content; a stream is left as soon as it begins."""
    begun = asyncio.Event()

    async def only_the_beginning(message: Message) -> None:
        if message["type"] == "http.response.start" and not begun.is_set():
            await send(message)
            await send({"type": "http.response.body", "body": b""})
            begun.set()

    answering = asyncio.create_task(
        _answer(app, {**scope, "method": "GET"}, receive, only_the_beginning)
    )
    beginning = asyncio.create_task(begun.wait())
    try:
        await asyncio.wait({answering, beginning}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (answering, beginning):
            task.cancel()
        done = await asyncio.gather(answering, beginning, return_exceptions=True)
    if isinstance(done[0], Exception):
        raise done[0]


async def _answer(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)
