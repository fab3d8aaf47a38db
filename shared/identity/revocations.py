"""Sessions that were ended before their access tokens ran out, known to every service in seconds.

An access token names its session (`sid`). The issuer publishes the sessions ended within the last
minutes; each service reads that list every 15 seconds, and refuses their tokens from then on. A
service that has not been able to read it for 45 seconds answers 503 rather than trust a token: a
disabled account is out within a minute everywhere, whatever fails.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Final

import httpx
import structlog
from pydantic import BaseModel, Field, ValidationError

from shared.http.problem import Unavailable

KEPT_SECONDS: Final = 360
"""How long an ended session is told of: longer than an access token lives."""

POLL_SECONDS: Final = 15.0
TRUSTED_SECONDS: Final = 45.0
_RETRY_SECONDS: Final = 3.0

_log = structlog.stdlib.get_logger("ecocase.identity")

Read = Callable[[], Awaitable[Iterable[str]]]


class EndedSessions(BaseModel):
    """What `GET /revocations` answers."""

    ended: Annotated[list[str], Field(description="近六分钟内被终止的会话")]


class Revocations:
    """The ended sessions of one issuer; `read` gives them as they are now."""

    def __init__(self, read: Read, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._ended: dict[str, float] = {}
        self._read_at = float("-inf")
        self._listeners: list[Callable[[frozenset[str]], None]] = []

    def listen(self, listener: Callable[[frozenset[str]], None]) -> None:
        """Have `listener` called with sessions as soon as their end is known."""
        self._listeners.append(listener)

    def add(self, ended: Iterable[str]) -> None:
        """Note that sessions have ended."""
        now = self._clock()
        self._ended = {one: until for one, until in self._ended.items() if until > now}
        new = frozenset(ended) - self._ended.keys()
        self._ended |= dict.fromkeys(new, now + KEPT_SECONDS)
        if new:
            for listener in self._listeners:
                listener(new)

    def ended(self) -> list[str]:
        """The sessions known to have ended lately."""
        now = self._clock()
        return [one for one, until in self._ended.items() if until > now]

    def check(self, session: str) -> bool:
        """Whether `session` has ended. Raises `Unavailable` when that cannot be told."""
        if self.trusted_for() <= 0:
            raise Unavailable("暂时无法核对登录是否有效,请稍后重试", retry_after=3)
        return session in self._ended

    def trusted_for(self) -> float:
        """Seconds for which what is known here may still be relied on."""
        return self._read_at + TRUSTED_SECONDS - self._clock()

    async def refresh(self) -> bool:
        """Read the list once; whether it could be read."""
        began = self._clock()
        try:
            self.add(await self._read())
        except Exception as error:  # noqa: BLE001 - whatever it is, the next look may succeed
            _log.warning("ended sessions not read", error=type(error).__name__)
            return False
        self._read_at = began
        return True

    async def follow(self) -> None:
        """Keep reading until cancelled."""
        while True:
            done = await self.refresh()
            await asyncio.sleep(POLL_SECONDS if done else _RETRY_SECONDS)


class HttpEndedSessions:
    """Reads an issuer's `GET /revocations` at `url`."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url = url
        self._client = client

    async def __call__(self) -> list[str]:
        """The ended sessions. Raises `Unavailable`."""
        try:
            response = await self._client.get(self._url, follow_redirects=False)
            response.raise_for_status()
            return EndedSessions.model_validate_json(response.content).ended
        except (httpx.HTTPError, ValidationError) as error:
            raise Unavailable from error
