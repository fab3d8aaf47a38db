"""What follows from the steps of a complaint, and enters their events beside what was sent.

Nothing here tells who reported: whether there was a name, and any way to be reached, is all.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from services.complaints import rules
from services.complaints.schemas import ANONYMOUS
from shared.clock import reckoning
from shared.clock.law_time import law_day, parse_instant
from shared.workflow.correction import TIME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.workflow.table import Facts, Situation


def reachability(s: Situation) -> Mapping[str, Any]:
    """Whether the reporter is anonymous, and left a phone or an address."""
    reporter = s.payload.reporter
    return {
        "anonymous": reporter is None or reporter.name == ANONYMOUS,
        "contact": reporter is not None and bool(reporter.phone or reporter.address),
    }


def acceptance_period(s: Situation) -> str:
    """The period that registration starts."""
    return rules.acceptance_period(urgent=s.payload.urgent)


def handling_period(s: Situation) -> str:
    """The period that acceptance starts."""
    return rules.handling_period(s.payload.petition_type, s.day)


def handled(s: Situation) -> Mapping[str, Any]:
    """That the complaint is investigated and dealt with."""
    return {"handled": rules.is_handled(s.payload.finding, s.payload.measures)}


def handled_again(investigation: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same from a corrected investigation."""
    return {"handled": rules.is_handled(investigation["finding"], investigation["measures"])}


def replied(s: Situation) -> Mapping[str, Any]:
    """That the reporter is answered, and whether by the last day for it."""
    clock = s.clocks["handling"]
    period = s.periods.at(clock.period, clock.state.started)
    due = reckoning.reckon(clock.state, period, s.calendar, s.day).due.on
    return {"replied": True, "due_on": due.isoformat(), "in_time": s.day <= due}


def replied_again(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    """Whether a reply whose time is corrected was in time."""
    corrected = reply.get(TIME)
    on = law_day(parse_instant(corrected)) if corrected else date.fromisoformat(reply["on"])
    return {"in_time": on <= date.fromisoformat(reply["due_on"])}


def columns(facts: Facts) -> Mapping[str, Any]:
    """What lists of complaints show and filter by."""
    registered = facts["register"][-1]
    return {name: registered[name] for name in ("channel", "pollution", "urgent")}


def registered_account(facts: Facts) -> Mapping[str, Any]:
    """What lists of mediators show."""
    return {"account": facts["appoint-mediator"][-1]["account"]}


def registered_event(facts: Facts) -> Mapping[str, Any]:
    """What lists of cross-department events show."""
    return {"code": facts["take-on-event"][-1]["code"]}
