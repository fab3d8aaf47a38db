"""What failures lead to (登录失败处理, GB/T 22239-2019 8.1.4.1 b).

Five failures of an account within fifteen minutes lock it for thirty minutes, or until the security
administrator unlocks it. An outsider who knows an account's code can lock it so, at a price: every
failure is on record with its address, an address that fails often has to wait, a lock hinders only
new sign-ins and leaves open sessions alone, and it ends by itself.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Final

FAILURES: Final = 5
WITHIN: Final = timedelta(minutes=15)
LOCKED_FOR: Final = timedelta(minutes=30)
LOOK_BACK: Final = WITHIN + LOCKED_FOR
"""How old a failure can be that still matters to a lock."""

FREE_PER_ADDRESS: Final = 30
"""Failures from one address within an hour before it has to wait: a whole office may share one."""

ADDRESS_WINDOW: Final = timedelta(hours=1)
LONGEST_WAIT: Final = timedelta(minutes=5)


def locked_until(failures: Sequence[datetime]) -> datetime | None:
    """When the lock ends that `failures` (since the last success, newest first) led to, if any.

    An attempt while locked is not looked at, hence no failure: the newest is the one that locked.
    """
    if len(failures) < FAILURES or failures[0] - failures[FAILURES - 1] > WITHIN:
        return None
    return failures[0] + LOCKED_FOR


def address_waits_until(count: int, last: datetime | None) -> datetime | None:
    """Until when an address waits after `count` failures; the wait doubles with each."""
    if last is None or count < FREE_PER_ADDRESS:
        return None
    return last + min(timedelta(seconds=2 ** min(count - FREE_PER_ADDRESS, 30)), LONGEST_WAIT)


def seconds_until(moment: datetime | None, now: datetime) -> int:
    """Whole seconds from `now` to `moment`; 0 when it has passed or is None."""
    return 0 if moment is None else max(0, ceil((moment - now).total_seconds()))
