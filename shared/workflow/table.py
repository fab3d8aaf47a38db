"""A procedure as data: states, and one row a transition.

A *step* changes the state and stands in time after the last step. A *record* (a receipt, evidence,
a pause) only adds, and may lie anywhere since the opening, because paper is entered late. From the
rows come the API, the permission checks, `GET …/actions`, the state diagrams, the event types with
their schemas, docs/caseload.md and the random walks of the tests.

Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from shared.identity.roles import Role

if TYPE_CHECKING:
    from shared.clock.calendar import WorkCalendar
    from shared.clock.period import Periods
    from shared.clock.reckoning import ClockState
    from shared.identity.caller import Caller
    from shared.identity.officers import Certificate
    from shared.law import Article
    from shared.workflow.payload import Payload

BUSINESS = frozenset(Role) - {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN}
"""Whoever takes part in cases; the three administrators (三员) read none."""

TYPE_PREFIX = "cn.ecocase"

Facts = Mapping[str, Sequence[Mapping[str, Any]]]
"""Per command, every occurrence of it: the event's data with `by`, `at` (RFC 3339) and `on`."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A legal clock of an aggregate: the code of its period, and what happened to it."""

    period: str
    state: ClockState


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a rule may look at when a command is decided.

    `facts` holds, per command, every occurrence of it so far: the event's data with `by` (account),
    `at` (RFC 3339) and `on` (the day in Asia/Shanghai). `payload` is None where somebody only asks
    what could be done.
    """

    state: str | None
    facts: Facts
    clocks: Mapping[str, Clock]
    caller: Caller
    at: datetime
    day: date
    calendar: WorkCalendar
    periods: Periods
    payload: Any = None
    officers: Mapping[str, Sequence[Certificate]] = field(default_factory=dict)

    def last(self, command: str) -> Mapping[str, Any] | None:
        """The latest occurrence of a command, or None."""
        occurrences = self.facts.get(command)
        return occurrences[-1] if occurrences else None

    def done(self, command: str) -> Mapping[str, Any]:
        """The latest occurrence of a command that must have been taken; raises LookupError."""
        return self.facts[command][-1]

    def all(self, command: str) -> Sequence[Mapping[str, Any]]:
        """Every occurrence of a command, oldest first."""
        return self.facts.get(command, ())


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition of law on a row.

    `check` returns None where the step may go on, else the reason in Chinese. One that looks at
    the payload (`asks_payload`) is left out of «what may I do now».
    """

    name: str
    article: Article
    check: Callable[[Situation], str | None]
    asks_payload: bool = False
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """Something only one aggregate may hold, enforced by a unique constraint."""

    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Start:
    """The row starts the clock of a period, on its day."""

    period: Callable[[Situation], str] | str
    clock: str


@dataclass(frozen=True, slots=True)
class Suspend:
    """The row stops a clock for a reason of 停表, keeping what is left."""

    clock: str
    reason: str


@dataclass(frozen=True, slots=True)
class Resume:
    """The row lets a stopped clock go on."""

    clock: str
    reason: str


@dataclass(frozen=True, slots=True)
class Extend:
    """The row lengthens a clock by the payload's `days`, as the period's next extension allows."""

    clock: str


@dataclass(frozen=True, slots=True)
class End:
    """The row ends a clock: what it limited has been done."""

    clock: str


ClockEffect = Start | Suspend | Resume | Extend | End


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """One transition. `source` is empty for the opening, `target` None for a record.

    `derive` adds what follows from the payload to the event's data, described by `derived`.
    `correctable` names the public fields that a 更正 may change, after which `rederive` gives the
    derived ones again from the corrected occurrence. `revise` rewrites earlier facts.
    `officers` names the accounts whose certificates the guards look at.
    """

    command: str
    title: str
    article: Article
    roles: frozenset[Role]
    source: frozenset[str]
    target: str | None
    event: str
    payload: type[Payload]
    guards: tuple[Guard, ...] = ()
    clocks: tuple[ClockEffect, ...] = ()
    document: str | None = None
    derived: type[BaseModel] | None = None
    derive: Callable[[Situation], Mapping[str, Any]] | None = None
    claims: Callable[[Situation], Iterable[Claim]] | None = None
    officers: Callable[[Any], Sequence[str]] | None = None
    correctable: frozenset[str] = frozenset()
    rederive: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    revise: Callable[[Facts, Mapping[str, Any]], Facts] | None = None
    schema_version: int = 1

    @property
    def opens(self) -> bool:
        """Whether the row opens an aggregate."""
        return not self.source

    @property
    def is_record(self) -> bool:
        """Whether the row only adds, whatever the state's order in time."""
        return self.target is None


@dataclass(frozen=True, slots=True)
class State:
    """A state by its Chinese name; in a final one nothing but records may follow."""

    title: str
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Procedure:
    """A procedure of one service.

    `columns` names what lists show and filter by beside the usual; `summarise` gives their values
    from the facts after each step. `readers` may read it; of a table of persons named in
    `confidential` nothing is shown but to its roles. `examples` gives each command's data once.
    """

    service: str
    name: str
    path: str
    title: str
    states: Mapping[str, State]
    rows: tuple[Row, ...]
    periods: Periods
    columns: tuple[str, ...] = ()
    summarise: Callable[[Facts], Mapping[str, Any]] = lambda _: {}
    readers: frozenset[Role] = BUSINESS
    confidential: Mapping[str, frozenset[Role]] = field(default_factory=dict)
    examples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a table that contradicts itself.

        Raises ValueError: not exactly one opening, an unknown state, a command or event twice.
        """
        openings = [row.command for row in self.rows if row.opens]
        if len(openings) != 1:
            msg = f"{self.name}: exactly one row opens a procedure, not {openings}"
            raise ValueError(msg)
        for what in ("command", "event"):
            names = [getattr(row, what) for row in self.rows]
            if len(set(names)) != len(names):
                msg = f"{self.name}: a {what} stands twice: {sorted(names)}"
                raise ValueError(msg)
        for row in self.rows:
            unknown = {*row.source, *([row.target] if row.target else [])} - set(self.states)
            if unknown:
                msg = f"{self.name}/{row.command}: unknown states {sorted(unknown)}"
                raise ValueError(msg)

    @property
    def handlers(self) -> frozenset[Role]:
        """The roles that take its steps; 导入 enters what others did."""
        return frozenset().union(*(row.roles for row in self.rows)) - {Role.IMPORTER}

    @property
    def opening(self) -> Row:
        """The row that opens the procedure."""
        return next(row for row in self.rows if row.opens)

    def row(self, command: str) -> Row | None:
        """Find a row by its command."""
        return next((row for row in self.rows if row.command == command), None)

    def type_of(self, row: Row) -> str:
        """Name the event type of a row, as it stands on the wire."""
        return f"{TYPE_PREFIX}.{self.service}.{row.event}.v{row.schema_version}"


def states(*names: str) -> frozenset[str]:
    """Write a row's from-states."""
    return frozenset(names)


def by(*roles: Role) -> frozenset[Role]:
    """Write the roles that may take a row; 导入 may take any, naming the actor."""
    return frozenset({*roles, Role.IMPORTER})
