"""An application taken step by step through the pure decision, for the tests of its law."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import pytest

from services.permits.examples import PERMIT_APPLICATION, TIME_LIMIT
from services.permits.workflow import PROCEDURES
from shared.clock import reckoning
from shared.clock.law_time import SHANGHAI
from shared.http.problem import RefusedByLaw, WrongState
from shared.law import Article
from tests.replay import Replay

if TYPE_CHECKING:
    from shared.clock.reckoning import Reckoning
    from shared.workflow.decision import Decision

EXAMPLES = TIME_LIMIT | PERMIT_APPLICATION
ACTORS = {
    "review": "approver1",
    "propose": "approver1",
    "begin-special": "approver1",
    "end-special": "approver1",
    "approve": "leader1",
    "refuse": "leader1",
    "extend": "leader1",
    "revoke": "leader1",
    "cancel": "leader1",
    "set-limit": "leader1",
    "change-limit": "leader1",
    "withdraw-limit": "leader1",
}


class Application:
    """One aggregate; days are ISO dates, each command at nine and a minute later than the last."""

    def __init__(self) -> None:
        self._replay = Replay(PROCEDURES)
        self._minute = 0

    def take(self, command: str, day: str, *, by: str | None = None, **data: Any) -> Decision:
        """Take a command with its example's data, changed by `data`; None leaves a field out."""
        self._minute += 1
        at = datetime.combine(
            date.fromisoformat(day), time(9 + self._minute // 60, self._minute % 60), SHANGHAI
        )
        body = {
            name: value
            for name, value in ({**EXAMPLES.get(command, {}), **data}).items()
            if value is not None
        }
        return self._replay.take("one", command, by or ACTORS.get(command, "window1"), at, body)

    def refused(self, command: str, day: str, *, by: str | None = None, **data: Any) -> str:
        """Take a command that the law refuses, and say by which article."""
        with pytest.raises(RefusedByLaw) as refusal:
            self.take(command, day, by=by, **data)
        article = refusal.value.article
        assert isinstance(article, Article)
        return article.text

    def out_of_place(self, command: str, day: str) -> None:
        """Take a command that the present state does not allow."""
        with pytest.raises(WrongState):
            self.take(command, day)

    @property
    def state(self) -> str | None:
        """The present state."""
        return self._replay.cases["one"].state

    def clock(self, name: str, today: str) -> Reckoning:
        """Where a clock stands at the close of a day."""
        case = self._replay.cases["one"]
        clock = case.clocks[name]
        period = case.procedure.periods.at(clock.period, clock.state.started)
        return reckoning.reckon(
            clock.state, period, self._replay.calendar, date.fromisoformat(today)
        )


def received(item: str = "other", day: str = "2024-03-04", **data: Any) -> Application:
    """An application received on a Monday."""
    application = Application()
    application.take("receive", day, item=item, **data)
    return application


def accepted(item: str = "other", **data: Any) -> Application:
    """One received on Monday 4 March 2024 and accepted the next day."""
    application = received(item, **data)
    command = "accept-eia" if item.startswith("eia") else "accept"
    application.take(command, "2024-03-05")
    return application


def reviewed(item: str = "other", **data: Any) -> Application:
    """One reviewed by approver1; an EIA after its first notice, which ends on 20 March."""
    application = accepted(item, **data)
    day = "2024-03-07"
    if item.startswith("eia"):
        application.take("publicise", "2024-03-06", ends_on="2024-03-20", full_text=True)
        application.take("end-notice", "2024-03-20")
        day = "2024-03-21"
    application.take("review", day)
    return application


def approved(item: str = "other", **data: Any) -> Application:
    """One approved by leader1; an EIA after its second notice."""
    application = reviewed(item, **data)
    day = "2024-03-08"
    if item.startswith("eia"):
        application.take("propose", "2024-03-21", ends_on="2024-03-28")
        application.take("end-proposal", "2024-03-28")
        day = "2024-03-29"
    application.take("approve", day)
    return application
