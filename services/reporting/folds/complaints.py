"""What counts of complaints, of mediators and of cross-department events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.reporting.folds.notes import Counted, Event, flag, in_force, last, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from services.reporting.folds.notes import Done

_COMPLAINT = {
    "complaint-registered": Event(
        "register", {"channel": text, "pollution": text, "contact": flag}
    ),
    "complaint-accepted": Event("accept"),
    "complaint-handled": Event("conclude-investigation", {"handled": flag}),
    "complaint-replied": Event("reply", {"replied": flag}),
    "complaint-reopened": Event("reopen", after=("conclude-investigation", "reply")),
    **dict.fromkeys(
        (
            *("complaint-declined", "complaint-transferred", "complaint-merged"),
            *("complaint-withdrawn", "transfer-objected", "objection-upheld"),
            *("objection-dismissed", "emergency-reported", "complaint-assigned"),
            *("complaint-investigated", "clue-handed-over", "handling-extended"),
            *("answer-drafted", "answer-returned", "answer-signed", "reporter-called-back"),
            *("complaint-closed", "unreachable-complaint-closed"),
        ),
        Event(),
    ),
}
_MEDIATOR = {
    "mediator-appointed": Event("appoint-mediator"),
    "mediator-dismissed": Event("dismiss-mediator"),
}
_CROSS_EVENT = {
    "cross-event-taken-on": Event("take-on-event"),
    "cross-event-given-up": Event("give-up-event"),
}
PROCEDURES = {
    "complaint": ("complaint", _COMPLAINT),
    "mediator": ("mediator", _MEDIATOR),
    "cross-event": ("cross-event", _CROSS_EVENT),
}


def complaint(done: Done) -> Iterable[Counted]:
    """Count a complaint; what became of it counts on the day it was accepted, as of now.

    One that was reopened (退回重办) is neither handled nor replied to until it is again. One that
    left no contact cannot be replied to, so it is left out of both sides of that rate.
    """
    registered = last(done, "register")
    kind, channel = (registered["pollution"], registered["channel"]) if registered else ("", "")
    for occurrence in done.get("register", ()):
        yield Counted("complaints", occurrence["on"], kind, channel)
    accepted = last(done, "accept")
    if accepted is None:
        return
    on = accepted["on"]
    yield Counted("accepted", on, kind, channel)
    reopened = last(done, "reopen") or {}
    concluded = done.get("conclude-investigation", ())
    if len(concluded) > reopened.get("conclude-investigation", 0) and concluded[-1]["handled"]:
        yield Counted("handled", on, kind, channel)
    if registered is not None and registered["contact"]:
        yield Counted("reachable", on, kind, channel)
        replies = done.get("reply", ())
        if len(replies) > reopened.get("reply", 0) and replies[-1]["replied"]:
            yield Counted("replied", on, kind, channel)


def mediator(done: Done) -> Iterable[Counted]:
    """Count a mediator while appointed."""
    return in_force(done, "mediators", "appoint-mediator", "dismiss-mediator")


def cross_event(done: Done) -> Iterable[Counted]:
    """Count a kind of cross-department event while it is taken on."""
    return in_force(done, "cross_events", "take-on-event", "give-up-event")


COUNTS = {"complaint": complaint, "mediator": mediator, "cross-event": cross_event}
