"""How long a sign-in has to wait after failures (登录失败处理, GB/T 22239-2019 8.1.4.1).

The wait doubles with each failure and is bounded: an account is slowed down, never locked, so that
nobody can shut an officer out by typing wrong passwords for long. Failures count for an hour.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

WINDOW: Final = timedelta(hours=1)
"""How long a failure counts."""

LONGEST_WAIT: Final = timedelta(minutes=5)

FREE_PER_ACCOUNT: Final = 5
"""Failures of one account since its last success before it has to wait."""

FREE_PER_ADDRESS: Final = 30
"""Failures from one address before it has to wait: a whole office may share one."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Failures within the window: how many, and when the last was."""

    count: int
    last: datetime | None


def seconds_to_wait(failures: Failures, free: int, now: datetime) -> int:
    """Whole seconds until the next attempt is looked at; 0 when it is at once."""
    if failures.last is None or failures.count < free:
        return 0
    wait = min(timedelta(seconds=2 ** min(failures.count - free, 30)), LONGEST_WAIT)
    return max(0, ceil((failures.last + wait - now).total_seconds()))
