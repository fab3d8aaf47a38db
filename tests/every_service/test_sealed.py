"""What chains alone cannot show, the seals do: removed tails and aggregates, moved and forged events.

And where whoever can write the whole database has made everything agree, the copy outside does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import pytest
from uuid_utils.compat import uuid7

from services.cases.workflow import PENALTY_CASE
from services.complaints.workflow import COMPLAINT
from services.launch.seal_copies import CopyUnusableError, Fault, compare, read_copies
from services.permits.workflow import PERMIT_APPLICATION
from shared.clock.calendar import WorkCalendar
from shared.events.hashing import canonical, event_hash
from shared.events.table import WRITTEN
from shared.workflow.refold import Past, Refold
from tests.every_service.courses import courses
from tests.every_service.stage import SERVICES, Stage
from tests.seals_kept import seal_everything

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import asyncpg

    from shared.seals.seal import Seal
    from shared.workflow.table import Procedure
    from tests.postgres_fixture import FreshDatabases

EACH_SERVICE = [
    PENALTY_CASE,
    pytest.param(PERMIT_APPLICATION, marks=pytest.mark.slow),
    pytest.param(COMPLAINT, marks=pytest.mark.slow),
]


@dataclass
class Sealed:
    """A service with two sealed aggregates, and a way back after each change."""

    stage: Stage
    procedure: Procedure
    id: str
    bystander: str
    seals: list[Seal]
    unsealed: str | None = None

    @property
    def table(self) -> str:
        return self.procedure.name.replace("-", "_")

    def change(self, *statements: str) -> None:
        """Change tables behind the platform's back; `{id}` is the aggregate's."""
        names = {"id": self.id, "other": self.bystander, "table": self.table}
        self.stage.execute_as_superuser(*(one.format(**names) for one in statements))

    def events(self, aggregate_id: str | None = None) -> list[asyncpg.Record]:
        return self.stage.fetch(
            "SELECT * FROM event WHERE aggregate_id = $1::uuid ORDER BY aggregate_version",
            aggregate_id or self.id,
        )

    def insert(self, event: dict[str, Any], **relay: int) -> None:
        """Put in an event, in any place of the order."""
        values = {**event, "data": event["data"].decode(), **relay}
        columns = [*WRITTEN, *relay]

        def literal(name: str) -> str:
            value = values[name]
            if value is None:
                return "NULL"
            text = f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)
            return "'" + text.replace("'", "''").replace("{", "{{").replace("}", "}}") + "'"

        self.change(
            f"INSERT INTO event ({', '.join(columns)}) OVERRIDING SYSTEM VALUE"
            f" VALUES ({', '.join(map(literal, columns))})"
        )

    def roll_back_to(self, version: int) -> None:
        """Make the state row that of a version, as if nothing had come after."""
        kept = self.events()[:version]
        past = [
            Past(
                one["type"],
                one["actor"],
                one["bureau"],
                one["occurred_at"],
                orjson.loads(one["data"]),
            )
            for one in kept
        ]
        row = Refold(self.procedure)(past, WorkCalendar.official())
        facts, clocks = (orjson.dumps(row[name]).decode() for name in ("facts", "clocks"))
        columns = ", ".join(
            f"{name} = {'NULL' if row[name] is None else repr(row[name])}"
            for name in self.procedure.columns
        )
        last = kept[-1]
        self.stage.execute_as_superuser(
            f"UPDATE {self.table} SET version = {version}, state = '{last['state']}',"
            f" hash = '\\x{last['hash'].hex()}', facts = '{facts}', clocks = '{clocks}',"
            f" stepped_at = '{row['stepped_at'].isoformat()}', {columns} WHERE id = '{self.id}'"
        )

    def forged(self, **changes: Any) -> dict[str, Any]:
        """A further event of the aggregate, well formed and well hashed."""
        last = dict(self.events()[-1])
        event = {
            **{name: last[name] for name in WRITTEN},
            "id": uuid7(),
            "aggregate_version": last["aggregate_version"] + 1,
            "previous_hash": last["hash"],
            "idempotency_key": f"forged {uuid7()}",
            "data": canonical(orjson.loads(last["data"])),
            **changes,
        }
        event["hash"] = event_hash(event)
        return event

    def findings(self) -> list[dict[str, Any]]:
        """Everything that the three walks name, page by page."""
        found: list[dict[str, Any]] = []
        after: str | None = str(UUID(int=0))
        while after is not None:
            page = self.get("/verification", after=after, limit=2)
            found += page["findings"]
            after = page["next"]
        after = ""
        while after is not None:
            page = self.get("/verification/traces", after=after, limit=3)
            found += page["findings"]
            after = page["next"]
        number, more = 0, True
        while more:
            page = self.get("/verification/seals", after=number)
            found += page["findings"]
            number, more = page["last"], page["more"]
        self.unsealed = page["unsealed"]
        return found

    def get(self, path: str, **params: Any) -> Any:
        answer = self.stage.get(path, "auditadmin1", **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def seal_named(self, *, what: str) -> set[int]:
        """The numbers of the seals found at fault in a way."""
        return {one["seal"] for one in self.findings() if one["what"] == what}


@pytest.fixture(scope="module")
def sealed_services(fresh_databases: FreshDatabases) -> Iterator[Callable[[Procedure], Sealed]]:
    """Each service once: two aggregates, sealed three events at a time, their tables kept aside."""
    made: dict[str, Sealed] = {}

    def sealed(procedure: Procedure) -> Sealed:
        if procedure.service not in made:
            stage = Stage(procedure.service, fresh_databases).__enter__()
            longest = max(courses(procedure), key=len)
            bystander = stage.play(procedure, longest[:4])
            aggregate_id = stage.play(procedure, longest)
            seals = stage.call(seal_everything(stage.service.database, sealed_events=3))
            stage.execute_as_superuser(
                "ALTER TABLE event ALTER COLUMN seq SET GENERATED BY DEFAULT",
                *(f"CREATE TABLE kept_{name} AS TABLE {name}" for name in tables(procedure)),
            )
            made[procedure.service] = Sealed(stage, procedure, aggregate_id, bystander, seals)
        return made[procedure.service]

    yield sealed
    for one in made.values():
        one.stage.__exit__()


def tables(procedure: Procedure) -> list[str]:
    module = SERVICES[procedure.service]
    from importlib import import_module  # noqa: PLC0415

    models = import_module(f"{module.__package__}.models")
    # The audit trail refuses to be changed, and is no part of what is sealed.
    return sorted(name for name in models.tables.metadata.tables if not name.startswith("audit_"))


@pytest.fixture
def sealed(
    sealed_services: Callable[[Procedure], Sealed], request: pytest.FixtureRequest
) -> Iterator[Sealed]:
    """A sealed service; whatever a test changes is put back."""
    one = sealed_services(request.param)
    yield one
    one.stage.execute_as_superuser(
        *(f"TRUNCATE {name}" for name in tables(one.procedure)),
        *(f"INSERT INTO {name} TABLE kept_{name}" for name in tables(one.procedure)),
    )


each_service = pytest.mark.parametrize("sealed", EACH_SERVICE, indirect=True)
one_service = pytest.mark.parametrize("sealed", [PENALTY_CASE], indirect=True)


@each_service
def test_what_nobody_touched_is_clean(sealed: Sealed) -> None:
    assert sealed.findings() == []
    assert sealed.unsealed is None
    listed = sealed.get("/seals", after=1, limit=2)
    assert [one["number"] for one in listed] == [2, 3]
    assert listed[0] == sealed.seals[1].as_json() | {
        "sealed_at": listed[0]["sealed_at"],
    }


LAST = "(SELECT max(aggregate_version) FROM event WHERE aggregate_id = '{id}')"
OF_THE_LAST = f"aggregate_id = '{{id}}' AND aggregate_version = {LAST}"
EVERY_TRACE = (
    "DELETE FROM idempotency WHERE aggregate_id = '{id}'",
    "DELETE FROM particulars WHERE aggregate_id = '{id}'",
    "DELETE FROM claim WHERE aggregate_id = '{id}'",
    "DELETE FROM {table} WHERE id = '{id}'",
)


@each_service
def test_a_tail_removed_with_its_state_row_rolled_back_is_found(sealed: Sealed) -> None:
    versions = len(sealed.events())
    sealed.roll_back_to(versions - 1)
    sealed.change(
        f"DELETE FROM idempotency WHERE {OF_THE_LAST}", f"DELETE FROM event WHERE {OF_THE_LAST}"
    )
    assert {(one["what"], one["seal"]) for one in sealed.findings()} == {
        ("seal-differs", sealed.seals[-1].number)
    }


@each_service
def test_a_removed_tail_is_named_by_the_record_that_was_left(sealed: Sealed) -> None:
    versions = len(sealed.events())
    sealed.roll_back_to(versions - 1)
    sealed.change(f"DELETE FROM event WHERE {OF_THE_LAST}")
    [left] = [one for one in sealed.findings() if one["seal"] is None]
    assert (left["aggregate_id"], left["version"], left["what"]) == (sealed.id, versions, "removed")


@each_service
def test_a_whole_aggregate_removed_with_all_its_rows_is_found(sealed: Sealed) -> None:
    persons = [name for name in tables(sealed.procedure) if name in {"party", "reporter", "staff"}]
    sealed.change(
        *EVERY_TRACE,
        *(f"DELETE FROM {name} WHERE aggregate_id = '{{id}}'" for name in persons),
        "DELETE FROM event WHERE aggregate_id = '{id}'",
    )
    found = sealed.findings()
    assert {one["what"] for one in found} == {"seal-differs"}
    assert {one["seal"] for one in found} == {one.number for one in sealed.seals[1:]}


@each_service
@pytest.mark.parametrize("left", ["idempotency", "particulars", "party", "claim"])
def test_a_removed_aggregate_is_named_by_whatever_was_left_of_it(sealed: Sealed, left: str) -> None:
    if left == "claim":
        bureau = sealed.events()[0]["bureau"]
        sealed.change(f"INSERT INTO claim VALUES ('{bureau}', 'number', 'left', '{{id}}')")
    assert sealed.stage.fetch(f"SELECT FROM {left} WHERE aggregate_id = $1::uuid", sealed.id), (
        "there is something to leave"
    )
    sealed.change(
        *(one for one in EVERY_TRACE if f"FROM {left} " not in one),
        *(() if left == "party" else ["DELETE FROM party WHERE aggregate_id = '{id}'"]),
        "DELETE FROM event WHERE aggregate_id = '{id}'",
    )
    named = [one for one in sealed.findings() if one["what"] == "removed"]
    assert {one["aggregate_id"] for one in named} == {sealed.id}


@each_service
@pytest.mark.parametrize(
    "change",
    [
        "xid = (xid::text::bigint - 1)::text::xid8",
        "xid = (xid::text::bigint + 1)::text::xid8",
        "seq = seq + 1000",
        "seq = -seq",
        "epoch = 0",
        "epoch = 2",
        "xid = '3'",
        "xid = '4000000000'",
    ],
)
def test_a_column_of_the_relay_edited_is_found(sealed: Sealed, change: str) -> None:
    sealed.change(
        f"UPDATE event SET {change} WHERE aggregate_id = '{{id}}' AND aggregate_version = 2"
    )
    where = [one for one in sealed.seals if 6 in range_of(sealed.seals, one)]
    assert where[0].number in sealed.seal_named(what="seal-differs")


def range_of(seals: list[Seal], seal: Seal) -> range:
    """The places in the order (from 1) that a seal holds."""
    before = sum(one.events for one in seals[: seal.number - 1])
    return range(before + 1, before + seal.events + 1)


SWAPPED = (
    "UPDATE event AS e SET {what} = o.{what} FROM event AS o"
    " WHERE (e.id, o.id) IN (('{a}', '{b}'), ('{b}', '{a}'))"
)


@each_service
@pytest.mark.parametrize("what", ["seq", "xid"])
def test_two_events_of_an_aggregate_that_changed_places_are_named(
    sealed: Sealed, what: str
) -> None:
    second, third = sealed.events()[1:3]
    sealed.change(SWAPPED.format(what=what, a=second["id"], b=third["id"]))
    found = sealed.findings()
    assert "seal-differs" in {one["what"] for one in found}
    if what == "xid":
        assert (sealed.id, "reordered", 3) in {
            (one["aggregate_id"], one["what"], one["version"]) for one in found
        }


@each_service
def test_events_of_two_aggregates_that_changed_places_are_found(sealed: Sealed) -> None:
    mine, other = sealed.events()[0], sealed.events(sealed.bystander)[-1]
    sealed.change(
        SWAPPED.format(what="seq", a=mine["id"], b=other["id"]),
        SWAPPED.format(what="xid", a=mine["id"], b=other["id"]),
    )
    assert {one["what"] for one in sealed.findings()} == {"seal-differs"}


@one_service
def test_versions_exchanged_between_two_events_are_found(sealed: Sealed) -> None:
    sealed.change(
        "UPDATE event SET aggregate_version = -2 WHERE aggregate_id = '{id}' AND aggregate_version = 2",
        "UPDATE event SET aggregate_version = 2 WHERE aggregate_id = '{id}' AND aggregate_version = 3",
        "UPDATE event SET aggregate_version = 3 WHERE aggregate_id = '{id}' AND aggregate_version = -2",
    )
    found = {(one["aggregate_id"], one["what"]) for one in sealed.findings()}
    assert {(sealed.id, "reordered"), (sealed.id, "edited")} <= found


@each_service
@pytest.mark.parametrize("place", ["before all", "within a seal", "between seals", "another epoch"])
def test_a_well_hashed_event_put_where_the_seals_are_is_found(sealed: Sealed, place: str) -> None:
    """It opens an aggregate of its own, so that no chain is hurt; only its record is missing."""
    first, second = sealed.seals[0], sealed.seals[1]
    stranger = uuid7()
    event = sealed.forged(aggregate_id=stranger, aggregate_version=1, previous_hash=None)
    where = {
        "before all": {"epoch": 1, "xid": 3, "seq": 0},
        "within a seal": {"epoch": 1, "xid": first.last_xid, "seq": first.last_seq - 5000},
        "between seals": {"epoch": 1, "xid": first.last_xid, "seq": first.last_seq + 5000},
        "another epoch": {"epoch": -7, "xid": 3, "seq": 0},
    }[place]
    sealed.insert(event, **where)
    found = sealed.findings()
    number = second.number if place == "between seals" else first.number
    assert (number, "seal-differs") in {(one["seal"], one["what"]) for one in found}
    assert (str(stranger), "unrecorded") in {(one["aggregate_id"], one["what"]) for one in found}


@each_service
@pytest.mark.parametrize(
    "where", [{"epoch": 1, "xid": 4_000_000_000, "seq": 1}, {"epoch": 9, "xid": 3, "seq": 1}]
)
def test_an_event_written_into_the_future_is_named(sealed: Sealed, where: dict[str, int]) -> None:
    """The relay would come to it some day, and seal it as any other."""
    event = sealed.forged()
    sealed.insert(event, **where)
    assert (sealed.id, str(event["id"]), "not-yet-drawn") in {
        (one["aggregate_id"], one["event_id"], one["what"]) for one in sealed.findings()
    }


@one_service
def test_an_event_that_no_seal_covers_is_said(sealed: Sealed) -> None:
    event = sealed.forged()
    sealed.insert(event)
    sealed.findings()
    assert sealed.unsealed == str(event["id"])


@each_service
@pytest.mark.parametrize(
    "change, what",
    [
        ("epoch = 2", "seal-edited"),
        ("first_xid = '3'", "seal-edited"),
        ("first_seq = -9223372036854775808", "seal-edited"),
        ("last_xid = '3'", "seal-differs"),
        ("last_xid = '18446744073709551615'", "seal-differs"),
        ("last_seq = last_seq + 1000000", "seal-edited"),
        ("events = events + 1", "seal-differs"),
        ("events = -5", "seal-differs"),
        ("events = 9223372036854775807", "seal-differs"),
        ("digest = sha256(digest)", "seal-differs"),
        ("previous_hash = NULL", "seal-forked"),
        ("hash_algorithm = 'md5'", "seal-edited"),
        ("term = 7", "seal-edited"),
        ("sealed_at = 'infinity'", "seal-edited"),
        ("sealed_at = sealed_at - interval '1 day'", "seal-edited"),
        ("hash = sha256(hash)", "seal-edited"),
        ("number = 2000", "seal-removed"),
    ],
)
def test_an_edited_seal_is_found(sealed: Sealed, change: str, what: str) -> None:
    sealed.change(f"UPDATE seal SET {change} WHERE number = 2")
    named = {(one["seal"], one["what"]) for one in sealed.findings()}
    number = 3 if what == "seal-removed" else 2
    assert (number, what) in named
    assert sealed.stage.get("/seals", "auditadmin1").status_code == 200


@each_service
@pytest.mark.parametrize("removed", ["1", "2", "2, 3"])
def test_removed_seals_are_named(sealed: Sealed, removed: str) -> None:
    sealed.change(f"DELETE FROM seal WHERE number IN ({removed})")
    [found] = sealed.findings()
    numbers = removed.replace(",", " 至") if "," in removed else removed
    assert (found["what"], found["reason"]) == ("seal-removed", f"缺少第 {numbers} 号封签")


@one_service
def test_seals_removed_from_the_end_leave_events_that_none_covers(sealed: Sealed) -> None:
    sealed.change(f"DELETE FROM seal WHERE number >= {sealed.seals[-1].number}")
    assert sealed.findings() == []
    assert sealed.unsealed is not None


@each_service
def test_a_database_written_anew_agrees_with_itself_but_not_with_the_copy(
    sealed: Sealed, tmp_path: Path
) -> None:
    copy = tmp_path / f"{sealed.procedure.service}.jsonl"
    copy.write_bytes(b"".join(seal.line() for seal in sealed.seals))
    copied = read_copies([tmp_path])[sealed.procedure.service]
    assert compare(sealed.procedure.service, copied, held(sealed)) == []

    versions = len(sealed.events())
    sealed.roll_back_to(versions - 1)
    sealed.change(
        f"DELETE FROM idempotency WHERE {OF_THE_LAST}",
        f"DELETE FROM event WHERE {OF_THE_LAST}",
        "DELETE FROM seal WHERE number > 1",
    )
    sealed.stage.call(seal_everything(sealed.stage.service.database, sealed_events=4))
    assert sealed.findings() == []
    assert sealed.unsealed is None

    faults = compare(sealed.procedure.service, copied, held(sealed))
    last = max(held(sealed))
    assert faults[0] == Fault(sealed.procedure.service, 2, last, "与外部副本不同")
    assert faults[1:] == [
        Fault(
            sealed.procedure.service,
            last + 1,
            sealed.seals[-1].number,
            f"在外部副本中，而数据库中的封签止于第 {last} 号",
        )
    ]


def held(sealed: Sealed) -> dict[int, bytes]:
    return {one["number"]: bytes.fromhex(one["hash"]) for one in sealed.get("/seals", limit=1_000)}


@one_service
def test_a_copy_may_be_older_than_the_table_and_end_in_part_of_a_line(
    sealed: Sealed, tmp_path: Path
) -> None:
    copy = tmp_path / "carried-off.jsonl"
    copy.write_bytes(sealed.seals[1].line() + sealed.seals[2].line() + sealed.seals[3].line()[:50])
    copied = read_copies([copy])
    assert set(copied["cases"]) == {2, 3}
    assert compare("cases", copied["cases"], held(sealed)) == []


@one_service
@pytest.mark.parametrize(
    "content, said",
    [
        (b"no seal\n", "第 1 行不是封签"),
        (b"\n", "第 1 行不是封签"),
    ],
)
def test_a_copy_that_cannot_be_read_is_refused(
    sealed: Sealed, tmp_path: Path, content: bytes, said: str
) -> None:
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(content)
    with pytest.raises(CopyUnusableError, match=said):
        read_copies([copy])
    altered = sealed.seals[0].line().replace(b'"term":1', b'"term":2')
    copy.write_bytes(altered)
    with pytest.raises(CopyUnusableError, match="副本本身已被改动"):
        read_copies([copy])
    with pytest.raises(CopyUnusableError, match="读不到"):
        read_copies([tmp_path / "missing.jsonl"])


@one_service
@pytest.mark.parametrize(
    "after",
    [
        "nonsense",
        "[]",
        "{}",
        '["event"]',
        '["idempotency", 1, 2]',
        '["party", "no id"]',
        '["idempotency", "\\u0000", "k"]',
        '["idempotency", "500152"]',
        "null",
    ],
)
def test_a_cursor_that_is_none_of_ours_is_refused(sealed: Sealed, after: str) -> None:
    answer = sealed.stage.get("/verification/traces", "auditadmin1", after=after)
    assert (answer.status_code, answer.json()["field"]) == (422, "after")


@one_service
@pytest.mark.parametrize("path", ["/seals", "/verification/seals", "/verification/traces"])
def test_only_auditors_may_look(sealed: Sealed, path: str) -> None:
    assert sealed.stage.get(path, "officer1").status_code == 403
    assert sealed.stage.get(path, "supervisor1").status_code == 200
