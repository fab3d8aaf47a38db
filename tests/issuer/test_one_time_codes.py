"""Time-based codes, against the vectors of RFC 6238 (appendix B)."""

import base64
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.issuer.one_time_codes import (
    accepted_step,
    enrolment_uri,
    is_among,
    new_recovery_codes,
    new_secret,
    qr_svg,
    recovery_hash,
)

SECRET = base64.b32encode(b"12345678901234567890").decode()

# RFC 6238 gives eight digits; six are their last six (RFC 4226, 5.3: modulo ten to the digits).
VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize("seconds, eight_digits", VECTORS)
def test_the_vectors_of_the_standard(seconds: int, eight_digits: str) -> None:
    assert accepted_step(SECRET, eight_digits[-6:], _at(seconds), 0) == seconds // 30


@pytest.mark.parametrize(
    "late, accepted", [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
def test_a_clock_may_differ_by_one_step(late: int, accepted: bool) -> None:  # noqa: FBT001  # a case
    found = accepted_step(SECRET, "005924", _at(1234567890 + late), 0)
    assert found == (1234567890 // 30 if accepted else None)


def test_a_code_of_a_step_already_used_is_none() -> None:
    step = 1234567890 // 30
    assert accepted_step(SECRET, "005924", _at(1234567890), step - 1) == step
    assert accepted_step(SECRET, "005924", _at(1234567890), step) is None


@pytest.mark.parametrize("code", ["", "005925", "89005924", "动态口令", "a\0b"])
def test_anything_else_is_none(code: str) -> None:
    assert accepted_step(SECRET, code, _at(1234567890), 0) is None


def test_an_app_is_told_secret_account_and_issuer() -> None:
    secret = new_secret()
    uri = enrolment_uri(secret, "officer1")
    assert urlsplit(uri).scheme == "otpauth"
    assert urlsplit(uri).path.endswith(":officer1")
    asked = parse_qs(urlsplit(uri).query)
    assert (asked["secret"], asked["issuer"]) == ([secret], ["环案通"])
    assert qr_svg(uri).startswith("data:image/svg+xml")


def test_recovery_codes_differ_and_are_known_by_their_hash_alone() -> None:
    codes = new_recovery_codes()
    hashes = [recovery_hash(code) for code in codes]
    assert len(set(codes)) == 10
    assert is_among(f" {codes[3].upper()} ", hashes) == hashes[3]
    assert is_among(codes[3][:-1], hashes) is None
