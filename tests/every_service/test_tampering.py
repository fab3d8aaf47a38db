"""Whatever is changed behind the platform's back, `/verification` finds it and names it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import orjson
import pytest

from services.cases.workflow import PENALTY_CASE
from services.complaints.workflow import COMPLAINT
from services.permits.workflow import PERMIT_APPLICATION
from shared.events.hashing import canonical, event_hash
from tests.every_service.courses import courses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.workflow.table import Procedure
    from tests.every_service.stage import Stage

    Stages = Callable[[str], Stage]

AFTER = "0" * 8 + "-0000-0000-0000-" + "0" * 12
OF_IT = "aggregate_id = '{id}'"


@dataclass(frozen=True, slots=True)
class Tampering:
    """SQL statements with `{id}` for the aggregate and `{table}` for its state table.

    `finds` holds what must be named of it: kind of fault and version, None where none is at fault.
    """

    name: str
    statements: tuple[str, ...]
    finds: frozenset[tuple[str, int | None]]


def edited(column: str, value: str, version: int = 2) -> Tampering:
    """One column of one event changed."""
    return Tampering(
        f"{column} = {value}",
        (f"UPDATE event SET {column} = {value} WHERE {OF_IT} AND aggregate_version = {version}",),
        frozenset({("edited", version)}),
    )


def stood(change: str) -> Tampering:
    """One column of the state row changed."""
    return Tampering(
        f"state row's {change}",
        (f"UPDATE {{table}} SET {change} WHERE id = '{{id}}'",),
        frozenset({("state-differs", None)}),
    )


def found(*faults: tuple[str, int | None]) -> frozenset[tuple[str, int | None]]:
    """Write what verification must name."""
    return frozenset(faults)


LAST = "(SELECT max(aggregate_version) FROM event WHERE " + OF_IT + ")"
TAMPERINGS = (
    edited("data", """data || '{{"amount": "1.00"}}'"""),
    edited("data", """data || '{{"amount": 1.5}}'"""),
    edited("data", """data || '{{"amount": 123456789012345678901234567890}}'"""),
    edited("data", "'[]'"),
    edited("actor", "'officer3'"),
    edited("on_behalf_of", "'officer3'"),
    edited("occurred_at", "occurred_at - interval '1 day'"),
    edited("occurred_at", "'infinity'"),
    edited("recorded_at", "recorded_at + interval '1 microsecond'"),
    edited("state", "'closed'"),
    edited("type", "'cn.ecocase.cases.case-closed.v1'"),
    edited("bureau", "'500151'"),
    edited("schema_version", "2"),
    edited("idempotency_key", "'another'"),
    edited("correlation_id", "gen_random_uuid()"),
    edited("traceparent", "'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'"),
    edited("id", "gen_random_uuid()"),
    edited("hash_algorithm", "'md5'"),
    edited("hash_algorithm", "'sm3'"),
    edited("hash", "sha256(hash)"),
    Tampering(
        "first event removed",
        (f"DELETE FROM event WHERE {OF_IT} AND aggregate_version = 1",),
        found(("removed", 2)),
    ),
    Tampering(
        "event removed from the middle",
        (f"DELETE FROM event WHERE {OF_IT} AND aggregate_version = 2",),
        found(("removed", 3)),
    ),
    Tampering(
        "event removed and those after it renumbered",
        (
            f"DELETE FROM event WHERE {OF_IT} AND aggregate_version = 2",
            f"UPDATE event SET aggregate_version = aggregate_version - 1000 WHERE {OF_IT} AND aggregate_version > 2",
            f"UPDATE event SET aggregate_version = aggregate_version + 999 WHERE {OF_IT} AND aggregate_version < 0",
        ),
        found(("reordered", 2), ("edited", 2), ("edited", 3)),
    ),
    Tampering(
        "two events put in each other's place",
        (
            f"UPDATE event SET aggregate_version = -2 WHERE {OF_IT} AND aggregate_version = 2",
            f"UPDATE event SET aggregate_version = 2 WHERE {OF_IT} AND aggregate_version = 3",
            f"UPDATE event SET aggregate_version = 3 WHERE {OF_IT} AND aggregate_version = -2",
        ),
        found(("reordered", 2), ("reordered", 3), ("edited", 2), ("edited", 3)),
    ),
    Tampering(
        "event removed from the end",
        (f"DELETE FROM event WHERE {OF_IT} AND aggregate_version = {LAST}",),
        found(("removed", None)),
    ),
    Tampering(
        "all events removed", (f"DELETE FROM event WHERE {OF_IT}",), found(("no-events", None))
    ),
    Tampering(
        "state row removed", ("DELETE FROM {table} WHERE id = '{id}'",), found(("no-state", None))
    ),
    Tampering(
        "state changed",
        ("UPDATE {table} SET state = 'nowhere' WHERE id = '{id}'",),
        found(("state-differs", None)),
    ),
    Tampering(
        "state row's version raised",
        ("UPDATE {table} SET version = version + 1 WHERE id = '{id}'",),
        found(("removed", None)),
    ),
    Tampering(
        "state row's version lowered",
        ("UPDATE {table} SET version = version - 1 WHERE id = '{id}'",),
        found(("state-differs", None)),
    ),
    Tampering(
        "state row's hash changed",
        ("UPDATE {table} SET hash = sha256(hash) WHERE id = '{id}'",),
        found(("state-differs", None)),
    ),
    stood("""facts = facts || '{{"register": []}}'"""),
    stood("""facts = facts - (SELECT max(key) FROM jsonb_object_keys(facts) AS key)"""),
    stood('facts = replace(facts::text, \'"by": "\', \'"by": "x\')::jsonb'),
    stood("""facts = facts || '{{"amount": 1.5}}'"""),
    stood("clocks = '{{}}'"),
    stood('clocks = replace(clocks::text, \'"started": "20\', \'"started": "19\')::jsonb'),
    stood("opened_at = opened_at - interval '1 day'"),
    stood("opened_at = 'infinity'"),
    stood("stepped_at = stepped_at - interval '1 day'"),
    stood("bureau = '500151'"),
    stood("party_id = gen_random_uuid()"),
    stood("party_name = 'x'"),
    stood("words = words || 'x'::text"),
)
COLUMNS = {
    "cases": ("cause",),
    "permits": ("item", "kind", "channel"),
    "complaints": ("pollution",),
}


@pytest.fixture
def undone(stages: Stages, request: pytest.FixtureRequest) -> Iterator[tuple[Stage, str, str]]:
    """Give a stage, an aggregate of several events and its table; what is changed is put back."""
    procedure: Procedure = request.param
    stage = stages(procedure.service)
    longest = max(courses(procedure), key=len)
    aggregate_id = stage.play(procedure, longest)
    bystander = stage.play(procedure, longest[:3])
    assert findings(stage) == []
    table = procedure.name.replace("-", "_")
    yield stage, aggregate_id, table
    assert bystander not in {one["aggregate_id"] for one in findings(stage)}
    stage.execute_as_superuser(
        f"DELETE FROM event WHERE aggregate_id = '{aggregate_id}'",
        f"DELETE FROM {table} WHERE id = '{aggregate_id}'",
    )


def findings(stage: Stage) -> list[dict[str, object]]:
    """Everything that verification names, page by page."""
    named: list[dict[str, object]] = []
    after: str | None = AFTER
    while after is not None:
        answer = stage.get("/verification", "auditadmin1", after=after, limit=2)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        named += page["findings"]
        after = page["next"]
    return named


@pytest.mark.parametrize(
    "undone",
    [
        PENALTY_CASE,
        pytest.param(PERMIT_APPLICATION, marks=pytest.mark.slow),
        pytest.param(COMPLAINT, marks=pytest.mark.slow),
    ],
    indirect=True,
)
@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda one: one.name)
def test_it_is_found_and_named(undone: tuple[Stage, str, str], tampering: Tampering) -> None:
    stage, aggregate_id, table = undone
    stage.execute_as_superuser(
        *(one.format(id=aggregate_id, table=table) for one in tampering.statements)
    )
    named = findings(stage)
    assert {one["aggregate_id"] for one in named} == {aggregate_id}
    by_version = {(one["what"], one["version"]) for one in named}
    by_kind = {(one["what"], None) for one in named}
    assert tampering.finds <= by_version | by_kind, named


@pytest.mark.parametrize(
    "undone",
    [
        PENALTY_CASE,
        pytest.param(PERMIT_APPLICATION, marks=pytest.mark.slow),
        pytest.param(COMPLAINT, marks=pytest.mark.slow),
    ],
    indirect=True,
)
def test_an_edited_column_of_lists_is_named(undone: tuple[Stage, str, str]) -> None:
    stage, aggregate_id, table = undone
    for column in COLUMNS[stage.service.name]:
        stage.execute_as_superuser(
            f"UPDATE {table} SET {column} = {column} || 'x' WHERE id = '{aggregate_id}'"
        )
        [named] = findings(stage)
        assert named["reason"] == f"状态行的 {column} 与事件不符"
        stage.execute_as_superuser(
            f"UPDATE {table} SET {column} = left({column}, -1) WHERE id = '{aggregate_id}'"
        )


@pytest.mark.parametrize("undone", [PENALTY_CASE], indirect=True)
def test_a_fact_that_became_another_kind_of_value_is_named(undone: tuple[Stage, str, str]) -> None:
    """In Python 1 is true; in a case file it is not."""
    stage, aggregate_id, table = undone
    stage.execute_as_superuser(
        f"UPDATE {table} SET facts = replace(facts::text, ': true', ': 1')::jsonb"
        f" WHERE id = '{aggregate_id}'"
    )
    assert [one["reason"] for one in findings(stage)] == ["状态行的 facts 与事件不符"]


@pytest.mark.parametrize("undone", [PENALTY_CASE], indirect=True)
def test_an_event_without_the_record_of_its_command_is_named(
    undone: tuple[Stage, str, str],
) -> None:
    stage, aggregate_id, _ = undone
    stage.execute_as_superuser(
        f"UPDATE idempotency SET aggregate_version = 99"
        f" WHERE aggregate_id = '{aggregate_id}' AND aggregate_version = 2"
    )
    assert [(one["what"], one["version"]) for one in findings(stage)] == [("unrecorded", 2)]
    stage.execute_as_superuser(f"DELETE FROM idempotency WHERE aggregate_id = '{aggregate_id}'")


@pytest.mark.parametrize("undone", [PENALTY_CASE], indirect=True)
def test_a_well_hashed_event_of_a_type_that_the_procedure_lacks_is_named(
    undone: tuple[Stage, str, str],
) -> None:
    stage, aggregate_id, table = undone
    [event] = stage.fetch(
        "SELECT * FROM event WHERE aggregate_id = $1::uuid ORDER BY aggregate_version DESC LIMIT 1",
        aggregate_id,
    )
    forged = {**event, "data": canonical(orjson.loads(event["data"]))}
    forged["type"] = "cn.ecocase.cases.never-heard-of.v1"
    digest = event_hash(forged).hex()
    stage.execute_as_superuser(
        f"UPDATE event SET type = '{forged['type']}', hash = '\\x{digest}' WHERE id = '{event['id']}'",
        f"UPDATE {table} SET hash = '\\x{digest}' WHERE id = '{aggregate_id}'",
    )
    assert [one["what"] for one in findings(stage)] == ["unknown-type"]


@pytest.mark.parametrize("undone", [PENALTY_CASE], indirect=True)
def test_an_event_moved_to_another_aggregate_is_missed_where_it_was(
    undone: tuple[Stage, str, str],
) -> None:
    stage, aggregate_id, _ = undone
    other = UUID(int=7)
    stage.execute_as_superuser(
        f"UPDATE event SET aggregate_id = '{other}' WHERE aggregate_id = '{aggregate_id}'"
        " AND aggregate_version = 2"
    )
    named = {(one["aggregate_id"], one["what"]) for one in findings(stage)}
    assert {(aggregate_id, "removed"), (str(other), "no-state"), (str(other), "edited")} <= named
    stage.execute_as_superuser(f"DELETE FROM event WHERE aggregate_id = '{other}'")


@pytest.mark.parametrize("undone", [PENALTY_CASE], indirect=True)
def test_an_edited_event_whose_hash_is_made_good_no_longer_joins_the_next(
    undone: tuple[Stage, str, str],
) -> None:
    stage, aggregate_id, _ = undone
    [event] = stage.fetch(
        "SELECT * FROM event WHERE aggregate_id = $1::uuid AND aggregate_version = 2", aggregate_id
    )
    forged = {**event, "data": canonical(orjson.loads(event["data"])), "actor": "officer3"}
    stage.execute_as_superuser(
        f"UPDATE event SET actor = 'officer3', hash = '\\x{event_hash(forged).hex()}'"
        f" WHERE id = '{event['id']}'"
    )
    assert [(one["what"], one["version"]) for one in findings(stage)] == [("reordered", 3)]
