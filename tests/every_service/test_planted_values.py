"""No natural person's data leaves the tables that can be erased: planted values are looked for.

Recognisable names, numbers, addresses and accounts are put into every person and every free text
of lawful courses that take every command, and into commands that are refused. Then every table,
log line and metric is searched for them; and what can be erased is erased.
"""

from __future__ import annotations

import logging
from io import BytesIO
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import structlog
from prometheus_client import REGISTRY, generate_latest
from stdnum.cn import ric

from services.launch.catalogue import PROCEDURES
from services.reporting import app as reporting
from shared.audit.log import AuditLog
from shared.events.registry import event_types
from shared.http import logs
from shared.relay.direct import DirectHistory
from shared.workflow.payload import fields_of
from tests.every_service.courses import courses
from tests.every_service.stage import SERVICES, path_of, who_may
from tests.identity import issuer_double

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from services.launch.caseload.line import Line
    from shared.postgres.database import Database
    from shared.workflow.table import Procedure, Row
    from tests.every_service.stage import Stage
    from tests.postgres_fixture import FreshDatabases

    Stages = Callable[[str], Stage]
    Data = dict[str, Any]

EVERY_SERVICE = pytest.mark.parametrize("service", PROCEDURES)
EVERY_PROCEDURE = pytest.mark.parametrize(
    "procedure", [one for held in PROCEDURES.values() for one in held], ids=lambda one: one.name
)

NAME, PHONE, ADDRESS = "欧阳极罕见", "19987654321", "虚构路九十九号附七"
ID_NUMBER = "50015220990101777" + ric.calc_check_digit("500152209901017770")
BANK_ACCOUNT = "6222980000004443332"
PLANTED = (NAME, PHONE, ADDRESS, ID_NUMBER, BANK_ACCOUNT)
TEXT = f"{NAME}（{ID_NUMBER}，电话{PHONE}）住{ADDRESS}，账号{BANK_ACCOUNT}。"

OF_STATE_ROWS = ("party_name", "words")
"""The erasable columns of a state row."""


@pytest.fixture(scope="module")
def log() -> Iterator[BytesIO]:
    """Everything that the services of this module log."""
    out = BytesIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    logs.configure(level=logging.DEBUG, stream=out)
    yield out
    structlog.reset_defaults()
    logs.lines.stream = None
    root.handlers, root.level = handlers, level


@pytest.fixture(scope="module")
def planted(stages: Stages, log: BytesIO) -> Callable[[str], Stage]:
    """Give a service's stage after everything has been planted in it."""
    done: set[str] = set()

    def stage_of(service: str) -> Stage:
        stage = stages(service)
        if service not in done:
            done.add(service)
            for procedure in PROCEDURES[service]:
                for course in courses(procedure):
                    stage.play(procedure, tuple(_planted(procedure, line) for line in course))
                _refused(stage, procedure, _fully_named(stage, procedure))
            assert b'"event":"request"' in log.getvalue()
        return stage

    return stage_of


def _planted(procedure: Procedure, line: Line) -> Line:
    row = procedure.row(line.command)
    assert row is not None
    return type(line)(
        line.service, line.ref, line.command, line.actor, line.at, _with_texts(row, line.data)
    )


def _with_texts(row: Row, data: Mapping[str, Any]) -> Data:
    """Data with every free text planted, and every person that it names.

    Who left no way to be reached still leaves none: the law goes by it.
    """
    fields = fields_of(row.payload)
    persons = {
        name: _person(data[name], reachable=bool({"phone", "address"} & set(data[name])))
        for name, _ in fields.stored
        if name in data
    }
    return {**data, **persons, **dict.fromkeys(fields.private, TEXT)}


def _person(known: Mapping[str, Any], *, reachable: bool) -> Data:
    person = {**known, "name": NAME, "id_number": ID_NUMBER}
    return {**person, "phone": PHONE, "address": ADDRESS} if reachable else person


def _fully_named(stage: Stage, procedure: Procedure) -> str:
    """Open an aggregate in which every field of every person is planted."""
    answer = stage.post(
        path_of(procedure, procedure.opening, None),
        who_may(procedure.opening)[0],
        _everything(procedure, procedure.opening),
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _everything(procedure: Procedure, row: Row) -> Data:
    data = _with_texts(row, procedure.examples[row.command])
    for name, _ in fields_of(row.payload).stored:
        data[name] = _person({"kind": "individual"}, reachable=True)
    return data


def _refused(stage: Stage, procedure: Procedure, aggregate_id: str) -> None:
    """Send every command, full of planted values, in ways of which nearly all are refused."""
    ended: set[int] = set()
    rows = [(row, _everything(procedure, row)) for row in procedure.rows]
    for row, data in rows:
        path, account = path_of(procedure, row, aggregate_id), who_may(row)[0]
        refusals = [
            stage.post(path, "secadmin1", data),
            stage.post(path, account, {**data, "unheard": TEXT}),
            stage.post(path, account, {**data, NAME: TEXT}),
            stage.post(path, account, {**data, "unheard": {"name": NAME, "phone": [PHONE]}}),
            stage.post(path, account, data, at=PHONE),
            stage.post(path, account, data, at=NAME),
            stage.post(path, account, data, if_match=PHONE),
            stage.post(path, "importer1", data, ecocase_actor=PHONE),
            stage.post(path, "importer1", data, ecocase_actor=ID_NUMBER),
            *(stage.post(path, account, {name: TEXT}) for name in row.payload.model_fields),
        ]
        if not row.opens:
            refusals.append(stage.post(path, account, data, if_match='"99"'))
            refusals.append(stage.post(path, account, data, at="1990-01-01"))
        ended |= {answer.status_code for answer in refusals}
    assert {403, 409, 412, 422} <= ended <= {200, 201, 403, 409, 412, 422}
    _refused_before_the_command(stage, procedure, aggregate_id)
    _refused_corrections(stage, procedure, aggregate_id)


def _refused_before_the_command(stage: Stage, procedure: Procedure, aggregate_id: str) -> None:
    opening = procedure.opening
    path, body = f"/{procedure.path}", orjson.dumps({"data": _everything(procedure, opening)})
    signed = stage.service.headers(who_may(opening)[0])
    send = stage.service.http.request
    answers = [
        stage.call(send("POST", path, content=body)),
        stage.call(send("POST", path, content=body, headers=signed)),
        stage.call(send("POST", path, content=body, headers={"authorization": f"Bearer {PHONE}"})),
        stage.call(
            send("POST", path, content=body[:-9], headers=signed | {"idempotency-key": "k"})
        ),
        stage.call(send("POST", path, content=body * 9_000, headers=signed)),
        stage.call(send("PUT", path, content=body, headers=signed)),
        stage.call(send("POST", f"/{NAME}/{PHONE}", content=body, headers=signed)),
        stage.call(send("GET", f"{path}/{PHONE}", headers=signed)),
        stage.call(send("GET", f"{path}/{aggregate_id}/{NAME}", headers=signed)),
        stage.call(send("GET", path, params={"state": NAME, "q": PHONE}, headers=signed)),
        stage.call(send("GET", path, params={"after": ID_NUMBER}, headers=signed)),
        stage.call(
            send(
                "POST",
                path,
                content=body,
                headers=signed | {"idempotency-key": NAME.encode().hex() * 9},
            )
        ),
    ]
    assert {answer.status_code // 100 for answer in answers} == {4}
    assert stage.get(path, q=NAME).status_code == 200


def _refused_corrections(stage: Stage, procedure: Procedure, aggregate_id: str) -> None:
    propose = procedure.row("propose-correction")
    assert propose is not None
    path = path_of(procedure, propose, aggregate_id)
    for row in procedure.rows:
        for name in (*row.payload.model_fields, "occurred_at"):
            for value in (NAME, TEXT, [ADDRESS]):
                answer = stage.post(
                    path,
                    who_may(propose)[0],
                    {"target": row.command, "changes": {name: value}, "reason": TEXT},
                )
                assert answer.status_code in {409, 422}, (row.command, name, answer.text)


def held(stage: Stage, *, erasable: bool) -> dict[str, str]:
    """The text of every row of the service's tables, the erasable ones or all others."""
    own = SERVICES[stage.service.name].tables
    persons = {*own.persons, "particulars"}
    return {
        table: text
        for table, text in stage.call(
            texts_of(stage.service.database, without=() if erasable else OF_STATE_ROWS)
        ).items()
        if erasable or table not in persons
    }


async def texts_of(database: Database, *, without: tuple[str, ...] = ()) -> dict[str, str]:
    """The text of every row of a database's tables, by table; some columns left out."""
    row = "to_jsonb(t)" + "".join(f" - '{column}'" for column in without)
    async with database.connection() as connection:
        tables = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema"
        )
        return {
            name: "\n".join(
                found[0] for found in await connection.fetch(f"SELECT ({row})::text FROM {name} t")
            )
            for (name,) in tables
        }


def leaks(texts: Mapping[str, str]) -> list[tuple[str, str]]:
    """Where a planted value stands."""
    return [(where, value) for where, text in texts.items() for value in PLANTED if value in text]


@EVERY_SERVICE
def test_planted_values_stand_in_the_erasable_tables_alone(
    planted: Callable[[str], Stage], service: str
) -> None:
    stage = planted(service)
    elsewhere = held(stage, erasable=False)
    assert leaks(elsewhere) == []
    assert {"event", "idempotency", "claim", "relay_cursor", "epoch"} <= set(elsewhere)
    kept = "".join(held(stage, erasable=True).values())
    assert all(value in kept for value in PLANTED)


@EVERY_SERVICE
def test_statistics_hold_no_planted_value(
    planted: Callable[[str], Stage], fresh_databases: FreshDatabases, service: str
) -> None:
    stage = planted(service)
    texts = stage.call(counted(stage.service.database, fresh_databases))
    assert texts["fact"]
    assert leaks(texts) == []


async def counted(source: Database, databases: FreshDatabases) -> dict[str, str]:
    """The text of every row of reporting's tables once it has counted a service's events."""
    fresh = await databases.create({reporting.NAME: reporting.MIGRATIONS})
    database = fresh.database(reporting.NAME)
    await database.open()
    history = DirectHistory([source])
    audit = AuditLog(database)  # nobody asks it anything, so it is not begun
    running = reporting.create(
        database, issuer_double.verifier(), history, lag=lambda: 0.0, version="test", audit=audit
    )
    await running.open()
    try:
        async for events in history.read(source.service, {}):
            await running.subscriber.apply([events])
        return await texts_of(database)
    finally:
        await running.close()
        history.close()
        await database.close()
        await databases.drop(fresh)


@EVERY_SERVICE
def test_no_log_line_and_no_metric_holds_a_planted_value(
    planted: Callable[[str], Stage], log: BytesIO, service: str
) -> None:
    planted(service)
    metrics = generate_latest(REGISTRY).decode()
    assert f'service="{service}"' in metrics
    assert leaks({"log": log.getvalue().decode(), "metrics": metrics}) == []


@EVERY_SERVICE
def test_who_reads_an_event_or_asks_an_auditors_question_meets_no_planted_value(
    planted: Callable[[str], Stage], service: str
) -> None:
    stage = planted(service)
    shown = {"aggregates": stage.get("/aggregates", "auditadmin1").text}
    shown["verification"] = stage.get("/verification", "auditadmin1").text
    for procedure in PROCEDURES[service]:
        for item in stage.get(f"/{procedure.path}", limit=50).json()["items"]:
            path = f"/{procedure.path}/{item['id']}"
            shown[f"{path}/events"] = stage.get(f"{path}/events").text
            shown[f"{path}/actions"] = stage.get(f"{path}/actions").text
    assert leaks(shown) == []


@EVERY_PROCEDURE
def test_no_string_of_an_event_is_free(procedure: Procedure) -> None:
    for kind in event_types([procedure]):
        free = [name for name in _free_strings(kind.schema, "") if ".changes" not in name]
        # What a 更正 changes has the form of the field it corrects, which the guard asks for.
        assert free == [], kind.name


def _free_strings(schema: Any, path: str, *, bounded: bool = False) -> Iterator[str]:
    """Paths of the strings in a JSON Schema that nothing bounds, there or around `anyOf`."""
    if isinstance(schema, list):
        for inner in schema:
            yield from _free_strings(inner, path, bounded=bounded)
    elif isinstance(schema, dict):
        bounded = bool({"enum", "const", "pattern", "format"} & set(schema)) or bounded
        if schema.get("type") == "string" and not bounded:
            yield path
        for name, inner in schema.items():
            yield from _free_strings(inner, f"{path}.{name}", bounded=bounded and name == "anyOf")


@EVERY_SERVICE
def test_after_erasure_the_chain_verifies_and_every_aggregate_can_be_read(
    planted: Callable[[str], Stage], service: str
) -> None:
    stage = planted(service)
    tables = SERVICES[service].tables
    stage.execute_as_superuser(
        *(f"DELETE FROM {name}" for name in (*tables.persons, "particulars")),
        *(
            f"UPDATE {table.name} SET party_name = NULL, words = '{{}}'"
            for table in tables.aggregates.values()
        ),
    )
    assert leaks(held(stage, erasable=True)) == []
    verified = stage.get("/verification", "auditadmin1", limit=1000).json()
    assert verified["events"] > 0
    assert (verified["findings"], verified["next"]) == ([], None)
    for procedure in PROCEDURES[service]:
        items = stage.get(f"/{procedure.path}", limit=200).json()["items"]
        assert items
        for item in items:
            read = stage.get(f"/{procedure.path}/{item['id']}")
            assert read.status_code == 200, read.text
            assert read.json()["persons"] == {}
            assert read.json()["facts"][procedure.opening.command]
