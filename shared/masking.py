"""Masking what identifies a natural person, for those who may not see it.

The forms are those of published decisions: 唐*俊, 500109********2516.
"""

from __future__ import annotations

from typing import Any


def mask_name(name: str) -> str:
    """Keep the first and, of three or more characters, the last."""
    if len(name) <= 1:
        return "*"
    if len(name) == 2:  # noqa: PLR2004 - a name of two characters keeps the surname alone
        return name[0] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]


def mask_number(number: str) -> str:
    """Keep the first three and last four characters of a phone or identity number."""
    if len(number) <= 7:  # noqa: PLR2004 - shorter than what is kept
        return "*" * len(number)
    head = 6 if len(number) >= 15 else 3  # noqa: PLR2004 - an identity number keeps its region
    return number[:head] + "*" * (len(number) - head - 4) + number[-4:]


def mask_person(person: dict[str, Any]) -> dict[str, Any]:
    """Mask every field that identifies; `masked` says that it was done."""
    masked = dict(person)
    if masked.get("name"):
        masked["name"] = mask_name(masked["name"])
    for field in ("phone", "id_number", "code"):
        if masked.get(field):
            masked[field] = mask_number(masked[field])
    if masked.get("address"):
        masked["address"] = "***"
    masked["masked"] = True
    return masked
