"""A program's own sign-in: a service process or an import that calls other services.

Keeps one access token, renews it shortly before it expires, and signs in again when the session
has ended.
"""

import asyncio
import time
from collections.abc import Callable

import httpx
from pydantic import BaseModel, ValidationError

from shared.http.problem import Unavailable

_RENEW_BEFORE = 30
"""Seconds before expiry at which a token is no longer handed out."""


class _Answer(BaseModel):
    """What an OAuth 2 token endpoint answers (RFC 6749, 5.1)."""

    access_token: str
    expires_in: int
    refresh_token: str | None = None


class PasswordCredential:
    """An account and its password at the token endpoint `token_url`.

    `access_token` fits `HttpOfficerDirectory`. Raises `Unavailable` when no token is to be had.
    """

    def __init__(
        self,
        token_url: str,
        account: str,
        password: str,
        client: httpx.AsyncClient,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token_url = token_url
        self._password_form = {
            "grant_type": "password",
            "username": account,
            "password": password,
        }
        self._client = client
        self._clock = clock
        self._answer: _Answer | None = None
        self._renew_at = float("-inf")
        self._lock = asyncio.Lock()

    async def access_token(self) -> str:
        """A token good for at least half a minute."""
        async with self._lock:
            if self._answer is None or self._clock() >= self._renew_at:
                self._answer = await self._renewed()
                self._renew_at = self._clock() + self._answer.expires_in - _RENEW_BEFORE
            return self._answer.access_token

    async def _renewed(self) -> _Answer:
        if self._answer is not None and self._answer.refresh_token is not None:
            refresh = {"grant_type": "refresh_token", "refresh_token": self._answer.refresh_token}
            response = await self._post(refresh)
            if response.is_success:
                return _parsed(response)
        response = await self._post(self._password_form)
        if not response.is_success:
            raise Unavailable("服务账号无法登录身份认证服务")
        return _parsed(response)

    async def _post(self, form: dict[str, str]) -> httpx.Response:
        try:
            return await self._client.post(self._token_url, data=form)
        except httpx.HTTPError as error:
            raise Unavailable("身份认证服务暂时无法访问") from error


def _parsed(response: httpx.Response) -> _Answer:
    try:
        return _Answer.model_validate_json(response.content)
    except ValidationError as error:
        raise Unavailable("身份认证服务的答复无法识别") from error
