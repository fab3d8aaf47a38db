"""Starting, ending and being killed, as the operator meets it."""

from __future__ import annotations

import stat
import threading
from typing import TYPE_CHECKING

import httpx
import orjson
import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from services.cases.examples import PENALTY_CASE
from services.launch.cli.main import app
from tests.platform_process import Platform, alive, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow


def test_every_page_answers(platform: Platform) -> None:
    for path in ("/", "/docs", "/livez", "/readyz", "/metrics"):
        answer = httpx.get(f"{platform.url}{path}", trust_env=False)
        assert answer.is_success, path
    running = httpx.get(f"{platform.url}/", trust_env=False).json()["services"]
    assert {service["name"] for service in running} == {
        "cases",
        "permits",
        "complaints",
        "reporting",
        "clock",
        "identity",
    }
    titles = {service["title"] for service in running}
    pages = [
        httpx.get(f"{platform.url}/docs?service={number}", trust_env=False).text
        for number in range(len(running))
    ]
    assert all(title in page for title in titles for page in pages)
    for service in running:
        assert any(f'data-spec="{service["url"]}/openapi.json"' in page for page in pages)
        described = httpx.get(f"{platform.url}{service['url']}/openapi.json", trust_env=False)
        assert described.json()["info"]["title"] == service["title"]


def test_it_says_where_it_is_and_ctrl_c_ends_everything_open_streams_included(
    new_platform: Callable[[], Platform],
) -> None:
    platform = new_platform()
    platform.start()
    ours = platform.processes()
    assert platform.postgres_pid() in ours
    first = threading.Event()

    def listen() -> None:
        client = platform.signed_in("supervisor1")
        try:
            with client.stream("GET", "/reporting/stream", timeout=30) as answer:
                for line in answer.iter_lines():
                    if line.startswith("data:"):
                        first.set()
        except httpx.TransportError:
            pass

    listener = threading.Thread(target=listen)
    listener.start()
    assert first.wait(20)
    assert platform.interrupt() < 5
    listener.join(20)
    assert not any(map(alive, ours))
    assert platform.url in platform.said
    credentials = platform.data / "credentials.json"
    assert str(credentials) in platform.said
    assert stat.S_IMODE(credentials.stat().st_mode) == 0o600
    assert stat.S_IMODE(platform.data.stat().st_mode) == 0o700


def test_after_a_kill_nothing_is_left_running_and_nothing_answered_is_lost(
    platform: Platform,
) -> None:
    ours = platform.processes()
    assert platform.postgres_pid() in ours
    client = platform.signed_in("officer1")
    answered: list[str] = []

    def register_until_it_is_away() -> None:
        while True:
            try:
                opened = client.post(
                    "/cases/penalties",
                    json={"occurred_at": "2024-03-01", "data": PENALTY_CASE["register"]},
                    headers={"idempotency-key": f"before the kill {len(answered)}"},
                )
            except httpx.TransportError:
                return
            assert opened.status_code == 201
            answered.append(opened.json()["id"])

    officer = threading.Thread(target=register_until_it_is_away)
    officer.start()
    until(lambda: len(answered) >= 30, "30 cases are registered")
    platform.kill()
    until(lambda: not any(map(alive, ours)), "nothing of it is left", seconds=10)
    officer.join()
    platform.start()
    reader = platform.signed_in("officer1")
    for case in answered:
        assert reader.get(f"/cases/penalties/{case}").json()["version"] == 1
    assert platform.run("reconcile").returncode == 0


def test_a_second_platform_on_the_folder_or_the_port_says_why_not(
    platform: Platform, new_platform: Callable[[], Platform]
) -> None:
    same_folder = Platform(platform.data)
    refused = same_folder.run("serve")
    assert refused.returncode == 1
    assert "正由另一个平台进程" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    same_port = new_platform()
    same_port.port = platform.port
    refused = same_port.run("serve")
    assert refused.returncode == 1
    assert "ECOCASE_PORT" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_two_platforms_do_not_meet(
    platform: Platform, new_platform: Callable[[], Platform]
) -> None:
    other = new_platform()
    other.start()
    registered = platform.signed_in("officer1").post(
        "/cases/penalties",
        json={"occurred_at": "2024-03-01", "data": PENALTY_CASE["register"]},
        headers={"idempotency-key": "ours alone"},
    )
    assert registered.status_code == 201
    other_reader = other.signed_in("supervisor1")
    assert other_reader.get("/cases/penalties").json()["items"] == []
    assert other_reader.get("/reporting/facts", params={"topic": "cases"}).json() == []
    token = platform.signed_in("supervisor1").headers["authorization"]
    stranger = httpx.get(
        f"{other.url}/cases/penalties", headers={"authorization": token}, trust_env=False
    )
    assert stranger.status_code == 401
    ours = orjson.loads((platform.data / "credentials.json").read_bytes())
    theirs = orjson.loads((other.data / "credentials.json").read_bytes())
    assert ours["accounts"]["officer1"]["password"] != theirs["accounts"]["officer1"]["password"]


def test_an_unmigrated_database_elsewhere_is_refused(
    platform: Platform, new_platform: Callable[[], Platform]
) -> None:
    import asyncpg  # noqa: PLC0415

    from tests.postgres_fixture import run  # noqa: PLC0415

    sockets = platform.data / "postgres" / "run"

    async def make() -> None:
        connection = await asyncpg.connect(f"postgresql://postgres@/postgres?host={sockets}")
        await connection.execute("CREATE DATABASE elsewhere")
        await connection.close()

    run(make())
    elsewhere = new_platform()
    import os  # noqa: PLC0415

    os.environ["ECOCASE_DATABASE_URL"] = f"postgresql://postgres@/elsewhere?host={sockets}"
    try:
        refused = elsewhere.run("serve")
        assert refused.returncode == 1
        assert "ecocase migrate" in refused.stderr
        assert elsewhere.run("migrate").returncode == 0
        elsewhere.start()
        elsewhere.interrupt()
    finally:
        del os.environ["ECOCASE_DATABASE_URL"]


def subcommands(command: TyperGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in command.commands.items():
        if isinstance(inner, TyperGroup):
            yield from subcommands(inner, (*path, name))
        else:
            yield (*path, name)


def test_every_subcommand_has_help(new_platform: Callable[[], Platform]) -> None:
    whole = get_command(app)
    assert isinstance(whole, TyperGroup)
    assert new_platform().run("--help").returncode == 0
    for path in subcommands(whole):
        shown = CliRunner().invoke(app, [*path, "--help"])
        assert shown.exit_code == 0, path
        assert any("\u4e00" <= character <= "\u9fff" for character in shown.output), path


def test_demo_passwords_are_reset_only_when_it_stands_still(platform: Platform) -> None:
    refused = platform.run("demo", "reset-passwords")
    assert refused.returncode == 1
    [said] = refused.stderr.strip().splitlines()
    assert "正由另一个平台进程" in said
    credentials = platform.data / "credentials.json"
    before = orjson.loads(credentials.read_bytes())["accounts"]["officer1"]["password"]
    platform.interrupt()
    assert platform.run("demo", "reset-passwords").returncode == 0
    assert stat.S_IMODE(credentials.stat().st_mode) == 0o600
    platform.start()
    platform.signed_in("officer1")
    old = {"grant_type": "password", "username": "officer1", "password": before}
    answer = httpx.post(f"{platform.url}/identity/token", json=old, trust_env=False)
    assert answer.status_code in {400, 401}


def test_the_documents_are_those_of_the_tables(new_platform: Callable[[], Platform]) -> None:
    checked = new_platform().run("docs", "--check")
    assert (checked.returncode, checked.stderr) == (0, "")
