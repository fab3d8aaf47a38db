"""A penalty case walked along its ordinary path, with a few things changed on the way.

Every command's data is the service's own example; a test names only what it is about.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from services.cases.examples import CATALOGUE_ITEM as CATALOGUE_EXAMPLES
from services.cases.examples import PENALTY_CASE as EXAMPLES
from services.cases.workflow import PENALTY_CASE, PROCEDURES
from shared.clock import reckoning
from shared.clock.law_time import SHANGHAI
from shared.http.problem import RefusedByLaw
from tests.replay import Replay

if TYPE_CHECKING:
    from datetime import date

    from shared.clock.reckoning import Reckoning
    from shared.law import Article
    from shared.workflow.decision import Decision
    from shared.workflow.table import Guard
    from tests.replay import Replayed

ACTORS = {
    "register": "officer1", "examine": "officer1", "extend-filing": "leader1", "file": "leader1",
    "decline-filing": "leader1", "investigate": "officer1", "inspect": "officer1",
    "conclude-investigation": "officer1", "review": "committee1",
    "return-for-investigation": "committee1", "notify": "leader1", "hear-statement": "legal1",
    "waive": "legal1", "request-hearing": "legal1", "hold-hearing": "legal1",
    "review-legality": "legal1", "discuss": "committee1", "extend-decision": "leader1",
    "decide": "leader1", "exempt": "leader1", "serve": "officer1", "serve-exemption": "officer1",
    "pay": "window1", "close": "leader1", "dismiss": "leader1", "revoke": "leader1",
    "revoke-closed": "leader1", "begin-appraisal": "officer1", "end-appraisal": "officer1",
    "suspend": "leader1", "resume": "leader1", "order-correction": "officer1", "seize": "leader1",
    "extend-seizure": "leader1", "release": "leader1", "transfer-to-police": "leader1",
    "record-police-reply": "leader1", "propose-correction": "officer1", "correct": "legal1",
    "reject-correction": "legal1", "claim-item": "legal1", "withdraw-item": "legal1",
}  # fmt: skip

PATH = {
    "register": "2024-03-01",
    "examine": "2024-03-04",
    "file": "2024-03-05",
    "investigate": "2024-03-06",
    "inspect": "2024-03-06",
    "conclude-investigation": "2024-03-11",
    "review": "2024-03-13",
    "notify": "2024-03-15",
    "review-legality": "2024-03-25",
    "decide": "2024-03-27",
    "serve": "2024-03-28",
    "pay": "2024-04-02",
    "close": "2024-04-08",
}
"""The ordinary case: no statement, no hearing, a fine of the minimum, paid in time."""


class Walk:
    """One case; `take` applies a command of it, `to` walks the path through a command."""

    def __init__(self) -> None:
        self._replay = Replay(PROCEDURES)
        self._seconds = count()

    @property
    def case(self) -> Replayed:
        """The case as it stands."""
        return self._replay.cases["case"]

    def take(self, command: str, day: str, actor: str | None = None, **changes: Any) -> Decision:
        """Apply a command on a day, its example's data changed; None leaves a field out."""
        data = {**EXAMPLES, **CATALOGUE_EXAMPLES}[command] | changes
        at = datetime.fromisoformat(day).replace(hour=9, tzinfo=SHANGHAI)
        return self._replay.take(
            "case",
            command,
            actor or ACTORS[command],
            at + timedelta(seconds=next(self._seconds)),
            {name: value for name, value in data.items() if value is not None},
        )

    def to(self, last: str, **changes: dict[str, Any]) -> Walk:
        """Walk the path through `last`; `changes` by command, its dashes written as underscores."""
        for command, day in PATH.items():
            self.take(command, day, **changes.get(command.replace("-", "_"), {}))
            if command == last:
                return self
        raise AssertionError(last)

    def refused(
        self, why: Guard | Article, command: str, day: str, actor: str | None = None, **changes: Any
    ) -> None:
        """Expect the law to refuse a command, by a guard's article or a clock's, changing nothing."""
        article = getattr(why, "article", why)
        state, facts = self.case.state, self.case.facts
        with pytest.raises(RefusedByLaw) as refusal:
            self.take(command, day, actor, **changes)
        assert refusal.value.article == article
        assert refusal.value.field == getattr(why, "field", None)
        assert (self.case.state, self.case.facts) == (state, facts)

    def clock(self, name: str, today: date) -> Reckoning:
        """Where one of the case's clocks stands on a day."""
        clock = self.case.clocks[name]
        period = PENALTY_CASE.periods.at(clock.period, clock.state.started)
        return reckoning.reckon(clock.state, period, self._replay.calendar, today)
