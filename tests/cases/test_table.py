"""The tables of the cases service agree with themselves, their examples and their periods."""

from __future__ import annotations

from typing import Any

import pytest

from services.cases.workflow import PENALTY_CASE, PROCEDURES
from shared.events.hashing import canonical
from shared.identity.roles import Role
from shared.issuer.demo import demo_accounts
from shared.workflow.correction import TIME
from shared.workflow.payload import event_model, fields_of
from shared.workflow.table import Procedure, Resume, Row, Start, Suspend
from tests.cases.walk import PATH, Walk

ROWS = [
    pytest.param(procedure, row, id=f"{procedure.name}:{row.command}")
    for procedure in PROCEDURES
    for row in procedure.rows
]
ROLES = {one.account: one.roles for one in demo_accounts()}


@pytest.mark.parametrize("procedure, row", ROWS)
def test_every_command_has_an_example_that_is_valid(procedure: Procedure, row: Row) -> None:
    example = procedure.examples[row.command]
    assert set(row.payload.model_validate(example).model_fields_set) == set(example)


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda one: one.name)
def test_no_example_belongs_to_no_command(procedure: Procedure) -> None:
    assert set(procedure.examples) == {row.command for row in procedure.rows}


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda one: one.name)
def test_every_state_is_reached_and_every_open_one_left(procedure: Procedure) -> None:
    steps = [row for row in procedure.rows if row.target is not None]
    reached: set[str] = set()
    before = None
    while before != reached:
        before = set(reached)
        reached |= {str(row.target) for row in steps if row.opens or row.source & reached}
    assert reached == set(procedure.states)
    left = {state for row in steps for state in row.source}
    assert {name for name, state in procedure.states.items() if not state.final} <= left


def test_a_final_state_is_left_only_by_revocation() -> None:
    final = {name for name, state in PENALTY_CASE.states.items() if state.final}
    leaving = {row.command for row in PENALTY_CASE.rows if row.target and row.source & final}
    assert leaving == {"revoke-closed"}


@pytest.mark.parametrize("procedure, row", ROWS)
def test_correctable_and_guarded_fields_are_in_the_payload(procedure: Procedure, row: Row) -> None:
    del procedure
    assert row.correctable <= fields_of(row.payload).public
    for guard in row.guards:
        assert guard.field is None or guard.field in row.payload.model_fields
        assert guard.field is None or guard.asks_payload


@pytest.mark.parametrize("procedure, row", ROWS)
def test_every_clock_is_started_and_every_pause_has_its_ground(
    procedure: Procedure, row: Row
) -> None:
    started = {
        effect.clock: effect.period
        for other in procedure.rows
        for effect in other.clocks
        if isinstance(effect, Start) and isinstance(effect.period, str)
    }
    for effect in row.clocks:
        period = procedure.periods.at(started[effect.clock], row.article.effective_from)
        if isinstance(effect, Suspend | Resume):
            assert effect.reason in {ground.reason for ground in period.pauses}


@pytest.mark.parametrize("procedure, row", ROWS)
def test_some_demonstration_account_may_take_every_command(procedure: Procedure, row: Row) -> None:
    del procedure
    assert any(row.roles & roles - {Role.IMPORTER} for roles in ROLES.values())


def test_events_are_named_once_in_the_service() -> None:
    types = [procedure.type_of(row) for procedure in PROCEDURES for row in procedure.rows]
    assert len(set(types)) == len(types)


def test_no_event_carries_a_person_or_free_text() -> None:
    walk = Walk()
    planted = "示例厂-不得外泄"
    planting: dict[str, dict[str, Any]] = {
        row.command: dict.fromkeys(fields_of(row.payload).private, planted)
        for row in PENALTY_CASE.rows
    }
    planting["register"]["party"] = {
        "kind": "organisation", "name": planted, "address": planted, "phone": planted,
    }  # fmt: skip
    decisions = [walk.take(command, day, **planting[command]) for command, day in PATH.items()]
    assert any(planted in str(decision.split.persons) for decision in decisions)
    for decision in decisions:
        assert planted not in canonical(decision.data).decode()
        assert planted not in str(decision.facts)


@pytest.mark.parametrize("command", PATH)
def test_an_event_is_what_its_model_describes(command: str) -> None:
    walk = Walk()
    for before, day in PATH.items():
        decision = walk.take(before, day)
        if before == command:
            break
    row = PENALTY_CASE.row(command)
    assert row is not None
    model = event_model(row.payload, row.derived)
    assert set(decision.data) <= set(model.model_fields)
    model.model_validate(decision.data)


def test_lists_show_the_cause_and_the_fine_in_fen() -> None:
    assert Walk().to("register").case.columns == {"cause": None, "amount_fen": None}
    assert Walk().to("decide").case.columns == {"cause": "air", "amount_fen": 10_000_000}


def test_corrections_may_name_the_time_of_any_correctable_step() -> None:
    walk = Walk().to("decide")
    walk.take("propose-correction", "2024-03-28", target="decide", changes={TIME: "2024-03-26"})
    walk.take("correct", "2024-03-28")
    assert walk.case.facts["decide"][0]["on"] == "2024-03-26"
