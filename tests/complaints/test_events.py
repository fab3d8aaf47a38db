"""What the events of a complaint carry: what figures need, and nobody who reported."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from services.complaints.models import tables
from services.complaints.schemas import Reporter
from services.complaints.workflow import COMPLAINT, PROCEDURES
from shared.identity.roles import Role
from shared.workflow.payload import event_model, fields_of, split
from shared.workflow.table import Procedure
from tests.complaints.story import registered, signed

PLANTED = {
    "kind": "individual",
    "name": "极罕见姓名",
    "phone": "19900007777",
    "address": "极罕见地址一号",
    "id_number": "11010519491231002X",
}
PROCEDURE = pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda one: one.name)


def test_no_event_says_who_reported() -> None:
    story = signed(reporter=PLANTED).tell("reply", "call-back", "close")
    written = orjson.dumps([[d.data, d.facts, d.columns] for d in story.decisions]).decode()
    for field in ("name", "phone", "address", "id_number"):
        assert PLANTED[field] not in written
    assert story.decisions[0].split.persons["reporter"][0] == "reporter"
    assert story.decisions[0].data["reporter_id"]


def test_the_reporter_stands_apart_and_is_shown_to_petitions_alone() -> None:
    assert COMPLAINT.confidential == {"reporter": frozenset({Role.PETITIONS})}
    assert dict(fields_of(COMPLAINT.opening.payload).stored) == {
        "reporter": "reporter",
        "target": "party",
    }


@pytest.mark.parametrize(
    "reporter,anonymous,contact",
    [
        (None, True, False),
        ({"kind": "individual", "name": "示例群众一"}, False, False),
        ({"kind": "individual", "phone": "19900000001"}, True, True),
        ({"kind": "individual", "name": "示例群众一", "address": "示例路一号"}, False, True),
    ],
)
def test_a_registration_says_only_whether_there_is_a_name_and_a_way_back(
    reporter: dict[str, Any] | None, *, anonymous: bool, contact: bool
) -> None:
    data = registered(reporter=reporter).decisions[0].data
    assert (data["anonymous"], data["contact"]) == (anonymous, contact)


@pytest.mark.parametrize("on,in_time", [(date(2024, 5, 3), True), (date(2024, 5, 4), False)])
def test_a_reply_is_in_time_until_the_sixtieth_day(on: date, *, in_time: bool) -> None:
    data = signed().take("reply", on=on).data
    assert data["replied"] is True
    assert data["due_on"] == "2024-05-03"
    assert data["in_time"] is in_time


def test_a_reply_whose_time_is_corrected_is_judged_anew() -> None:
    story = signed()
    story.take("reply", on=date(2024, 5, 6))
    story.take("propose-correction", target="reply", changes={"occurred_at": "2024-04-30"})
    corrected = story.take("correct", by="petition2").data
    assert corrected["changes"]["in_time"] is True


def test_an_investigation_corrected_to_no_measures_no_longer_counts_as_handled() -> None:
    story = registered().tell("accept", "assign", "investigate", "conclude-investigation")
    story.take("propose-correction", target="conclude-investigation", changes={"measures": []})
    corrected = story.take("correct", by="petition2").data
    assert corrected["changes"] == {"measures": [], "handled": False}


@PROCEDURE
def test_every_example_is_valid_and_its_event_as_described(procedure: Procedure) -> None:
    assert set(procedure.examples) == {row.command for row in procedure.rows}
    for row in procedure.rows:
        payload = row.payload.model_validate_json(orjson.dumps(procedure.examples[row.command]))
        described = event_model(row.payload, row.derived).model_fields
        assert set(split(payload).public) <= set(described)


@PROCEDURE
def test_every_state_is_reached_and_left_unless_it_is_final(procedure: Procedure) -> None:
    steps = [row for row in procedure.rows if not row.is_record]
    assert {row.target for row in steps} == set(procedure.states)
    left = frozenset[str]().union(*(row.source for row in steps))
    assert left == {name for name, state in procedure.states.items() if not state.final}


@PROCEDURE
def test_lists_show_columns_that_the_tables_have(procedure: Procedure) -> None:
    columns = tables.aggregates[procedure.name].columns
    for name in procedure.columns:
        assert isinstance(columns[name], sa.Column)
    stored = {table for row in procedure.rows for _, table in fields_of(row.payload).stored}
    assert stored <= set(tables.persons)


def test_events_have_one_name_each_in_the_service() -> None:
    events = [row.event for procedure in PROCEDURES for row in procedure.rows]
    assert len(events) == len(set(events))


def test_a_reporter_can_be_an_organisation_by_name() -> None:
    assert Reporter(kind="organisation", name="示例居民委员会").name == "示例居民委员会"
