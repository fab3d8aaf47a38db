"""Refusals that come again and again, counted into one entry so that no flood fills the disk.

Of what one account is refused in the same way, the first ten within a second are each an entry, and
all further ones together another. Whoever tries to sign in has not shown who they are: of such
tries, told apart by account, outcome and source, the first five within a minute are each an entry;
of what nobody signed in is refused, the first from a source. A second or minute in which something
came is followed by a stretch twice as long, of which as many are entries, up to ten minutes or an
hour: whoever goes on all day leaves a few hundred entries, however quick they are.

The counted ones are written when their stretch ends, and before anybody searches the trail; until
then a crash would lose their count, never the first of them.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from shared.audit.entry import Kind
from shared.http.address import network_of

if TYPE_CHECKING:
    from datetime import datetime

    from shared.audit.entry import Entry

SEVERAL: Final = "*"
"""Stands for an action where several were counted together."""

MOST_WINDOWS: Final = 1024
"""Sources told apart at once; of those beyond, no entry says where they come from."""


@dataclass(slots=True)
class _Window:
    seconds: float
    admitted: int = 0
    counted: Entry | None = None
    since: datetime | None = None

    def admits(self, burst: int, entry: Entry, at: datetime) -> bool:
        if self.admitted < burst:
            self.admitted += 1
            return True
        self.counted = entry if self.counted is None else _together(self.counted, entry)
        self.since = self.since or at
        return False

    def take(self) -> list[tuple[Entry, datetime]]:
        """What was counted so far, with the time of the first."""
        if self.counted is None or self.since is None:
            return []
        taken = [(self.counted, self.since)]
        self.counted = self.since = None
        return taken


@dataclass(slots=True)
class _Lane:
    """Windows that begin with one length, and the times at which they end."""

    seconds: float
    longest: float
    burst: int
    windows: dict[Hashable, _Window] = field(default_factory=dict)
    ends: list[tuple[float, int, Hashable]] = field(default_factory=list)
    serial: count[int] = field(default_factory=count)

    def admits(
        self, key: Hashable, crowd: Hashable, entry: Entry, at: datetime, now: float
    ) -> bool:
        """Whether to write an entry; `crowd` is counted by where there are too many windows."""
        if key not in self.windows and len(self.windows) >= MOST_WINDOWS:
            key, entry = crowd, replace(entry, address=None)
        if key not in self.windows:
            self._open(key, self.seconds, now)
        return self.windows[key].admits(self.burst, entry, at)

    def ended(self, now: float) -> list[tuple[Entry, datetime]]:
        found = []
        while self.ends and self.ends[0][0] <= now:
            _, _, key = heappop(self.ends)
            window = self.windows.pop(key)
            found += window.take()
            if window.admitted:
                self._open(key, min(2 * window.seconds, self.longest), now)
        return found

    def counted(self) -> list[tuple[Entry, datetime]]:
        return [one for window in self.windows.values() for one in window.take()]

    def _open(self, key: Hashable, seconds: float, now: float) -> None:
        self.windows[key] = _Window(seconds)
        heappush(self.ends, (now + seconds, next(self.serial), key))


class Repeats:
    """Says which refusals to write at once, and counts the others; `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._signed_in = _Lane(seconds=1.0, longest=600.0, burst=10)
        self._signing_in = _Lane(seconds=60.0, longest=3600.0, burst=5)
        self._unknown = _Lane(seconds=60.0, longest=3600.0, burst=1)
        self._lanes = (self._signed_in, self._signing_in, self._unknown)

    def admits(self, entry: Entry, at: datetime, now: float) -> bool:
        """Whether to write an entry of its own; where not, it has been counted."""
        source = network_of(entry.address or "")
        if entry.account is None:
            return self._unknown.admits((source, entry.kind), SEVERAL, entry, at, now)
        if entry.kind is Kind.SIGN_IN:
            crowd = (entry.account, entry.action)
            return self._signing_in.admits((*crowd, source), crowd, entry, at, now)
        crowd = (entry.account, entry.kind)
        key = (*crowd, entry.action, entry.problem, entry.article)
        return self._signed_in.admits(key, crowd, entry, at, now)

    def ended(self, now: float) -> list[tuple[Entry, datetime]]:
        """What was counted in windows that have ended, each with the time of its first."""
        return [one for lane in self._lanes for one in lane.ended(now)]

    def counted(self) -> list[tuple[Entry, datetime]]:
        """What was counted until now, in windows that go on."""
        return [one for lane in self._lanes for one in lane.counted()]

    def next_end(self) -> float | None:
        """When the next window ends; None where there is none."""
        return min((lane.ends[0][0] for lane in self._lanes if lane.ends), default=None)


def _together(counted: Entry, entry: Entry) -> Entry:
    """Two entries as one: what differs between them is left out."""
    alike: dict[str, Any] = {
        name: getattr(counted, name) if getattr(counted, name) == getattr(entry, name) else None
        for name in ("object_type", "object_id", "reason", "problem", "status", "address")
    }
    return replace(
        counted,
        count=counted.count + entry.count,
        action=counted.action if counted.action == entry.action else SEVERAL,
        **alike,
    )
