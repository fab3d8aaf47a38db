"""Personal data are masked for everyone, and disclosed for a reason that is on record first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from stdnum.cn import ric

from services.complaints.workflow import COMPLAINT
from services.launch.catalogue import PROCEDURES
from shared.identity.roles import Role
from shared.workflow.payload import fields_of
from tests.every_service.stage import account_of, path_of, who_may

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from shared.workflow.table import Procedure
    from tests.every_service.stage import Stage

    Stages = Callable[[str], Stage]

NAME, PHONE, ADDRESS = "示例当事人丙", "19987654321", "虚构路九十九号附七"
ID_NUMBER = "50015220990101777" + ric.calc_check_digit("500152209901017770")
TEXT = f"联系电话{PHONE}，证件{ID_NUMBER}。"
REASON = {"reason": "送达处罚决定书"}
PERSONAL = [
    procedure
    for held in PROCEDURES.values()
    for procedure in held
    if fields_of(procedure.opening.payload).stored
]
EVERY = pytest.mark.parametrize("procedure", PERSONAL, ids=lambda one: one.name)


def opened(stage: Stage, procedure: Procedure) -> str:
    """Open an item in which every person is fully described, and texts hold numbers."""
    row = procedure.opening
    fields = fields_of(row.payload)
    data: dict[str, Any] = dict(procedure.examples[row.command])
    for name, _ in fields.stored:
        data[name] = {
            "kind": "individual",
            "name": NAME,
            "phone": PHONE,
            "id_number": ID_NUMBER,
            "address": ADDRESS,
        }
    data |= dict.fromkeys(fields.private & set(data), TEXT)
    answer = stage.post(path_of(procedure, row, None), who_may(row)[0], data)
    assert answer.status_code == 201, answer.text
    return f"/{procedure.path}/{answer.json()['id']}"


def disclosed(stage: Stage, path: str, account: str, asked: Any) -> Any:
    headers = stage.service.headers(account)
    return stage.call(stage.service.http.post(f"{path}/disclosures", json=asked, headers=headers))


def handler(procedure: Procedure) -> str:
    """An account that sees every person of the procedure."""
    allowed = procedure.handlers
    for roles in procedure.confidential.values():
        allowed = allowed & roles
    return account_of(min(allowed))


def reads(stage: Stage, path: str) -> list[dict[str, Any]]:
    """What the trail says of reading an item."""
    rows = stage.fetch(
        "SELECT * FROM audit_entry WHERE kind = 'read' AND object_id = $1 ORDER BY at",
        path.rsplit("/", 1)[1],
    )
    return [{**row, "details": orjson.loads(row["details"])} for row in rows]


@EVERY
def test_no_ordinary_read_shows_a_number_or_an_address(
    stages: Stages, procedure: Procedure
) -> None:
    stage = stages(procedure.service)
    path = opened(stage, procedure)
    for role in procedure.readers - {Role.IMPORTER}:
        for shown in ("", "/events", "/actions"):
            text = stage.get(path + shown, account_of(role)).text
            assert [value for value in (PHONE, ID_NUMBER, ADDRESS) if value in text] == []
        listed = stage.get(f"/{procedure.path}", account_of(role)).text
        assert [value for value in (PHONE, ID_NUMBER, ADDRESS) if value in listed] == []
    assert reads(stage, path) == []


@EVERY
def test_what_is_masked_can_still_be_told_from_another(
    stages: Stages, procedure: Procedure
) -> None:
    stage = stages(procedure.service)
    [person, *_] = (
        stage.get(opened(stage, procedure), handler(procedure)).json()["persons"].values()
    )
    assert {name: value for name, value in person.items() if name not in {"id", "code"}} == {
        "kind": "individual",
        "name": NAME,
        "phone": "199****4321",
        "id_number": f"500152********{ID_NUMBER[-4:]}",
        "address": "***",
        "masked": True,
    }


@EVERY
def test_who_handles_it_reads_all_for_a_reason_that_is_on_record(
    stages: Stages, procedure: Procedure
) -> None:
    stage = stages(procedure.service)
    path = opened(stage, procedure)
    answer = disclosed(stage, path, handler(procedure), REASON)
    assert answer.status_code == 200, answer.text
    persons = answer.json()["persons"]
    assert persons
    for person in persons.values():
        assert (person["phone"], person["id_number"]) == (PHONE, ID_NUMBER)
        assert (person["address"], person.get("masked")) == (ADDRESS, None)
    if fields_of(procedure.opening.payload).private & set(
        procedure.examples[procedure.opening.command]
    ):
        assert orjson.dumps(TEXT) in answer.content
    assert answer.headers["cache-control"] == "no-store"
    [entry] = reads(stage, path)
    assert (entry["account"], entry["reason"], entry["outcome"]) == (
        handler(procedure),
        REASON["reason"],
        "accepted",
    )
    assert entry["details"] == {"persons": sorted(persons)}


@EVERY
def test_who_takes_no_step_of_it_is_refused_whatever_the_reason(
    stages: Stages, procedure: Procedure
) -> None:
    stage = stages(procedure.service)
    path = opened(stage, procedure)
    for role in set(Role) - procedure.handlers - {Role.IMPORTER}:
        answer = disclosed(stage, path, account_of(role), REASON)
        assert answer.status_code == 403, role
        assert PHONE not in answer.text
    assert reads(stage, path) == []


@EVERY
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"reason": ""},
        {"reason": "办案"},
        {"reason": "needed for service"},
        {"reason": f"致电{PHONE}核实情况"},
        {"reason": "送达处罚决定书" * 50},
        {"reason": "送达处罚决定书", "unheard": True},
    ],
)
def test_without_a_reason_that_can_be_kept_nothing_is_shown(
    stages: Stages, procedure: Procedure, asked: Any
) -> None:
    stage = stages(procedure.service)
    path = opened(stage, procedure)
    answer = disclosed(stage, path, handler(procedure), asked)
    assert answer.status_code == 422, answer.text
    assert PHONE not in answer.text
    assert reads(stage, path) == []


@EVERY
def test_of_another_bureau_or_of_nothing_there_is_nothing_to_disclose(
    stages: Stages, procedure: Procedure
) -> None:
    stage = stages(procedure.service)
    account = handler(procedure)
    elsewhere = stage.service.headers(account, "500151")
    path = opened(stage, procedure)
    answer = stage.call(
        stage.service.http.post(f"{path}/disclosures", json=REASON, headers=elsewhere)
    )
    assert answer.status_code == 404
    assert disclosed(stage, f"/{procedure.path}/none", account, REASON).status_code == 404
    assert reads(stage, path) == []


def test_a_reporter_is_disclosed_to_petitions_alone(stages: Stages) -> None:
    stage = stages(COMPLAINT.service)
    path = opened(stage, COMPLAINT)
    others = COMPLAINT.handlers - {Role.PETITIONS}
    assert others
    for role in others:
        reporter, facts = reported(disclosed(stage, path, account_of(role), REASON))
        assert set(reporter.values()) - {"***", True} == {"individual", reporter["id"]}
        assert PHONE not in facts
    reporter, facts = reported(disclosed(stage, path, account_of(Role.PETITIONS), REASON))
    assert reporter["phone"] == PHONE
    assert PHONE in facts


def reported(answer: httpx.Response) -> tuple[dict[str, Any], str]:
    """Who reported, and all facts with their texts."""
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    [opening] = shown["facts"][COMPLAINT.opening.command]
    return shown["persons"][opening["reporter_id"]], str(shown["facts"])


@EVERY
def test_what_cannot_be_recorded_is_not_shown(stages: Stages, procedure: Procedure) -> None:
    stage = stages(procedure.service)
    path = opened(stage, procedure)
    stage.execute_as_superuser("ALTER TABLE audit_entry RENAME TO elsewhere")
    try:
        answer = disclosed(stage, path, handler(procedure), REASON)
    finally:
        stage.execute_as_superuser("ALTER TABLE elsewhere RENAME TO audit_entry")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert PHONE not in answer.text
    assert disclosed(stage, path, handler(procedure), REASON).status_code == 200
