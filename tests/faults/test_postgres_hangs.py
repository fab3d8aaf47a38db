"""PostgreSQL hangs, or gives no connection: a bounded wait, 503, and nothing is done twice."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Self

import asyncpg
import pytest

from tests.faults.office import DESKS, Office, assert_nothing_lost_or_doubled, metric
from tests.platform_process import hung, until

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import AsyncIterator, Iterator

    from tests.platform_process import Platform

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("times", [1, pytest.param(3, marks=pytest.mark.soak)])
def test_a_hung_postgres_is_given_up_on_and_a_retry_does_nothing_twice(
    platform: Platform, done: Counter[str], times: int
) -> None:
    with Office(platform, "hung", done) as office:
        for _ in range(times):
            with hung(platform):
                until(lambda: not platform.ready(), "readiness is denied")
                for service in platform.signed_out("/")["services"]:
                    assert "没有回应" in service["reason"]
                office.is_refused(2)
            until(platform.ready, "the platform is ready again")
            office.goes_on()
    assert_nothing_lost_or_doubled(platform, office)


def test_commands_behind_a_lock_are_refused_and_go_on_when_it_is_gone(
    platform: Platform, done: Counter[str]
) -> None:
    """The pool is exhausted: each of its connections waits for the lock."""
    with Office(platform, "locked", done, desks=10) as office:
        with locked(platform, "cases.penalty_case"):
            until(
                lambda: metric(platform, "ecocase_database_waiting", service="cases") > 0,
                "requests wait for a connection",
            )
            office.is_refused()
            assert metric(platform, "ecocase_database_connections_used", service="cases") == metric(
                platform, "ecocase_database_connections", service="cases"
            )
        office.goes_on()
    assert metric(platform, "ecocase_database_refusals_total", service="cases") > 0
    assert_nothing_lost_or_doubled(platform, office)


def test_when_others_hold_every_connection_requests_are_refused_and_then_go_on(
    platform: Platform, done: Counter[str]
) -> None:
    with Office(platform, "crowded", done) as office:
        with Crowd(platform) as crowd:
            office.goes_on(3)  # on the connections that there are

            def is_refused() -> bool:
                crowd.push_out("cases")
                return office.statuses[503] > DESKS

            until(is_refused, "nothing is left for the platform")
        until(platform.ready, "the platform is ready again")
        office.goes_on()
    assert_nothing_lost_or_doubled(platform, office)


def administrator(platform: Platform) -> str:
    """URL of a superuser's connection."""
    return f"postgresql://postgres@/ecocase?host={platform.data / 'postgres' / 'run'}"


@contextmanager
def locked(platform: Platform, table: str, mode: str = "ACCESS EXCLUSIVE") -> Iterator[None]:
    """Hold a table so that nobody else can use it; `EXCLUSIVE`, so that they can only read it."""

    @asynccontextmanager
    async def hold() -> AsyncIterator[None]:
        connection = await asyncpg.connect(administrator(platform))
        try:
            async with connection.transaction():
                await connection.execute(f"LOCK TABLE {table} IN {mode} MODE")
                yield
        finally:
            await connection.close()

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        holding = hold()
        runner.run(holding.__aenter__())
        try:
            yield
        finally:
            runner.run(holding.__aexit__(None, None, None))


class Crowd:
    """A client run wild: it takes every connection that the server has left."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._taken: list[asyncpg.Connection[asyncpg.Record]] = []

    def __enter__(self) -> Self:
        """Take them."""
        self._runner.run(self._take())
        return self

    def __exit__(self, *_: object) -> None:
        """Give them back."""
        self._runner.run(self._let_go())
        self._runner.close()

    def push_out(self, service: str) -> None:
        """End a service's sessions and take their places."""
        self._runner.run(self._push_out(service))

    async def _take(self) -> None:
        url = administrator(self._platform).replace("postgres@", "permits@")
        while True:
            try:
                self._taken.append(await asyncpg.connect(url))
            except asyncpg.TooManyConnectionsError:
                return

    async def _push_out(self, service: str) -> None:
        connection = await asyncpg.connect(administrator(self._platform))
        try:
            await connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1",
                service,
            )
        finally:
            await connection.close()
        await self._take()

    async def _let_go(self) -> None:
        for connection in self._taken:
            await connection.close()
