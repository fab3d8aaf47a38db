"""Times of the API in the words of the bureau's clock."""

from __future__ import annotations

from datetime import datetime

from shared.clock.law_time import SHANGHAI


def local(moment: str) -> str:
    """An RFC 3339 time as the bureau's clock shows it, to the minute."""
    return datetime.fromisoformat(moment).astimezone(SHANGHAI).strftime("%F %H:%M")
