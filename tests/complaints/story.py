"""Tells a complaint step by step through the pure kit, a minute between steps of one day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from services.complaints.examples import COMPLAINT as EXAMPLES
from services.complaints.workflow import PROCEDURES
from shared.clock.law_time import SHANGHAI
from shared.workflow.decision import Decision
from tests.replay import Replay, Replayed

REF = "complaint"
START = date(2024, 3, 4)
ACTORS = {
    "investigate": "officer1",
    "turn-into-clue": "officer1",
    "extend-handling": "leader1",
    "conclude-investigation": "officer1",
    "draft-answer": "officer1",
    "return-draft": "leader1",
    "sign-answer": "leader1",
}
TO_SIGNED = (
    "accept", "assign", "investigate", "conclude-investigation", "draft-answer", "sign-answer",
)  # fmt: skip


class Story:
    """One complaint: every step by its example, but for what a test changes."""

    def __init__(self) -> None:
        self.replay = Replay(PROCEDURES)
        self.at = datetime.combine(START, time(9, 0), SHANGHAI)
        self.decisions: list[Decision] = []

    @property
    def complaint(self) -> Replayed:
        """The complaint as it stands."""
        return self.replay.cases[REF]

    def take(self, command: str, by: str | None = None, on: date | None = None, **data: Any) -> Any:
        """Take a step; a field given as None is left out of the example."""
        if on is not None:
            self.at = datetime.combine(on, time(9, 0), SHANGHAI)
        self.at += timedelta(minutes=1)
        changed = {**EXAMPLES[command], **data}
        sent = {name: value for name, value in changed.items() if value is not None}
        actor = by or ACTORS.get(command, "petition1")
        decision = self.replay.take(REF, command, actor, self.at, sent)
        self.decisions.append(decision)
        return decision

    def tell(self, *commands: str) -> Story:
        """Take steps by their examples."""
        for command in commands:
            self.take(command)
        return self


def registered(**data: Any) -> Story:
    """A complaint just registered."""
    story = Story()
    story.take("register", **data)
    return story


def signed(**data: Any) -> Story:
    """A complaint whose answer is signed."""
    return registered(**data).tell(*TO_SIGNED)
