"""Second factors as arithmetic: time-based codes (TOTP, RFC 6238) and recovery codes.

SHA-1, six digits and thirty seconds: what every authenticator app understands.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import pyotp
import segno

STEP_SECONDS: Final = 30
RECOVERY_CODES: Final = 10
_DRIFT = 1  # steps by which the telephone's clock may differ (RFC 6238, 5.2)
_NAME = "环案通"
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def new_secret() -> str:
    """A random secret of 160 bits in base 32."""
    return pyotp.random_base32()


def accepted_step(secret: str, code: str, now: datetime, last_step: int) -> int | None:
    """The time step that `code` is right for, if it is one and lies after `last_step`."""
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    current = int(now.timestamp()) // STEP_SECONDS
    for step in range(current - _DRIFT, current + _DRIFT + 1):
        matches = hmac.compare_digest(totp.generate_otp(step).encode(), code.strip().encode())
        if matches and step > last_step:
            return step
    return None


def enrolment_uri(secret: str, account: str) -> str:
    """The `otpauth:` address that an authenticator app reads."""
    return pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(
        name=account, issuer_name=_NAME
    )


def qr_svg(uri: str) -> str:
    """`uri` as a QR code, a `data:` address of an SVG."""
    return segno.make(uri, micro=False).svg_data_uri(scale=4)


def new_recovery_codes() -> tuple[str, ...]:
    """Codes that stand in for a lost telephone, each once."""
    return tuple(
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
        for _ in range(RECOVERY_CODES)
    )


def recovery_hash(code: str) -> bytes:
    """What is stored of a recovery code: it is random, so a plain hash cannot be reversed."""
    return hashlib.sha256(code.strip().lower().encode()).digest()


def is_among(code: str, hashes: Sequence[bytes]) -> bytes | None:
    """The hash of `code` if it is one of `hashes`."""
    wanted = recovery_hash(code)
    return next((one for one in hashes if hmac.compare_digest(one, wanted)), None)
