"""The tables of the service agree with their states, columns, periods and examples."""

from __future__ import annotations

from datetime import date

import orjson
import pytest

from services.permits.models import tables
from services.permits.rules import KINDS, PERIODS, acceptance_code, committed_code, statutory_code
from services.permits.workflow import PERMIT_APPLICATION, PROCEDURES
from shared.identity.roles import Role
from shared.workflow.payload import event_model, fields_of, split
from shared.workflow.table import Procedure, Row

ROWS = [(procedure, row) for procedure in PROCEDURES for row in procedure.rows]
NAMED = pytest.mark.parametrize(
    "procedure,row", ROWS, ids=[f"{p.name}-{r.command}" for p, r in ROWS]
)


@NAMED
def test_every_example_is_valid(procedure: Procedure, row: Row) -> None:
    example = orjson.dumps(procedure.examples[row.command])
    payload = row.payload.model_validate_json(example)
    public = split(payload).public
    described = event_model(row.payload, row.derived).model_fields
    assert set(public) <= set(described)


@NAMED
def test_every_row_leads_somewhere_and_somebody_may_take_it(procedure: Procedure, row: Row) -> None:
    assert row.roles - {Role.IMPORTER}
    assert Role.IMPORTER in row.roles
    assert not any(procedure.states[state].final for state in row.source if not row.is_record)


@NAMED
def test_only_public_fields_are_correctable(procedure: Procedure, row: Row) -> None:
    assert row.correctable <= fields_of(row.payload).public, procedure.name


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda procedure: procedure.name)
def test_every_state_can_be_reached(procedure: Procedure) -> None:
    reached: set[str] = set()
    grown = {row.target for row in procedure.rows if row.opens and row.target}
    while not grown <= reached:
        reached |= grown
        grown = {row.target for row in procedure.rows if row.target and row.source & reached}
    assert reached == set(procedure.states)


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda procedure: procedure.name)
def test_every_column_is_declared(procedure: Procedure) -> None:
    assert set(procedure.columns) <= set(tables.aggregates[procedure.name].columns.keys())


def test_examples_name_no_other_command() -> None:
    for procedure in PROCEDURES:
        assert set(procedure.examples) == {row.command for row in procedure.rows}


@pytest.mark.parametrize("day", [date(2021, 3, 1), date(2024, 1, 2), date(2026, 11, 23)])
def test_every_item_and_kind_has_its_periods(day: date) -> None:
    for item, kinds in KINDS.items():
        for kind in kinds:
            for code in (
                acceptance_code(item),
                statutory_code(item, kind),
                committed_code(item, kind),
            ):
                assert PERIODS.at(code, day).article.at(day)


def test_the_window_accepts_and_does_not_decide() -> None:
    decisions = {row.command: row.roles for row in PERMIT_APPLICATION.rows}
    for command in ("receive", "accept", "accept-eia", "request-supplement"):
        assert decisions[command] == {Role.WINDOW, Role.IMPORTER}
    for command in ("approve", "refuse"):
        assert decisions[command] == {Role.APPROVER, Role.LEADER, Role.IMPORTER}
