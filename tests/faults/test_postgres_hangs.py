"""PostgreSQL hangs, or gives no connection: a bounded wait, 503, and nothing is done twice."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import asyncpg
import pytest

from tests.faults.office import Office, assert_nothing_lost_or_doubled, metric
from tests.platform_process import hung, until
from tests.postgres_fixture import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from tests.platform_process import Platform

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("times", [1, pytest.param(3, marks=pytest.mark.soak)])
def test_a_hung_postgres_is_given_up_on_and_a_retry_does_nothing_twice(
    new_platform: Callable[[], Platform], times: int
) -> None:
    platform = new_platform()
    platform.start()
    with Office(platform, "hung") as office:
        for _ in range(times):
            with hung(platform):
                until(lambda: not platform.ready(), "readiness is denied")
                office.is_refused(2)
            until(platform.ready, "the platform is ready again")
            office.goes_on()
    assert_nothing_lost_or_doubled(platform, office)


def test_commands_behind_a_lock_are_refused_and_go_on_when_it_is_gone(
    new_platform: Callable[[], Platform],
) -> None:
    """The pool is exhausted: each of its connections waits for the lock."""
    platform = new_platform()
    platform.start()
    with Office(platform, "locked", desks=10) as office:
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
    new_platform: Callable[[], Platform],
) -> None:
    platform = new_platform()
    platform.start()
    with Office(platform, "crowded") as office:
        with crowd(platform):
            office.goes_on(3)  # on the connections that there are
            run(end_sessions_of(platform, "cases"))
            office.is_refused()
            assert not platform.ready()
        until(platform.ready, "the platform is ready again")
        office.goes_on()
    assert_nothing_lost_or_doubled(platform, office)


def administrator(platform: Platform) -> str:
    """URL of a superuser's connection."""
    return f"postgresql://postgres@/ecocase?host={platform.data / 'postgres' / 'run'}"


@contextmanager
def locked(platform: Platform, table: str) -> Iterator[None]:
    """Hold a table so that nobody else can use it."""

    @asynccontextmanager
    async def hold() -> AsyncIterator[None]:
        connection = await asyncpg.connect(administrator(platform))
        try:
            async with connection.transaction():
                await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
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


@contextmanager
def crowd(platform: Platform) -> Iterator[None]:
    """Take every connection that the server has left, as a client run wild does."""

    async def take() -> list[asyncpg.Connection[asyncpg.Record]]:
        taken = []
        url = administrator(platform).replace("postgres@", "permits@")
        while True:
            try:
                taken.append(await asyncpg.connect(url))
            except asyncpg.TooManyConnectionsError:
                return taken

    async def let_go(taken: list[asyncpg.Connection[asyncpg.Record]]) -> None:
        for connection in taken:
            await connection.close()

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        taken = runner.run(take())
        try:
            yield
        finally:
            runner.run(let_go(taken))


async def end_sessions_of(platform: Platform, service: str) -> None:
    """End a service's sessions; somebody else takes their places at once."""
    connection = await asyncpg.connect(administrator(platform))
    try:
        await connection.execute("ALTER ROLE cases CONNECTION LIMIT 0")
        await connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1",
            service,
        )
    finally:
        await connection.close()
