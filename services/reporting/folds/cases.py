"""What counts of penalty cases and of the enforcement catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.reporting.folds.notes import (
    Counted,
    Event,
    each_year,
    fen,
    flag,
    in_force,
    last,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from services.reporting.folds.notes import Done

_PENALTY_CASE = {
    "clue-registered": Event("register", {"source": text}),
    "case-filed": Event("file", {"cause": text}),
    "penalty-decided": Event("decide", {"amount": fen, "at_minimum": flag}),
    "penalty-exempted": Event("exempt", {"minor": flag}),
    "penalty-revoked": Event("revoke"),
    "closed-penalty-revoked": Event("revoke"),
    "items-seized": Event("seize"),
    "transferred-to-police": Event("transfer-to-police"),
    "case-closed": Event("close"),
    **dict.fromkeys(
        (
            *("clue-examined", "filing-extended", "case-not-filed", "case-dismissed"),
            *("investigation-started", "investigation-concluded", "investigation-suspended"),
            *("investigation-resumed", "inspection-recorded", "appraisal-begun"),
            *("appraisal-ended", "correction-ordered", "seizure-extended", "seizure-released"),
            *("police-replied", "case-reviewed", "case-returned", "notice-served"),
            *("statement-heard", "statement-waived", "hearing-requested", "hearing-held"),
            *("legality-reviewed", "case-discussed", "decision-extended", "decision-served"),
            *("exemption-served", "fine-paid"),
        ),
        Event(),
    ),
}
_CATALOGUE_ITEM = {
    "catalogue-item-claimed": Event("claim-item", {"kind": text}),
    "catalogue-item-withdrawn": Event("withdraw-item"),
}
PROCEDURES = {
    "penalty-case": ("case", _PENALTY_CASE),
    "catalogue-item": ("catalogue-item", _CATALOGUE_ITEM),
}


def penalty_case(done: Done) -> Iterable[Counted]:
    """Count a case under its one main cause (案由), that of its filing, once it is filed."""
    registered, filed = last(done, "register"), last(done, "file")
    channel = registered["source"] if registered else ""
    cause = filed["cause"] if filed else ""
    for command, measure in (("register", "clues"), ("file", "filed"), ("close", "cases_closed")):
        for occurrence in done.get(command, ()):
            yield Counted(measure, occurrence["on"], cause, channel)
    decided = last(done, "decide")
    if decided is not None and "revoke" not in done:
        yield Counted("penalised", decided["on"], cause, channel)
        yield Counted("fined_fen", decided["on"], cause, channel, decided["amount"])
        if decided["at_minimum"]:
            yield Counted("minimum_penalty", decided["on"], cause, channel)
    exempted = last(done, "exempt")
    if exempted is not None and exempted["minor"]:
        yield Counted("exempted", exempted["on"], cause, channel)
    for command, measure in (("seize", "seizures"), ("transfer-to-police", "transferred")):
        for on in each_year(done.get(command, ())):
            yield Counted(measure, on, cause, channel)


def catalogue_item(done: Done) -> Iterable[Counted]:
    """Count a claimed item while it is not withdrawn."""
    claimed = last(done, "claim-item")
    kind = claimed["kind"] if claimed else ""
    return in_force(done, "catalogue_items", "claim-item", "withdraw-item", kind)


COUNTS = {"penalty-case": penalty_case, "catalogue-item": catalogue_item}
