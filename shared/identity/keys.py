"""The public keys of an issuer (JWK Set, RFC 7517): in this process, or fetched and kept fresh.

A key set comes from outside, so only keys that can verify a signature with an allowed algorithm are
taken from it: a symmetric key in a public set is the classic way to forge tokens (RFC 8725, 3.1).
"""

import asyncio
import logging
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import httpx
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from shared.http.problem import Unavailable

PublicKey = OKPKey | ECKey | RSAKey

_CURVES = frozenset({"Ed25519", "P-256"})
_log = logging.getLogger(__name__)


class KeySource(Protocol):
    """Where the verifier finds an issuer's keys."""

    async def key(self, kid: str) -> PublicKey | None:
        """The key named `kid`; None if there is none. Raises `Unavailable` if nobody can tell."""
        ...


class LocalKeys:
    """The key set of an issuer in the same process; `key_set` gives it as it is now."""

    def __init__(self, key_set: Callable[[], Mapping[str, Any]]) -> None:
        self._key_set = key_set

    async def key(self, kid: str) -> PublicKey | None:
        """See `KeySource`."""
        return usable_keys(self._key_set().get("keys", [])).get(kid)


class HttpKeys:
    """A key set fetched from `url`.

    It is fetched again when a token names an unknown key and when it is older than `fresh` seconds,
    but never twice within `pause` seconds, so that forged key names cannot be used to flood the
    issuer. While the issuer is down the keys already known serve for up to `stale` seconds.
    """

    def __init__(
        self,
        url: str,
        client: httpx.AsyncClient,
        *,
        fresh: float = 600,
        stale: float = 3600,
        pause: float = 10,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._client = client
        self._fresh = fresh
        self._stale = stale
        self._pause = pause
        self._clock = clock
        self._keys: dict[str, PublicKey] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> PublicKey | None:
        """See `KeySource`."""
        if not self._answers(kid):
            async with self._lock:
                if not self._answers(kid) and self._clock() - self._tried_at >= self._pause:
                    await self._fetch()
        if self._age() < self._stale and kid in self._keys:
            return self._keys[kid]
        if self._fetched_at < self._tried_at:
            raise Unavailable("身份认证服务暂时无法访问,请稍后重试", retry_after=int(self._pause))
        return None

    def _age(self) -> float:
        return self._clock() - self._fetched_at

    def _answers(self, kid: str) -> bool:
        return kid in self._keys and self._age() < self._fresh

    async def _fetch(self) -> None:
        self._tried_at = self._clock()
        try:
            response = await self._client.get(self._url, follow_redirects=False)
            response.raise_for_status()
            self._keys = usable_keys(response.json()["keys"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            _log.warning("key set not fetched from %s: %s", self._url, type(error).__name__)
            return
        self._fetched_at = self._tried_at


def usable_keys(published: Iterable[Any]) -> dict[str, PublicKey]:
    """The signature keys among `published` JWKs, by `kid`; anything else in the set is left out."""
    keys: dict[str, PublicKey] = {}
    for jwk in published:
        if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str):
            continue
        if jwk.get("use", "sig") != "sig":
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", SecurityWarning)  # an RSA key under 2048 bits
                key = JWKRegistry.import_key(jwk)
        except (JoseError, SecurityWarning, ValueError, TypeError, KeyError):
            continue
        if isinstance(key, RSAKey) or (
            isinstance(key, (OKPKey, ECKey)) and jwk.get("crv") in _CURVES
        ):
            keys[jwk["kid"]] = key
    return keys
