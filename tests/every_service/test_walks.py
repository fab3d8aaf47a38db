"""Every procedure walked at random along its table, against the real service and the pure decision.

Each step is sent over HTTP and taken by the model; both must end alike, and what the service has
stored, its chain of events and what it says may be done next must agree with the model.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.clock.law_time import law_day
from shared.workflow.table import Extend
from tests.every_service.courses import ALL_PROCEDURES, courses
from tests.every_service.model import (
    ACCEPTED,
    UNREADABLE,
    Model,
    Outcome,
    Sent,
    without_ids,
    without_ids_of,
)
from tests.every_service.payloads import SELDOM, example, payload
from tests.every_service.stage import path_of, who_may

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from shared.workflow.table import Procedure, Row
    from tests.every_service.stage import Stage

    Stages = Callable[[str], Stage]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGUN_DAYS_AGO = st.integers(0, 10) | st.integers(0, 1000)
SOON = st.one_of(
    st.integers(0, 48).map(lambda hours: hours * HOUR),
    st.integers(0, 10).map(lambda days: days * DAY),
)
GAPS = SOON | st.integers(-20, 100).map(lambda days: days * DAY)


class Walk(RuleBasedStateMachine):
    """One aggregate of one procedure."""

    procedure: ClassVar[Procedure]
    stage: ClassVar[Stage]

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(self.procedure)
        self.id: str | None = None
        self.at = datetime.min.replace(tzinfo=UTC)
        self.patience = 0
        self.answered: tuple[str, Sent, str, httpx.Response] | None = None
        self.row: Row = self.procedure.opening
        self.stage.execute_as_superuser("DELETE FROM claim")

    @precondition(lambda self: self.id is None)
    @rule(data=st.data(), days_ago=BEGUN_DAYS_AGO, patience=st.integers(0, 25))
    def open(self, data: st.DataObject, days_ago: int, patience: int) -> None:
        """Open the aggregate some days ago; it comes to its end after `patience` events or more."""
        self.at, self.patience = datetime.now(UTC) - days_ago * DAY, patience
        self.take(self.procedure.opening, data)

    @precondition(lambda self: self.id is None)
    @rule(data=st.data(), patience=st.integers(0, 25))
    def follow(self, data: st.DataObject, patience: int) -> None:
        """Take a lawful course up to somewhere, to walk on from there."""
        self.patience = patience
        known = courses(self.procedure)
        course = known[data.draw(st.integers(0, len(known) - 1))]
        for line in course[: data.draw(st.integers(1, len(course)))]:
            row = self.procedure.row(line.command)
            assert row is not None
            self.send_and_compare(Sent(row, line.actor, line.at, line.data))
        assert self.model.version

    @precondition(lambda self: bool(self.steps()))
    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        """Take a step that the state allows."""
        self.take(one_of(self.steps(), data), data)

    @precondition(lambda self: bool(self.steps()))
    @rule(data=st.data())
    def step_as_in_the_example(self, data: st.DataObject) -> None:
        """Take a step that the state allows, with nothing out of the way."""
        self.take(one_of(self.steps(), data), data, plain=True)

    @precondition(lambda self: bool(self.records()))
    @rule(data=st.data())
    def record(self, data: st.DataObject) -> None:
        """Enter a record that the state allows."""
        self.take(one_of(self.records(), data), data)

    @precondition(lambda self: self.id is not None)
    @rule(data=st.data())
    def take_any(self, data: st.DataObject) -> None:
        """Take a row, whether or not the state allows it."""
        later = [row for row in self.procedure.rows if not row.opens]
        self.take(one_of(later, data), data)

    @precondition(lambda self: self.answered is not None)
    @rule()
    def retry(self) -> None:
        """Send what was accepted last again: it is answered as before, and nothing changes."""
        assert self.answered is not None
        key, sent, path, before = self.answered
        again = self.send(sent, path, key)
        assert (again.status_code, again.json()) == (before.status_code, before.json())
        assert again.headers["idempotent-replayed"] == "true"

    @precondition(lambda self: self.version_is(1))
    @rule()
    def open_another(self) -> None:
        """Open another aggregate with the same data: refused where it claims the same thing."""
        assert self.answered is not None
        _, sent, path, _ = self.answered
        answer = self.send(sent, path, f"walk-{uuid4()}")
        assert answer.status_code == (409 if self.model.claims else 201), answer.text

    def steps(self) -> list[Row]:
        """The steps that leave the present state, those that end the matter only in the end."""
        states = self.procedure.states
        return [
            row
            for row in self.procedure.rows
            if self.model.state in row.source
            and row.target is not None
            and (not states[row.target].final or self.model.version >= self.patience)
        ]

    def records(self) -> list[Row]:
        """The records that the present state allows."""
        return [
            row for row in self.procedure.rows if row.is_record and self.model.state in row.source
        ]

    def version_is(self, version: int) -> bool:
        """Whether the aggregate stands at a version."""
        return self.answered is not None and self.model.version == version

    def take(self, row: Row, data: st.DataObject, *, plain: bool = False) -> None:
        """Draw a row's command, send it, and compare with what was foretold and with the model."""
        sent = self.drawn(row, data, plain=plain)
        present = sent.at >= datetime.now(UTC) - HOUR
        foretold = self.action(row, sent.account) if present and not row.opens else None
        outcome = self.send_and_compare(sent)
        if foretold is not None and law_day(datetime.now(UTC)) == law_day(sent.at):
            agree(row, foretold, outcome)

    def send_and_compare(self, sent: Sent) -> Outcome:
        """Send a command, take it in the model too, and compare how they end."""
        path = path_of(self.procedure, sent.row, self.id)
        key = f"walk-{uuid4()}"
        held = self.model.state
        expected = self.model.take(sent, datetime.now(UTC))
        answer = self.send(sent, path, key)
        assert ended(answer, expected) == expected, (sent.row.command, held, sent, answer.text)
        if expected == ACCEPTED:
            self.row, self.answered = sent.row, (key, sent, path, answer)
            self.id = self.id or answer.json()["id"]
            self.at = max(self.at, sent.at)
        return expected

    def drawn(self, row: Row, data: st.DataObject, *, plain: bool) -> Sent:
        """Draw a command of a row: who, when, with what."""
        now = datetime.now(UTC)
        account = data.draw(st.sampled_from(who_may(row)))
        at = self.at if row.opens else min(self.at + data.draw(GAPS if not plain else SOON), now)
        if plain:
            return Sent(row, account, at, data.draw(example(self.procedure, row, law_day(at))))
        if data.draw(SELDOM):
            at = now + HOUR
        version = self.model.version
        expected = data.draw(st.sampled_from([version, version - 1])) if data.draw(SELDOM) else None
        content = data.draw(payload(self.procedure, row, law_day(at)))
        return Sent(row, account, at, content, None if row.opens else expected)

    def send(self, sent: Sent, path: str, key: str) -> httpx.Response:
        """Send it over HTTP."""
        headers = {} if sent.expected is None else {"if_match": f'"{sent.expected}"'}
        return self.stage.post(
            path, sent.account, sent.data, sent.at.isoformat(), key=key, **headers
        )

    def action(self, row: Row, account: str) -> dict[str, Any]:
        """What the service says of a row before it is tried."""
        answer = self.stage.get(f"/{self.procedure.path}/{self.id}/actions", account)
        assert answer.status_code == 200, answer.text
        return next(one for one in answer.json() if one["command"] == row.command)

    @precondition(lambda self: self.id is not None)
    @invariant()
    def the_state_row_is_the_models(self) -> None:
        """State, version, facts, clocks and columns equal the model's."""
        expected = self.model.stored()
        table = self.procedure.name.replace("-", "_")
        columns = ", ".join(expected)
        [row] = self.stage.fetch(f"SELECT {columns} FROM {table} WHERE id = $1::uuid", self.id)
        held = dict(row)
        held["facts"] = without_ids(self.procedure, orjson.loads(held["facts"]))
        held["clocks"] = orjson.loads(held["clocks"])
        assert held == expected

    @precondition(lambda self: self.id is not None)
    @invariant()
    def the_chain_of_events_is_whole(self) -> None:
        """Versions leave no gap, the last event is the model's, and the hashes verify."""
        events = self.stage.fetch(
            "SELECT * FROM event WHERE aggregate_id = $1::uuid ORDER BY aggregate_version", self.id
        )
        assert [one["aggregate_version"] for one in events] == [*range(1, self.model.version + 1)]
        last = events[-1]
        assert last["type"] == self.procedure.type_of(self.row)
        assert last["state"] == self.model.state
        data = without_ids_of(self.row, orjson.loads(last["data"]))
        model = orjson.loads(orjson.dumps(self.model.last))
        assert data == without_ids_of(self.row, model)
        before = UUID(int=UUID(self.id).int - 1)
        verified = self.stage.get("/verification", "auditadmin1", after=str(before), limit=1).json()
        assert (verified["findings"], verified["events"]) == ([], self.model.version)

    def teardown(self) -> None:
        """However it went, the aggregate can be read whole."""
        if self.id is not None:
            answer = self.stage.get(f"/{self.procedure.path}/{self.id}")
            assert answer.status_code == 200, answer.text


def one_of(rows: list[Row], data: st.DataObject) -> Row:
    """Draw a row by its command."""
    command = data.draw(st.sampled_from([row.command for row in rows]))
    return next(row for row in rows if row.command == command)


def ended(answer: httpx.Response, expected: Outcome) -> Outcome:
    """How the service ended a command, as the model says it."""
    body = answer.json()
    if answer.is_success:
        return ACCEPTED
    slug = body["type"].rpartition(":")[2]
    if answer.status_code == 422 and expected == UNREADABLE:
        return Outcome(slug)
    article = body.get("article")
    return Outcome(slug, article and article["text"], body.get("field"))


def agree(row: Row, foretold: dict[str, Any], outcome: Outcome) -> None:
    """Compare what «what may I do now» foretold with how the command ended."""
    if outcome.slug in {"stale", "invalid-input"}:
        return
    by_payload = any(guard.asks_payload for guard in row.guards)
    if not foretold["allowed"]:
        assert outcome != ACCEPTED, (row.command, foretold)
        if not by_payload:
            assert outcome.article == foretold["refused_by"]["text"], (row.command, foretold)
    elif not by_payload and not any(isinstance(effect, Extend) for effect in row.clocks):
        assert outcome == ACCEPTED, (row.command, outcome)


def walk(stages: Stages, procedure: Procedure, walks: int, steps: int) -> None:
    """Walk a procedure so many times, so many steps each."""
    stage = stages(procedure.service)
    run_state_machine_as_test(
        type("Walk", (Walk,), {"procedure": procedure, "stage": stage}),
        settings=settings(
            max_examples=walks,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
            print_blob=True,
        ),
    )


EVERY_PROCEDURE = pytest.mark.parametrize("procedure", ALL_PROCEDURES, ids=lambda p: p.name)
LONG = 10
"""Procedures of more rows than this are walked more, and longer, than registers."""


@EVERY_PROCEDURE
def test_a_few_walks_end_as_the_law_says(stages: Stages, procedure: Procedure) -> None:
    walk(stages, procedure, walks=3, steps=20)


@pytest.mark.slow
@EVERY_PROCEDURE
def test_many_walks_end_as_the_law_says(stages: Stages, procedure: Procedure) -> None:
    long = len(procedure.rows) > LONG
    walk(stages, procedure, walks=40 if long else 8, steps=50 if long else 30)
