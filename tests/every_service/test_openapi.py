"""Every application keeps to its own OpenAPI description, whatever it is sent: schemathesis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from schemathesis.checks import CheckContext, not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import shared.clock
import shared.issuer
from services.launch.catalogue import PROCEDURES
from services.reporting import app as reporting
from shared.audit.log import AuditLog
from shared.clock.app import calendar_app
from shared.clock.calendars import Calendars
from shared.identity.roles import ADMINISTRATORS, Role
from shared.issuer.app import create_app as issuer_app
from shared.issuer.issuer import Issuer
from shared.issuer.passwords import Passwords
from shared.issuer.sealing import Seal
from shared.issuer.signing import SigningKeys
from shared.relay.direct import DirectHistory
from shared.workflow.service import Standing
from tests.every_service.stage import SERVICES
from tests.identity import issuer_double
from tests.service_double import DemoOfficers, OfficialCalendar, authorization

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from fastapi import FastAPI
    from schemathesis import Case
    from schemathesis.schemas import APIOperation

    from shared.postgres.database import Database
    from tests.postgres_fixture import FreshDatabases


def _spaced(body: Any) -> bool:
    """Whether a text in it begins or ends with space, which the platform takes off first."""
    if isinstance(body, dict):
        return any(_spaced(inner) for inner in body.values())
    if isinstance(body, list):
        return any(_spaced(inner) for inner in body)
    return isinstance(body, str) and body.strip() != body


def what_breaks_the_description_is_refused(
    ctx: CheckContext, response: Response, case: schemathesis.Case[Any]
) -> bool | None:
    """See `negative_data_rejection`; a text that is too long only by its outer space is taken."""
    return None if _spaced(case.body) else negative_data_rejection(ctx, response, case)


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    what_breaks_the_description_is_refused,
]
LONGEST_URL = 60_000
"""The client refuses to send a longer one."""

Running = Callable[["Database", Path], AbstractAsyncContextManager["FastAPI"]]


def _procedural(name: str) -> Running:
    @asynccontextmanager
    async def running(database: Database, _: Path) -> AsyncIterator[FastAPI]:
        verifier = issuer_double.verifier(now=time.time())
        async with AuditLog(database) as audit:
            yield SERVICES[name].create(
                Standing(database, OfficialCalendar(), DemoOfficers(), verifier, audit, "test")
            )

    return running


@asynccontextmanager
async def _reporting(database: Database, _: Path) -> AsyncIterator[FastAPI]:
    verifier = issuer_double.verifier(now=time.time())
    async with AuditLog(database) as audit:
        running = reporting.create(
            database, verifier, DirectHistory([]), lag=lambda: 0.0, version="t", audit=audit
        )
        await running.open()
        try:
            yield running.app
        finally:
            await running.close()


@asynccontextmanager
async def _clock(database: Database, _: Path) -> AsyncIterator[FastAPI]:
    verifier = issuer_double.verifier(now=time.time())
    async with AuditLog(database) as audit:
        yield calendar_app(Calendars(database), verifier, audit=audit, version="test")


@asynccontextmanager
async def _identity(database: Database, folder: Path) -> AsyncIterator[FastAPI]:
    issuer = Issuer(
        "http://issuer.test", "ecocase", database.engine, SigningKeys(folder / "keys"),
        Passwords(memory_kib=8, passes=1), Seal(folder / "keys"),
    )  # fmt: skip
    async with AuditLog(database) as audit:
        verifier = issuer_double.verifier(now=time.time())
        yield issuer_app(issuer, verifier, audit=audit, version="test")


BUSINESS = [role.value for role in Role if role not in ADMINISTRATORS]
"""No person holds all of these; here they are to open every door."""
ADMINISTRATOR = [Role.SYSTEM_ADMIN.value]
SECURITY = [Role.SECURITY_ADMIN.value]

APPLICATIONS: dict[str, tuple[Path, list[str], Running]] = {
    **{name: (module.MIGRATIONS, BUSINESS, _procedural(name)) for name, module in SERVICES.items()},
    "reporting": (reporting.MIGRATIONS, ADMINISTRATOR, _reporting),
    "clock": (Path(shared.clock.__file__).parent / "migrations", ADMINISTRATOR, _clock),
    "identity": (Path(shared.issuer.__file__).parent / "migrations", SECURITY, _identity),
}
"""Each application's migrations, the roles that it is asked with, and how it is run."""
ENDLESS = {"GET /stream"}
"""Answers that never end; they have tests of their own."""


class Published:
    """A running application with its own description."""

    def __init__(self, name: str, roles: list[str], runner: asyncio.Runner, app: FastAPI) -> None:
        self.name = name
        self._runner = runner
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://service",
        )
        self._signed_in = {"authorization": authorization("leader1", roles=roles)}
        self._keys = count(1)
        document = app.openapi()
        # Schemathesis would make up tokens; whoever it plays is signed in.
        document["components"].pop("securitySchemes", None)
        for path in document["paths"].values():
            for operation in path.values():
                operation.pop("security", None)
        self.description = schemathesis.openapi.from_dict(document)
        self.aggregates = {
            f"/{procedure.path}/": self._opened(
                procedure.path, procedure.examples[procedure.opening.command]
            )
            for procedure in PROCEDURES.get(name, ())
        }

    def _opened(self, path: str, data: Any) -> str:
        headers = self._signed_in | self._fresh_key()
        answer = self._runner.run(self._http.post(f"/{path}", json={"data": data}, headers=headers))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def _fresh_key(self) -> dict[str, str]:
        return {"idempotency-key": f"openapi-{next(self._keys)}"}

    def operations(self) -> Iterator[APIOperation[Any, Any, Any, Any]]:
        """Every operation that the description names."""
        for result in self.description.get_all_operations():
            assert isinstance(result, Ok)
            operation = result.ok()
            if operation.label not in ENDLESS:
                yield operation

    def known_id(self, operation: APIOperation[Any, Any, Any, Any]) -> dict[str, str] | None:
        """The path parameters that name an aggregate which is there."""
        found = [one for path, one in self.aggregates.items() if operation.path.startswith(path)]
        return {"id": found[0]} if found else None

    def send(self, case: Case[Any], mode: GenerationMode) -> httpx.Response:
        """Send a case, signed in; a well formed one under a key of its own."""
        kwargs = case.as_transport_kwargs(base_url="http://service")
        kwargs["headers"] = {**kwargs["headers"], **self._signed_in}
        prepared = requests.Request(**kwargs).prepare()
        assume(len(prepared.url or "") < LONGEST_URL)
        headers = httpx.Headers(
            [(name.encode(), _as_bytes(value)) for name, value in prepared.headers.items()]
        )
        if mode is GenerationMode.POSITIVE and "idempotency-key" in headers:
            headers.update(self._fresh_key())
        request = httpx.Request(
            str(prepared.method),
            str(prepared.url),
            headers=headers,
            content=_as_bytes(prepared.body),
        )
        return self._runner.run(self._http.send(request))

    def close(self) -> None:
        """Close the client."""
        self._runner.run(self._http.aclose())


def _as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else (value or "").encode()


@pytest.fixture(scope="module", params=APPLICATIONS)
def published(
    request: pytest.FixtureRequest,
    fresh_databases: FreshDatabases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Published]:
    """Each application in its turn."""
    name: str = request.param
    migrations, roles, run = APPLICATIONS[name]
    folder = tmp_path_factory.mktemp(name)

    @asynccontextmanager
    async def running() -> AsyncIterator[FastAPI]:
        fresh = await fresh_databases.create({name: migrations})
        database = fresh.database(name)
        await database.open()
        try:
            async with run(database, folder) as app:
                yield app
        finally:
            await database.close()
            await fresh_databases.drop(fresh)

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        application = running()
        asked = Published(name, roles, runner, runner.run(application.__aenter__()))
        try:
            yield asked
        finally:
            asked.close()
            runner.run(application.__aexit__(None, None, None))


def keeps_to_its_description(
    published: Published,
    operation: APIOperation[Any, Any, Any, Any],
    mode: GenerationMode,
    examples: int,
) -> None:
    """Try an operation with well formed or with malformed requests."""
    known = published.known_id(operation) if mode is GenerationMode.POSITIVE else None

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=known))
    def check(case: Case[Any]) -> None:
        case.validate_response(published.send(case, mode), checks=CHECKS)

    check()


def test_an_example_of_every_operation_keeps_to_the_description(
    published: Published, subtests: pytest.Subtests
) -> None:
    for operation in published.operations():
        with subtests.test(operation.label):
            keeps_to_its_description(published, operation, GenerationMode.POSITIVE, examples=1)


@pytest.mark.slow
def test_every_operation_keeps_to_the_description_whatever_it_is_sent(
    published: Published, subtests: pytest.Subtests
) -> None:
    for operation in published.operations():
        inputs = (operation.path_parameters, operation.headers, operation.query, operation.body)
        for mode in GenerationMode:
            if mode is GenerationMode.POSITIVE or any(inputs):
                with subtests.test(f"{operation.label}, {mode.value}"):
                    keeps_to_its_description(published, operation, mode, examples=8)
