"""Refusals that come again and again, counted into one entry so that no flood fills the disk.

Of what one account is refused in the same way, the first ten within a second are each an entry, and
all further ones together another. Of what nobody signed in is refused, the first from an address
within a minute is an entry, and all further ones another. The counted ones are written when their
second or minute ends; until then a crash would lose their count, never the first of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from shared.audit.entry import Entry

SEVERAL = "*"
"""Stands for an action where several were counted together."""
MOST_WINDOWS = 4096
"""Sources told apart at once; those beyond are counted as one, without an address."""


@dataclass(slots=True)
class _Window:
    ends: float
    admitted: int = 1
    counted: Entry | None = None
    since: datetime | None = None


@dataclass(slots=True)
class _Lane:
    """Windows of one length, in the order in which they end."""

    seconds: float
    burst: int
    windows: OrderedDict[Hashable, _Window] = field(default_factory=OrderedDict)

    def admits(self, key: Hashable, entry: Entry, at: datetime, now: float) -> bool:
        window = self.windows.get(key)
        if window is None and len(self.windows) >= MOST_WINDOWS:
            key, entry = SEVERAL, replace(entry, address=None)
            window = self.windows.get(key)
        if window is None:
            self.windows[key] = _Window(now + self.seconds)
            return True
        if window.admitted < self.burst:
            window.admitted += 1
            return True
        window.counted = entry if window.counted is None else _together(window.counted, entry)
        window.since = window.since or at
        return False

    def ended(self, now: float) -> list[tuple[Entry, datetime]]:
        found = []
        while self.windows:
            window = next(iter(self.windows.values()))
            if window.ends > now:
                break
            self.windows.popitem(last=False)
            if window.counted is not None and window.since is not None:
                found.append((window.counted, window.since))
        return found


class Repeats:
    """Says which refusals to write at once, and counts the others; `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._signed_in = _Lane(seconds=1.0, burst=10)
        self._unknown = _Lane(seconds=60.0, burst=1)

    def admits(self, entry: Entry, at: datetime, now: float) -> bool:
        """Whether to write an entry of its own; where not, it has been counted."""
        if entry.account is None:
            return self._unknown.admits((entry.address, entry.kind), entry, at, now)
        key = (entry.account, entry.kind, entry.action, entry.problem, entry.article)
        return self._signed_in.admits(key, entry, at, now)

    def ended(self, now: float) -> list[tuple[Entry, datetime]]:
        """What was counted in windows that have ended, each with the time of its first."""
        return [*self._signed_in.ended(now), *self._unknown.ended(now)]

    def next_end(self) -> float | None:
        """When the next window ends; None where there is none."""
        lanes = (self._signed_in, self._unknown)
        ends = [next(iter(lane.windows.values())).ends for lane in lanes if lane.windows]
        return min(ends, default=None)


def _together(counted: Entry, entry: Entry) -> Entry:
    """Two entries as one: what differs between them is left out."""
    return replace(
        counted,
        count=counted.count + entry.count,
        action=counted.action if counted.action == entry.action else SEVERAL,
        object_type=counted.object_type if counted.object_type == entry.object_type else None,
        object_id=counted.object_id if counted.object_id == entry.object_id else None,
        reason=counted.reason if counted.reason == entry.reason else None,
        problem=counted.problem if counted.problem == entry.problem else None,
        status=counted.status if counted.status == entry.status else None,
    )
