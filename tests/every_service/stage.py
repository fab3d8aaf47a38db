"""A running service driven from tests that are not themselves asynchronous.

Hypothesis and schemathesis call plain functions. A stage keeps an event loop of its own, on which
the service, its database and its client live, and runs each call on it to the end.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Self, TypeVar

import asyncpg

from services.cases import app as cases
from services.complaints import app as complaints
from services.permits import app as permits
from shared.issuer.demo import demo_accounts
from tests.service_double import running

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from types import ModuleType
    from uuid import UUID

    import httpx

    from services.launch.caseload.line import Line
    from shared.identity.roles import Role
    from shared.workflow.table import Procedure, Row
    from tests.postgres_fixture import FreshDatabase, FreshDatabases
    from tests.service_double import Service

T = TypeVar("T")

SERVICES: dict[str, ModuleType] = {module.NAME: module for module in (cases, permits, complaints)}
"""The services that run procedures, by name."""


def who_may(row: Row) -> list[str]:
    """The demonstration accounts that a row's roles name, the importer left out."""
    return [
        one.account
        for one in demo_accounts()
        if one.roles & row.roles and one.account != "importer1"
    ]


def account_of(role: Role) -> str:
    """The first demonstration account that holds a role."""
    return next(one.account for one in demo_accounts() if role in one.roles)


def path_of(procedure: Procedure, row: Row, aggregate_id: UUID | str | None) -> str:
    """Where a row is posted to, within its service."""
    base = f"/{procedure.path}"
    return base if row.opens else f"{base}/{aggregate_id}/{row.command}"


class Stage:
    """One running service on a database of its own; a context manager."""

    service: Service
    fresh: FreshDatabase

    def __init__(self, name: str, databases: FreshDatabases) -> None:
        self._module = SERVICES[name]
        self._databases = databases
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._stack = AsyncExitStack()

    def __enter__(self) -> Self:
        """Start the service."""
        self._runner.__enter__()
        self.service = self.call(
            self._stack.enter_async_context(running(self._module, self._create))
        )
        # The double's clock stands still, and takes no token signed much later than it was made.
        for one in demo_accounts():
            self.service.headers(one.account)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it and drop its database."""
        self.call(self._stack.aclose())
        self.call(self._databases.drop(self.fresh))
        self._runner.close()

    async def _create(self, migrations: Mapping[str, Any]) -> FreshDatabase:
        self.fresh = await self._databases.create(migrations)
        return self.fresh

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something to its end on the service's loop."""
        return self._runner.run(work)

    def post(
        self,
        path: str,
        account: str,
        data: Mapping[str, Any],
        at: str | None = None,
        *,
        key: str | None = None,
        **headers: str,
    ) -> httpx.Response:
        """Send a command."""
        return self.call(self.service.post(path, account, data, at, key=key, **headers))

    def get(self, path: str, account: str = "supervisor1", **params: Any) -> httpx.Response:
        """Read something."""
        return self.call(self.service.get(path, account, **params))

    def fetch(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Ask the service's database, as its own role."""

        async def ask() -> list[asyncpg.Record]:
            async with self.service.database.connection() as connection:
                found: list[asyncpg.Record] = await connection.fetch(sql, *values)
                return found

        return self.call(ask())

    def execute_as_superuser(self, *statements: str) -> None:
        """Change the service's tables behind its back, in one transaction."""

        async def execute() -> None:
            connection = await asyncpg.connect(self.fresh.url("postgres"))
            try:
                async with connection.transaction():
                    await connection.execute(f"SET LOCAL search_path = {self._module.NAME}")
                    for statement in statements:
                        await connection.execute(statement)
            finally:
                await connection.close()

        self.call(execute())

    def play(self, procedure: Procedure, course: tuple[Line, ...]) -> str:
        """Take a lawful course through the API; returns the aggregate's id."""
        aggregate_id: str | None = None
        for line in course:
            row = procedure.row(line.command)
            assert row is not None
            path = path_of(procedure, row, aggregate_id)
            answer = self.post(path, line.actor, line.data, line.at.isoformat())
            assert answer.is_success, (line.command, answer.text)
            aggregate_id = answer.json()["id"]
        assert aggregate_id is not None
        return aggregate_id
