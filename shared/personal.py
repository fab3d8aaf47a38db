"""Recognising what names a natural person where only codes belong: it must not enter an event."""

from __future__ import annotations

import re
from collections.abc import Callable

from stdnum.cn import ric

_PARTS = re.compile(r"[0-9A-Za-z]+")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_IDENTITY = re.compile(r"[0-9]{17}[0-9Xx]")


def is_identity_number(text: str) -> bool:
    """Whether `text` is a 公民身份号码 by its date of birth and check digit (GB 11643).

    The region is not looked up: people keep the code of a district that was since renamed.
    """
    if not _IDENTITY.fullmatch(text):
        return False
    try:
        ric.get_birth_date(text)
    except ric.InvalidComponent:
        return False
    return ric.calc_check_digit(text.upper()) == text[-1].upper()


def names_a_person(text: str) -> bool:
    """Whether a part of `text` is a mobile number or a valid 公民身份号码 (GB 11643).

    Parts are runs of letters and digits, so that digests and UUIDs are never mistaken.
    """
    return any(map(_is_number_of_a_person, _PARTS.findall(text)))


def replace_numbers(text: str, by: Callable[[str], str]) -> str:
    """`text` with each number that names a person replaced."""
    return _PARTS.sub(
        lambda part: by(part[0]) if _is_number_of_a_person(part[0]) else part[0], text
    )


def _is_number_of_a_person(part: str) -> bool:
    return _MOBILE.fullmatch(part) is not None or is_identity_number(part)
