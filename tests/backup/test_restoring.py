"""Restoring: one consistent moment, in place only when verified, and nothing lost on the way."""

from __future__ import annotations

import random
import shutil
import stat
import subprocess
import threading
import time
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import asyncpg
import httpx
import orjson
import pytest

from services.cases.examples import PENALTY_CASE
from services.launch.backup.archive import BackupError
from services.launch.backup.restoring import restore
from services.launch.settings import Settings
from tests.backup.conftest import EVIDENCE, Unseen, register
from tests.platform_process import ECOCASE, Platform, alive, descendants, until
from tests.postgres_fixture import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow


@dataclass
class Officer:
    """Registers and examines cases until told to stop; what was answered 2xx is kept."""

    client: httpx.Client
    name: str
    answered: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        while not self.stop.is_set():
            case = register(self.client, self.key(len(self.answered)))
            examined = self.client.post(
                f"/cases/penalties/{case}/examine",
                json={"occurred_at": "2024-03-02", "data": PENALTY_CASE["examine"]},
                headers={"idempotency-key": f"examine {case}"},
            )
            assert examined.status_code == 200, examined.text
            self.answered.append(case)

    def key(self, number: int) -> str:
        return f"{self.name} {number}"


def token(platform: Platform, **asked: str) -> httpx.Response:
    return httpx.post(f"{platform.url}/identity/token", json=asked, trust_env=False, timeout=30)


def sign_in(platform: Platform) -> str:
    """Sign in; gives the refresh token."""
    accounts = orjson.loads((platform.data / "credentials.json").read_bytes())["accounts"]
    password = accounts["officer1"]["password"]
    granted = token(platform, grant_type="password", username="officer1", password=password)
    refresh: str = granted.json()["refresh_token"]
    return refresh


def test_a_backup_under_load_restores_to_one_moment_elsewhere(
    platform: Platform, new_platform: Callable[[], Platform], tmp_path: Path
) -> None:
    archive = tmp_path / "one.zip"
    officers = [Officer(platform.signed_in("officer1"), f"officer {n}") for n in range(3)]
    at_work = [threading.Thread(target=officer.work) for officer in officers]
    for thread in at_work:
        thread.start()
    until(lambda: all(len(each.answered) >= 10 for each in officers), "work goes on")
    session = sign_in(platform)
    before = [len(officer.answered) for officer in officers]
    taken = platform.run("backup", str(archive))
    after = [len(officer.answered) + 1 for officer in officers]
    until(
        lambda: all(len(each.answered) > n + 3 for each, n in zip(officers, after, strict=True)),
        "work goes on after it",
    )
    for officer in officers:
        officer.stop.set()
    for thread in at_work:
        thread.join()
    assert taken.returncode == 0, taken.stderr

    restored = new_platform()
    done = restored.run("restore", str(archive))
    assert done.returncode == 0, done.stderr
    assert "发现 0 处" in done.stdout
    assert "0 处不符" in done.stdout
    moved = new_platform()
    shutil.move(restored.data, moved.data)
    moved.start()
    assert (moved.data / EVIDENCE).read_bytes() == b"a photograph"
    assert stat.S_IMODE((moved.data / "keys" / "000001.pem").stat().st_mode) == 0o600

    assert token(moved, grant_type="refresh_token", refresh_token=session).status_code == 401
    assert token(platform, grant_type="refresh_token", refresh_token=session).status_code == 200
    client = moved.signed_in("officer1")  # by the passwords that the backup held
    lost = 0
    for officer, n, sure in zip(officers, before, after, strict=True):
        for case in officer.answered[:n]:
            assert client.get(f"/cases/penalties/{case}").json()["version"] == 2
        assert register(client, officer.key(0)) == officer.answered[0]  # a retry, answered again
        for case in officer.answered[sure + 1 :]:
            assert client.get(f"/cases/penalties/{case}").status_code == 404
            lost += 1
        anew = register(client, officer.key(sure + 1))
        assert anew != officer.answered[sure + 1]
        assert client.get(f"/cases/penalties/{anew}").json()["version"] == 1
    assert lost > 0
    for command in ("reconcile", "verify"):
        done = moved.run(command)
        assert done.returncode == 0, done.stdout + done.stderr


def test_what_was_there_is_replaced_only_where_told_and_then_set_aside(
    archive: Path, new_platform: Callable[[], Platform], tmp_path: Path
) -> None:
    platform = new_platform()
    platform.start()
    case = register(platform.signed_in("officer1"), "of the old data")
    refused(platform, archive, "正由另一个平台进程", "--replace")
    platform.interrupt()
    refused(platform, archive, "已有数据")
    assert not list(platform.data.glob("re*"))

    done = platform.run("restore", str(archive), "--replace")
    assert done.returncode == 0, done.stderr
    [aside] = platform.data.glob("replaced-*")
    assert str(aside) in done.stdout
    platform.start()
    client = platform.signed_in("officer1")
    assert client.get(f"/cases/penalties/{case}").status_code == 404
    again = tmp_path / "again.zip"
    assert platform.run("backup", str(again)).returncode == 0
    with zipfile.ZipFile(again) as read:
        assert not [name for name in read.namelist() if "replaced" in name]
    assert (aside / "postgres" / "cluster" / "PG_VERSION").exists()
    assert (aside / "credentials.json").exists()


def test_what_was_tampered_with_before_the_backup_is_restored_and_named(
    new_platform: Callable[[], Platform], tmp_path: Path
) -> None:
    platform = new_platform()
    platform.start()
    case = register(platform.signed_in("officer1"), "to be tampered with")

    async def tamper() -> None:
        sockets = platform.data / "postgres" / "run"
        connection = await asyncpg.connect(f"postgresql://postgres@/ecocase?host={sockets}")
        await connection.execute("UPDATE cases.event SET actor = 'officer2'")
        await connection.close()

    run(tamper())
    platform.interrupt()
    archive = tmp_path / "one.zip"
    assert platform.run("backup", str(archive)).returncode == 0  # it stands still, too
    restored = new_platform()
    done = restored.run("restore", str(archive))
    assert done.returncode == 1
    assert f"cases {case} 第 1 版：内容与散列不符" in done.stdout
    assert (restored.data / "credentials.json").exists()
    assert not list(restored.data.glob("resto*"))


def damaged(archive: Path, tmp_path: Path) -> Path:
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    path = tmp_path / "damaged.zip"
    path.write_bytes(content)
    return path


def cut_short(archive: Path, tmp_path: Path) -> Path:
    path = tmp_path / "short.zip"
    path.write_bytes(archive.read_bytes()[:-100])
    return path


def with_manifest(archive: Path, tmp_path: Path, old: bytes, new: bytes) -> Path:
    """A copy whose manifest says something else."""
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(archive) as read, zipfile.ZipFile(path, "w") as written:
        for name in read.namelist():
            content = read.read(name)
            if name == "manifest.json":
                assert old in content
                content = content.replace(old, new)
            written.writestr(name, content)
    return path


def smuggling(archive: Path, tmp_path: Path) -> Path:
    """A copy with a file that would land outside the data folder."""
    path = with_manifest(archive, tmp_path, b"files/keys/000001.pem", b"files/../000001.pem")
    copy = tmp_path / "smuggling.zip"
    with zipfile.ZipFile(path) as read, zipfile.ZipFile(copy, "w") as written:
        for name in read.namelist():
            written.writestr(name.replace("files/keys/", "files/../"), read.read(name))
    return copy


def lying_about_events(archive: Path, tmp_path: Path) -> Path:
    return with_manifest(archive, tmp_path, b'"seq": ', b'"seq": 9')


def of_a_newer_platform(archive: Path, tmp_path: Path) -> Path:
    return with_manifest(archive, tmp_path, b'"revision": "0', b'"revision": "9')


def of_another_format(archive: Path, tmp_path: Path) -> Path:
    return with_manifest(archive, tmp_path, b'"format": 1', b'"format": 2')


def missing(_archive: Path, tmp_path: Path) -> Path:
    return tmp_path / "nothing.zip"


@pytest.mark.parametrize(
    "make,reason",
    [
        (missing, "读不到"),
        (damaged, "已损坏"),
        (cut_short, "不是完整的备份"),
        (smuggling, "已损坏"),
        (lying_about_events, "与清单不符"),
        (of_a_newer_platform, "更新的版本"),
        (of_another_format, "第 2 版格式"),
    ],
)
async def test_what_is_no_whole_backup_is_refused_and_leaves_nothing(
    archive: Path, tmp_path: Path, make: Callable[[Path, Path], Path], reason: str
) -> None:
    data = tmp_path / "data"
    with pytest.raises(BackupError, match=reason):
        await restore(Settings(data=data), make(archive, tmp_path), Unseen(), replace=False)
    assert not data.exists() or list(data.iterdir()) == []


def refused(platform: Platform, archive: Path, reason: str, *options: str) -> None:
    done = platform.run("restore", str(archive), *options)
    assert done.returncode == 1
    [said] = done.stderr.splitlines()
    assert reason in said


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill it, and wait until its PostgreSQL has gone too."""
    ours = descendants(process.pid)
    process.kill()
    process.wait()
    until(lambda: not any(map(alive, ours)), "nothing of it is left")


def test_a_restore_killed_halfway_is_not_served_and_is_begun_anew(
    archive: Path, new_platform: Callable[[], Platform]
) -> None:
    platform = new_platform()
    for reached in ("keys", "postgres/cluster", "platform.log"):
        sign = platform.data / "restoring" / reached
        process = subprocess.Popen(  # noqa: S603 - our own command
            [ECOCASE, "restore", archive], env=platform.environment, stdout=subprocess.DEVNULL
        )
        until(lambda: sign.exists() or process.poll() is not None, reached)  # noqa: B023
        assert process.poll() is None
        if reached == "keys":
            refused(platform, archive, "另一次恢复正在使用")
        kill(process)
        assert [entry.name for entry in platform.data.iterdir()] == ["restoring"]
        served = platform.run("serve")
        assert served.returncode == 1
        assert "未完成的恢复" in served.stderr
    done = platform.run("restore", str(archive))
    assert done.returncode == 0, done.stderr
    assert (platform.data / EVIDENCE).exists()
    assert not list(platform.data.glob("resto*"))


@pytest.mark.soak
def test_restores_killed_at_random_leave_the_old_data_or_the_new(
    archive: Path, new_platform: Callable[[], Platform]
) -> None:
    platform = new_platform()
    platform.start()
    case = register(platform.signed_in("officer1"), "of the old data")
    platform.interrupt()
    dice = random.Random(5)  # noqa: S311 - a repeatable dice
    for _ in range(20):
        process = subprocess.Popen(  # noqa: S603 - our own command
            [ECOCASE, "restore", archive, "--replace"],
            env=platform.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(dice.uniform(0.5, 4.0))
        kill(process)
        found = [platform.data, *platform.data.glob("replaced-*")]
        assert any((folder / "credentials.json").exists() for folder in found)
    assert platform.run("restore", str(archive), "--replace").returncode == 0
    platform.start()
    client = platform.signed_in("officer1")
    assert client.get(f"/cases/penalties/{case}").status_code == 404
