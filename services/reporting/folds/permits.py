"""What counts of permit applications; the limits in force are read from their facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.reporting.folds.notes import Counted, Event, last, number, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from services.reporting.folds.notes import Done

_PERMIT_APPLICATION = {
    "application-received": Event("receive", {"item": text, "kind": text, "channel": text}),
    "application-approved": Event("approve"),
    "application-refused": Event("refuse"),
    "licence-issued": Event("issue"),
    **dict.fromkeys(
        (
            *("supplement-requested", "supplement-received", "application-lapsed"),
            *("application-accepted", "assessment-accepted", "application-deemed-accepted"),
            *("acceptance-declined", "application-withdrawn", "application-publicised"),
            *("application-reviewed", "approval-proposed", "application-concluded"),
            *("approval-revoked", "licence-cancelled", "publicity-ended"),
            *("proposal-publicity-ended", "special-procedure-begun"),
            *("special-procedure-ended", "time-extended"),
        ),
        Event(),
    ),
}
_DAYS = {"statutory_days": number, "committed_days": number}
_SINCE = ("withdraw-limit",)  # a limit that was withdrawn is put in force again by a change
_TIME_LIMIT = {
    "limit-set": Event("set-limit", {"item": text, "kind": text, **_DAYS}, after=_SINCE),
    "limit-changed": Event("change-limit", _DAYS, after=_SINCE),
    "limit-withdrawn": Event("withdraw-limit"),
}
PROCEDURES = {
    "permit-application": ("application", _PERMIT_APPLICATION),
    "time-limit": ("limit", _TIME_LIMIT),
}


def permit_application(done: Done) -> Iterable[Counted]:
    """Count an application under its item and channel, as they now stand."""
    received = last(done, "receive")
    item, channel = (received["item"], received["channel"]) if received else ("", "")
    for command, measure in (
        ("receive", "applications"),
        ("approve", "approved"),
        ("refuse", "refused"),
        ("issue", "issued"),
    ):
        for occurrence in done.get(command, ()):
            yield Counted(measure, occurrence["on"], item, channel)


def time_limit(_: Done) -> Iterable[Counted]:
    """Count nothing."""
    return ()


COUNTS = {"permit-application": permit_application, "time-limit": time_limit}
