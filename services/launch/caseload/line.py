"""One command of a caseload, and the course of commands that one case takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from shared.clock.law_time import SHANGHAI

OFFICE_OPENS = time(9, 0)
MINUTES_TO_NOON = 180
MINUTES_BETWEEN = 25


@dataclass(frozen=True, slots=True)
class Line:
    """A command as the import sends it.

    `ref` names the case within the file, `actor` the account answerable for the step, `at` is
    aware (+08:00), `data` the command's payload as JSON values.
    """

    service: str
    ref: str
    command: str
    actor: str
    at: datetime
    data: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Plain values for one line of JSON Lines; `at` is RFC 3339."""
        return {
            "service": self.service,
            "ref": self.ref,
            "command": self.command,
            "actor": self.actor,
            "at": self.at.isoformat(),
            "data": dict(self.data),
        }


@dataclass
class Course:
    """The commands of one case, each later than the one before, in office hours."""

    service: str
    ref: str
    random: Random
    taken: list[Line] = field(default_factory=list)

    def take(self, command: str, actor: str, day: date, **data: Any) -> date:
        """Add a command on a day not before the last one's, and return that day.

        Raises ValueError on a day before the last command's.
        """
        at = self._instant(day)
        self.taken.append(Line(self.service, self.ref, command, actor, at, data))
        return day

    def __iter__(self) -> Iterator[Line]:
        """The commands so far, in order."""
        return iter(self.taken)

    def _instant(self, day: date) -> datetime:
        opens = datetime.combine(day, OFFICE_OPENS, SHANGHAI)
        if not self.taken or self.taken[-1].at.date() < day:
            return opens + timedelta(minutes=self.random.randrange(MINUTES_TO_NOON))
        if self.taken[-1].at.date() > day:
            msg = f"{self.ref}: {day} lies before its last command"
            raise ValueError(msg)
        return self.taken[-1].at + timedelta(minutes=self.random.randint(1, MINUTES_BETWEEN))
