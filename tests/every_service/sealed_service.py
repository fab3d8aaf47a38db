"""A service with two sealed aggregates, changed behind its back and looked at as auditors do."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import pytest
from uuid_utils.compat import uuid7

from services.cases.workflow import PENALTY_CASE
from services.complaints.workflow import COMPLAINT
from services.permits.workflow import PERMIT_APPLICATION
from shared.clock.calendar import WorkCalendar
from shared.events.hashing import canonical, event_hash
from shared.events.table import WRITTEN
from shared.workflow.refold import Past, Refold
from tests.every_service.courses import courses
from tests.every_service.stage import SERVICES, Stage
from tests.seals_kept import seal_everything

if TYPE_CHECKING:
    import asyncpg

    from shared.seals.seal import Seal
    from shared.workflow.table import Procedure
    from tests.postgres_fixture import FreshDatabases

EACH_SERVICE = [
    PENALTY_CASE,
    pytest.param(PERMIT_APPLICATION, marks=pytest.mark.slow),
    pytest.param(COMPLAINT, marks=pytest.mark.slow),
]
each_service = pytest.mark.parametrize("sealed", EACH_SERVICE, indirect=True)
one_service = pytest.mark.parametrize("sealed", [PENALTY_CASE], indirect=True)

LAST = "(SELECT max(aggregate_version) FROM event WHERE aggregate_id = '{id}')"
OF_THE_LAST = f"aggregate_id = '{{id}}' AND aggregate_version = {LAST}"


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


def seal_a_service(procedure: Procedure, databases: FreshDatabases) -> Sealed:
    """Start a service, seal two aggregates three events at a time, and keep its tables aside."""
    stage = Stage(procedure.service, databases).__enter__()
    longest = max(courses(procedure), key=len)
    bystander = stage.play(procedure, longest[:4])
    aggregate_id = stage.play(procedure, longest)
    seals = stage.call(seal_everything(stage.service.database, sealed_events=3))
    stage.execute_as_superuser(
        "ALTER TABLE event ALTER COLUMN seq SET GENERATED BY DEFAULT",
        *(f"CREATE TABLE kept_{name} AS TABLE {name}" for name in tables(procedure)),
    )
    return Sealed(stage, procedure, aggregate_id, bystander, seals)


def put_back(sealed: Sealed) -> None:
    """Undo whatever was changed."""
    sealed.stage.execute_as_superuser(
        *(f"TRUNCATE {name}" for name in tables(sealed.procedure)),
        *(f"INSERT INTO {name} TABLE kept_{name}" for name in tables(sealed.procedure)),
    )


def tables(procedure: Procedure) -> list[str]:
    """The names of a service's tables; its audit trail refuses to be changed and is not sealed."""
    models = import_module(f"{SERVICES[procedure.service].__package__}.models")
    return sorted(name for name in models.tables.metadata.tables if not name.startswith("audit_"))
