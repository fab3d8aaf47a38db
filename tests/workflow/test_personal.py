"""Numbers that name a person, and codes that only look like them."""

from __future__ import annotations

import hashlib

import pytest

from shared.personal import is_identity_number, names_a_person


@pytest.mark.parametrize(
    "number", ["500152199003071236", "11010519491231002X", "11010519491231002x"]
)
def test_an_identity_number_is_known_by_its_check_digit(number: str) -> None:
    assert is_identity_number(number)
    assert names_a_person(f"case/{number}")


@pytest.mark.parametrize("code", ["500152199003071237", "500152199013071236", "115001100093009823"])
def test_other_codes_of_eighteen_digits_are_none(code: str) -> None:
    assert not is_identity_number(code)
    assert not names_a_person(code)


def test_digests_and_uuids_never_look_like_a_phone() -> None:
    assert not any(names_a_person(hashlib.sha256(bytes([n])).hexdigest()) for n in range(256))
    assert not names_a_person("01a207c6-bb6d-7553-9f42-139000011112")
    assert names_a_person("tel-13900001111")
