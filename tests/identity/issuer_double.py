"""An issuer played by the tests: keys of every kind and tokens signed as one likes."""

import warnings
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from shared.identity.keys import LocalKeys
from shared.identity.tokens import ClaimNames, TokenVerifier, TrustedIssuer

ISSUER = "https://issuer.test/realms/bureau"
AUDIENCE = "ecocase"
NOW = 1_790_000_000

Key = OKPKey | ECKey | RSAKey

_KEYS: dict[str, Key] = {
    "Ed25519": OKPKey.generate_key("Ed25519", auto_kid=True),
    "ES256": ECKey.generate_key("P-256", auto_kid=True),
    "RS256": RSAKey.generate_key(2048, auto_kid=True),
}
KEYS = _KEYS | {"EdDSA": _KEYS["Ed25519"], "PS256": _KEYS["RS256"]}


def public_set(*keys: Key) -> dict[str, Any]:
    return {"keys": KeySet(list(keys or KEYS.values())).as_dict(private=False)["keys"]}


def claims(**changed: Any) -> dict[str, Any]:
    usual = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "officer1",
        "iat": NOW - 10,
        "exp": NOW + 290,
        "roles": ["investigator"],
        "bureau": "500152",
    }
    return {name: value for name, value in (usual | changed).items() if value is not None}


def bearer(changed: Mapping[str, Any] | None = None, alg: str = "Ed25519", **header: Any) -> str:
    key = KEYS[alg]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # the older name EdDSA
        signed = jwt.encode(
            {"alg": alg, "kid": key.kid, **header}, claims(**(changed or {})), key, algorithms=[alg]
        )
    return f"Bearer {signed}"


def verifier(names: ClaimNames | None = None, now: float = NOW) -> TokenVerifier:
    trusted = TrustedIssuer(ISSUER, AUDIENCE, LocalKeys(public_set), names or ClaimNames())
    return TokenVerifier([trusted], now=lambda: now)
