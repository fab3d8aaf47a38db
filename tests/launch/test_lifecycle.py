"""Starting, ending and being killed, as the operator meets it."""

from __future__ import annotations

import stat
import threading
from typing import TYPE_CHECKING

import httpx
import orjson
import pytest

from services.cases.examples import PENALTY_CASE
from tests.platform_process import Platform, alive, until

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow


def test_it_says_where_it_is_and_where_the_passwords_lie(
    new_platform: Callable[[], Platform],
) -> None:
    platform = new_platform()
    platform.start()
    assert platform.process is not None
    platform.process.send_signal(2)
    said = platform.process.communicate(timeout=30)[0].decode()
    assert platform.url in said
    assert str(platform.data / "credentials.json") in said
    assert stat.S_IMODE((platform.data / "credentials.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(platform.data.stat().st_mode) == 0o700


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
    for service in running:
        described = httpx.get(f"{platform.url}{service['url']}/openapi.json", trust_env=False)
        assert described.json()["info"]["title"] == service["title"]


def test_ctrl_c_ends_everything_within_five_seconds_open_streams_included(
    new_platform: Callable[[], Platform],
) -> None:
    platform = new_platform()
    platform.start()
    server = platform.postgres_pid()
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
    assert not alive(server)


def test_after_a_kill_no_postgres_is_left_and_nothing_answered_is_lost(
    new_platform: Callable[[], Platform],
) -> None:
    platform = new_platform()
    platform.start()
    server = platform.postgres_pid()
    client = platform.signed_in("officer1")
    opened = client.post(
        "/cases/penalties",
        json={"occurred_at": "2024-03-01", "data": PENALTY_CASE["register"]},
        headers={"idempotency-key": "before the kill"},
    )
    assert opened.status_code == 201
    platform.kill()
    until(lambda: not alive(server), "its postgres has ended")
    platform.start()
    again = platform.signed_in("officer1").get(f"/cases/penalties/{opened.json()['id']}")
    assert again.json()["version"] == 1


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


def test_two_platforms_do_not_meet(
    platform: Platform, new_platform: Callable[[], Platform]
) -> None:
    other = new_platform()
    other.start()
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


@pytest.mark.parametrize(
    "command",
    ["", "serve", "migrate", "load", "caseload", "figures", "rebuild", "reconcile", "verify",
     "parked", "parked list", "parked replay", "calendar", "calendar load", "docs", "demo"],
)  # fmt: skip
def test_every_subcommand_has_help(command: str, new_platform: Callable[[], Platform]) -> None:
    shown = new_platform().run(*command.split(), "--help")
    assert shown.returncode == 0
    assert "Usage" in shown.stdout or "用法" in shown.stdout


def test_demo_passwords_are_reset_only_when_it_stands_still(
    platform: Platform, new_platform: Callable[[], Platform]
) -> None:
    running = platform.run("demo", "reset-passwords")
    assert running.returncode == 1
    assert "正由另一个平台进程" in running.stderr
    still = new_platform()
    still.start()
    before = (still.data / "credentials.json").read_bytes()
    still.interrupt()
    assert still.run("demo", "reset-passwords").returncode == 0
    assert (still.data / "credentials.json").read_bytes() != before
    still.start()
    still.signed_in("officer1")


def test_a_notice_makes_provisional_days_final(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> None:
    reader = platform.signed_in("officer1")
    asked: dict[str, str | int] = {"start": "2026-12-28", "days": 5}
    provisional = reader.get("/clock/working-days", params=asked).json()
    assert provisional == {"due": "2027-01-04", "provisional": True}
    folder = tmp_path_factory.mktemp("notice")
    notice = {
        "year": 2027,
        "source": "合成通知",
        "holidays": ["2027-01-01", "2027-01-04"],
        "workdays": ["2027-01-02"],
    }
    (folder / "2027.json").write_bytes(orjson.dumps(notice))
    (folder / "bad.json").write_bytes(orjson.dumps({**notice, "holidays": ["2026-01-01"]}))
    refused = platform.run("calendar", "load", str(folder / "bad.json"))
    assert refused.returncode == 1
    assert "holidays" in refused.stderr
    assert platform.run("calendar", "load", str(folder / "2027.json")).returncode == 0
    final = reader.get("/clock/working-days", params=asked).json()
    assert final == {"due": "2027-01-05", "provisional": False}
