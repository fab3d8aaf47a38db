"""The embedded PostgreSQL lives and dies with the platform and keeps what was committed."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from shared.postgres.cluster import SOCKET_PATH_BYTES
from shared.postgres.embedded import DataFolderInUse, EmbeddedPostgres, PostgresFailed
from tests.postgres_fixture import FAST
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PLATFORM = Path(__file__).with_name("platform_process.py")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs pidfd and PR_SET_PDEATHSIG")


@pytest.fixture
async def own_postgres(tmp_path: Path) -> AsyncIterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "postgres", FAST)
    yield server
    await server.stop()


async def answer(server: EmbeddedPostgres, question: str) -> object:
    connection = await asyncpg.connect(server.dsn("postgres", "postgres"))
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def platform_on(folder: Path) -> tuple[subprocess.Popen[str], int]:
    owner = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, PLATFORM, folder], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    return owner, int(owner.stdout.readline())


def kill(owner: subprocess.Popen[str]) -> None:
    owner.kill()
    owner.communicate()


def ends(pid: int, seconds: float) -> bool:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], seconds)[0])
    finally:
        os.close(process)


async def test_what_was_committed_is_there_after_a_restart(own_postgres: EmbeddedPostgres) -> None:
    await own_postgres.start()
    identifier = own_postgres.system_identifier
    await answer(own_postgres, "CREATE TABLE kept AS SELECT 1 AS id")
    await own_postgres.stop()

    await own_postgres.start()
    assert await answer(own_postgres, "SELECT id FROM kept") == 1
    assert own_postgres.system_identifier == identifier


async def test_a_stopped_server_is_gone_and_its_folder_free(own_postgres: EmbeddedPostgres) -> None:
    await own_postgres.start()
    pid = own_postgres.pid
    await own_postgres.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    await own_postgres.start()


@linux
async def test_a_killed_platform_leaves_no_server_and_loses_nothing(tmp_path: Path) -> None:
    owner, server_pid = platform_on(tmp_path / "postgres")
    kill(owner)
    assert ends(server_pid, seconds=10)

    successor = EmbeddedPostgres(tmp_path / "postgres")
    await successor.start()
    try:
        assert await answer(successor, "SELECT id FROM kept") == 1
    finally:
        await successor.stop()


@linux
async def test_a_successor_need_not_wait_for_the_killed_platforms_server(tmp_path: Path) -> None:
    owner, server_pid = platform_on(tmp_path / "postgres")
    kill(owner)

    successor = EmbeddedPostgres(tmp_path / "postgres")
    await successor.start()
    try:
        assert ends(server_pid, seconds=0)
        assert await answer(successor, "SELECT id FROM kept") == 1
    finally:
        await successor.stop()


@linux
async def test_a_server_killed_outright_recovers(tmp_path: Path) -> None:
    owner, server_pid = platform_on(tmp_path / "postgres")
    os.kill(server_pid, signal.SIGKILL)
    kill(owner)

    successor = EmbeddedPostgres(tmp_path / "postgres")
    await successor.start()
    try:
        assert await answer(successor, "SELECT id FROM kept") == 1
    finally:
        await successor.stop()


async def test_a_leftover_server_is_stopped_by_the_next_start(
    own_postgres: EmbeddedPostgres,
) -> None:
    await own_postgres.start()
    leftover = own_postgres.pid
    assert own_postgres._lock is not None
    own_postgres._lock.close()

    successor = EmbeddedPostgres(own_postgres._folder, FAST)
    await successor.start()
    try:
        assert successor.pid != leftover
        assert await answer(successor, "SELECT 1") == 1
        assert own_postgres._process is not None
        assert own_postgres._process.poll() == 0
    finally:
        await successor.stop()


async def test_a_strangers_process_with_the_leftovers_number_is_left_alone(
    own_postgres: EmbeddedPostgres,
) -> None:
    await own_postgres.start()
    await own_postgres.stop()
    stranger = await asyncio.create_subprocess_exec("/bin/cat", stdin=subprocess.PIPE)
    try:
        (own_postgres._cluster / "postmaster.pid").write_text(
            f"{stranger.pid}\n{own_postgres._cluster}\n"
        )
        await own_postgres.start()
        assert await answer(own_postgres, "SELECT 1") == 1
        assert stranger.returncode is None
    finally:
        stranger.terminate()
        await stranger.wait()


async def test_a_server_that_ends_by_itself_is_started_again(
    tmp_path: Path,
) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")  # with every commit on disk
    await server.start()
    await answer(server, "CREATE TABLE kept AS SELECT 1 AS id")
    watch = asyncio.create_task(server.watch())
    try:
        for kill_with in (signal.SIGKILL, signal.SIGINT):
            ended = server.pid
            os.kill(ended, kill_with)

            async def is_back(ended: int = ended) -> bool:
                try:
                    kept = await answer(server, "SELECT id FROM kept")
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    return False
                return server.pid != ended and kept == 1

            await until(is_back, "the server is back")
    finally:
        watch.cancel()
        await server.stop()


async def test_an_empty_pid_file_as_a_full_disk_leaves_it_keeps_nothing_from_starting(
    own_postgres: EmbeddedPostgres,
) -> None:
    await own_postgres.start()
    await own_postgres.stop()
    (own_postgres._cluster / "postmaster.pid").write_text("")
    await own_postgres.start()
    assert await answer(own_postgres, "SELECT 1") == 1


async def test_two_platforms_on_one_folder_refuse(own_postgres: EmbeddedPostgres) -> None:
    await own_postgres.start()
    second = EmbeddedPostgres(own_postgres._folder, FAST)
    with pytest.raises(DataFolderInUse, match=f"进程号 {os.getpid()}"):
        await second.start()
    assert await answer(own_postgres, "SELECT 1") == 1


async def test_a_folder_too_deep_for_a_socket_works(tmp_path: Path) -> None:
    folder = tmp_path / ("深" * 20) / ("层" * 20) / "postgres"
    assert len(os.fsencode(folder)) > SOCKET_PATH_BYTES
    server = EmbeddedPostgres(folder, FAST)
    await server.start()
    try:
        assert await answer(server, "SELECT 1") == 1
        assert server._sockets is not None
        assert stat.S_IMODE(server._sockets.stat().st_mode) == 0o700
    finally:
        await server.stop()
    server._sockets.rmdir()


async def test_a_socket_folder_that_others_may_enter_is_refused(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A socket's path has 107 bytes at most, so this one must not be long itself.
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("s")))
    server = EmbeddedPostgres(tmp_path / ("深" * 40) / "postgres", FAST)
    await server.start()
    await server.stop()
    assert server._sockets is not None
    server._sockets.chmod(0o755)
    with pytest.raises(PermissionError, match="不归本账户专有"):
        await server.start()


async def test_a_setting_the_server_refuses_is_reported_with_the_log(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres", {**FAST, "max_connections": "none"})
    with pytest.raises(PostgresFailed, match="max_connections"):
        await server.start()


async def test_only_the_owner_can_reach_files_and_socket(postgres: EmbeddedPostgres) -> None:
    assert stat.S_IMODE(postgres._folder.stat().st_mode) == 0o700
    assert await answer(postgres, "SHOW listen_addresses") == ""
    assert await answer(postgres, "SHOW unix_socket_permissions") == "0700"
    assert await answer(postgres, "SELECT array_agg(auth_method) FROM pg_hba_file_rules") == [
        "peer"
    ]


async def test_the_log_holds_no_value_of_a_refused_row(own_postgres: EmbeddedPostgres) -> None:
    await own_postgres.start()
    await answer(own_postgres, "CREATE TABLE person (name text PRIMARY KEY)")
    await answer(own_postgres, "INSERT INTO person VALUES ('张三丰')")
    with pytest.raises(asyncpg.UniqueViolationError, match="person_pkey"):
        await answer(own_postgres, "INSERT INTO person VALUES ('张三丰')")
    log = own_postgres._log.read_text()
    assert "person_pkey" in log
    assert "张三丰" not in log
