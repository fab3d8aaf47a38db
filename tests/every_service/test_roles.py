"""Every row of every procedure, tried over HTTP by each role that may and each that may not."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from shared.identity.roles import Role
from tests.every_service.courses import ALL_PROCEDURES
from tests.every_service.stage import account_of, path_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from shared.workflow.table import Procedure, Row
    from tests.every_service.stage import Stage

    Stages = Callable[[str], Stage]

EVERY_PROCEDURE = pytest.mark.parametrize("procedure", ALL_PROCEDURES, ids=lambda p: p.name)


def opened(stage: Stage, procedure: Procedure) -> str:
    """Open an aggregate now, as an account that may, by the example."""
    answer = tried(stage, procedure, procedure.opening, min(procedure.opening.roles), None)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def tried(
    stage: Stage, procedure: Procedure, row: Row, role: Role, aggregate_id: str | None
) -> httpx.Response:
    """Send a row's example as an account of a role; the importer names another account."""
    # An importer acts for somebody; any account will do, since the role is what is asked about.
    named = {"ecocase_actor": "leader1"} if role is Role.IMPORTER else {}
    path = path_of(procedure, row, aggregate_id)
    return stage.post(path, account_of(role), procedure.examples[row.command], **named)


def events(stage: Stage) -> int:
    """How many events the service has written."""
    return int(stage.fetch("SELECT count(*) FROM event")[0][0])


@EVERY_PROCEDURE
def test_a_role_that_may_is_never_refused_for_its_role(
    stages: Stages, procedure: Procedure
) -> None:
    stage = stages(procedure.service)
    aggregate_id = opened(stage, procedure)
    for row in procedure.rows:
        for role in row.roles:
            answer = tried(stage, procedure, row, role, aggregate_id)
            assert answer.status_code in {200, 201, 409}, (row.command, role, answer.text)


@EVERY_PROCEDURE
def test_a_role_that_may_not_is_refused_and_writes_nothing(
    stages: Stages, procedure: Procedure
) -> None:
    stage = stages(procedure.service)
    aggregate_id = opened(stage, procedure)
    before = events(stage)
    for row in procedure.rows:
        for role in set(Role) - row.roles:
            answer = tried(stage, procedure, row, role, aggregate_id)
            assert answer.status_code == 403, (row.command, role, answer.text)
            assert answer.json()["type"] == "urn:ecocase:problem:role-forbidden"
    assert events(stage) == before


@EVERY_PROCEDURE
def test_a_role_is_asked_before_anything_is_read(stages: Stages, procedure: Procedure) -> None:
    stage = stages(procedure.service)
    nothing = str(UUID(int=1))
    for row in (row for row in procedure.rows if not row.opens):
        refused = next(iter(set(Role) - row.roles))
        allowed = next(iter(row.roles))
        assert tried(stage, procedure, row, refused, nothing).status_code == 403
        assert tried(stage, procedure, row, allowed, nothing).status_code == 404


def test_only_the_importer_may_act_in_the_name_of_another(stages: Stages) -> None:
    procedure = ALL_PROCEDURES[0]
    stage = stages(procedure.service)
    path = path_of(procedure, procedure.opening, None)
    data = procedure.examples[procedure.opening.command]
    answers = [
        stage.post(path, account_of(role), data, ecocase_actor="officer2").status_code
        for role in Role
    ]
    assert answers == [201 if role is Role.IMPORTER else 403 for role in Role]
