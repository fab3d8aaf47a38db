"""The time zone of the law: Asia/Shanghai. Stored times are UTC; days are Shanghai's."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE_OPENS = time(9, 0)
"""What a bare date means where an instant is wanted."""


def law_day(instant: datetime) -> date:
    """The day of the law on which an aware instant lies."""
    return instant.astimezone(SHANGHAI).date()


def parse_instant(text: str) -> datetime:
    """Read RFC 3339, without offset Asia/Shanghai, a bare date as 09:00; the answer is UTC.

    Raises ValueError with the reason in Chinese, which does not repeat what was written.
    """
    try:
        if len(text) == len("2024-01-01"):
            day = date.fromisoformat(text)
            return datetime.combine(day, OFFICE_OPENS, SHANGHAI).astimezone(UTC)
        instant = datetime.fromisoformat(text)
    except ValueError:
        msg = "不是 RFC 3339 的时间"
        raise ValueError(msg) from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=SHANGHAI)
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        msg = "时间超出范围"
        raise ValueError(msg) from None
