"""What is noted of an aggregate's events: per command, the day and the fields that count.

So a 更正 is one rule for all: it changes the noted occurrence that it names, and the statistics
follow by the difference. An event's fields beyond those noted may come and go.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from shared.clock.law_time import law_day, parse_instant
from shared.consumer.projection import UnfitEventError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from shared.consumer.working_set import Body
    from shared.events.envelope import Envelope

    Done = Mapping[str, Sequence[Mapping[str, Any]]]
    """Per command, every occurrence noted: its fields, and `on`, the day, YYYY-MM-DD."""

    Count = Callable[[Done], Iterable["Counted"]]
    Reader = Callable[[Any], Any]

TYPE_PREFIX = "cn.ecocase"
CORRECTED_TIME = "occurred_at"


class Counted(NamedTuple):
    """An amount of a measure on a day, and what it is told apart by."""

    measure: str
    on: str
    kind: str = ""
    channel: str = ""
    amount: int = 1


@dataclass(frozen=True, slots=True)
class Event:
    """An event type: the command it is noted under (None: only known), and what reads its fields.

    `after` notes how often each of these commands had been done by then, under its name.
    """

    command: str | None = None
    fields: Mapping[str, Reader] = field(default_factory=dict)
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Noted:
    """What is noted of an event type; `corrects` holds, per command, what a 更正 may change."""

    procedure: str
    event: Event
    corrects: Mapping[str, Mapping[str, Reader]] | None = None


def text(value: Any) -> str:
    """Read a code."""
    if not isinstance(value, str):
        raise UnfitEventError("no text")
    return value


def flag(value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise UnfitEventError("neither true nor false")
    return value


def number(value: Any) -> int:
    """Read a whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnfitEventError("no whole number")
    return value


def fen(value: Any) -> int:
    """Read an amount in yuan, a decimal in a string, as fen."""
    try:
        return int(Decimal(text(value)) * 100)
    except (InvalidOperation, OverflowError, ValueError) as error:
        raise UnfitEventError("no amount") from error


def types_of(
    service: str, procedures: Mapping[str, tuple[str, Mapping[str, Event]]]
) -> dict[str, Noted]:
    """Name a service's event types.

    `procedures`: per procedure, the prefix of its 更正 and, per event name, what is noted of it.
    """
    types: dict[str, Noted] = {}
    for procedure, (prefix, events) in procedures.items():
        known = {name: Noted(procedure, event) for name, event in events.items()}
        for step in ("proposed", "rejected"):
            known[f"{prefix}-correction-{step}"] = Noted(procedure, Event())
        fields = {event.command: event.fields for event in events.values() if event.command}
        known[f"{prefix}-corrected"] = Noted(procedure, Event(), corrects=fields)
        types |= {f"{TYPE_PREFIX}.{service}.{name}.v1": noted for name, noted in known.items()}
    return types


def note(noted: Noted, body: Body | None, envelope: Envelope) -> Body:
    """Note an event; raises `UnfitEventError` where it lacks what its type has."""
    data = orjson.loads(envelope.data)
    if not isinstance(data, dict):
        raise UnfitEventError("data is no object")
    done: Done = {} if body is None else body["done"]
    if noted.corrects is not None:
        return {"procedure": noted.procedure, "done": _corrected(noted.corrects, done, data)}
    event = noted.event
    if event.command is None:
        return body or {"procedure": noted.procedure, "done": {}}
    occurrence: dict[str, Any] = {"on": _day(envelope.occurred_at)}
    for name, read in event.fields.items():
        occurrence[name] = _read(read, name, data.get(name))
    for command in event.after:
        occurrence[command] = len(done.get(command, ()))
    occurrences = [*done.get(event.command, ()), occurrence]
    return {"procedure": noted.procedure, "done": {**done, event.command: occurrences}}


def _corrected(
    corrects: Mapping[str, Mapping[str, Reader]], done: Done, data: Mapping[str, Any]
) -> Done:
    target, which, changes = data.get("target"), data.get("occurrence"), data.get("changes")
    if not (isinstance(target, str) and isinstance(which, int) and isinstance(changes, dict)):
        raise UnfitEventError("a correction without target, occurrence or changes")
    fields = corrects.get(target)
    if fields is None:
        return done  # nothing of it counts
    occurrences = [dict(occurrence) for occurrence in done.get(target, ())]
    if not 0 <= which < len(occurrences):
        raise UnfitEventError(f"there is no occurrence {which} of {target}")
    changed = occurrences[which]
    for name, value in changes.items():
        if name == CORRECTED_TIME:
            changed["on"] = _read(_corrected_day, name, value)
        elif name in fields:
            changed[name] = _read(fields[name], name, value)
    return {**done, target: occurrences}


def _read(read: Reader, name: str, value: Any) -> Any:
    try:
        return read(value)
    except UnfitEventError as error:
        raise UnfitEventError(f"{name}: {error}") from error


def _corrected_day(value: Any) -> str:
    try:
        return law_day(parse_instant(text(value))).isoformat()
    except ValueError as error:
        raise UnfitEventError("no time") from error


def _day(instant: datetime) -> str:
    if instant >= _SAME_OFFSET_SINCE:
        return (instant + _OFFSET).date().isoformat()
    return law_day(instant).isoformat()


# A rebuild asks this of every event, and a time zone's rules take five times as long.
_SAME_OFFSET_SINCE = datetime(1992, 1, 1, tzinfo=UTC)
_OFFSET = timedelta(hours=8)


def last(done: Done, command: str) -> Mapping[str, Any] | None:
    """The latest occurrence of a command."""
    occurrences = done.get(command)
    return occurrences[-1] if occurrences else None


def each_year(occurrences: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """The first day in each year in which something was done: a case counts once a year."""
    first: dict[str, str] = {}
    for on in sorted(occurrence["on"] for occurrence in occurrences):
        first.setdefault(on[:4], on)
    return first.values()


def in_force(done: Done, measure: str, begins: str, ends: str, kind: str = "") -> Iterable[Counted]:
    """A register's entry: one more from the day it begins, one less from the day it ends."""
    for occurrence in done.get(begins, ()):
        yield Counted(measure, occurrence["on"], kind)
    for occurrence in done.get(ends, ()):
        yield Counted(measure, occurrence["on"], kind, amount=-1)
