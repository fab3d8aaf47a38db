"""Taking a backup: what it holds, when it is refused, and that it is whole or not there."""

from __future__ import annotations

import asyncio
import hashlib
import stat
import subprocess
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import asyncpg
import orjson
import pytest

from services.launch.backup.archive import BackupError
from services.launch.backup.taking import take_backup
from services.launch.settings import Settings
from services.launch.storage import MIGRATIONS
from tests.backup.conftest import EVIDENCE, Unseen
from tests.platform_process import ECOCASE, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.platform_process import Platform

pytestmark = pytest.mark.slow


def test_a_backup_holds_everything_but_what_is_rebuilt_and_logs(archive: Path) -> None:
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    with zipfile.ZipFile(archive) as read:
        manifest = orjson.loads(read.read("manifest.json"))
        held = {name: read.read(name) for name in read.namelist() if name != "manifest.json"}
    assert held.keys() == {
        "database.dump",
        "files/credentials.json",
        "files/keys/000001.pem",
        "files/keys/second-factor.key",
        "files/seals/cases.jsonl",
        f"files/{EVIDENCE}",
    }
    assert manifest["members"] == {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in held.items()
    }
    assert manifest["schemas"].keys() == MIGRATIONS.keys()
    cases = manifest["schemas"]["cases"]["events"]
    assert cases["seq"] >= cases["count"] >= 3
    assert cases["epoch"] == 1
    assert manifest["postgresql"] >= 18
    assert manifest["system_identifier"] > 0


async def test_a_backup_is_refused_with_a_reason(
    platform: Platform, archive: Path, tmp_path: Path
) -> None:
    settings = Settings(data=platform.data)
    await refused(settings, archive, "已存在")
    await refused(settings, platform.data / "one.zip", "不能放在数据目录之内")
    await refused(settings, tmp_path / "nowhere" / "one.zip", "不能写")
    await refused(Settings(data=tmp_path / "none"), tmp_path / "one.zip", "没有平台的数据")
    outside = Settings(data=platform.data, database_urls={"reporting": "postgresql://elsewhere"})
    await refused(outside, tmp_path / "one.zip", "reporting 的数据库在外部 PostgreSQL 上")


async def refused(settings: Settings, target: Path, reason: str) -> None:
    with pytest.raises(BackupError, match=reason):
        await take_backup(settings, target, Unseen())


def test_the_command_says_in_one_line_why_not(platform: Platform, archive: Path) -> None:
    before = archive.read_bytes()
    done = platform.run("backup", str(archive))
    assert done.returncode == 1
    [said] = done.stderr.splitlines()
    assert "已存在" in said
    assert archive.read_bytes() == before


def test_a_disk_that_is_full_leaves_no_backup_and_says_so(
    platform: Platform, tmp_path: Path
) -> None:
    target = tmp_path / "one.zip"
    done = subprocess.run(  # noqa: S603 - our own command
        ["/bin/sh", "-c", 'ulimit -f 16; exec "$0" backup "$1"', ECOCASE, target],
        env=platform.environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert "空间不够" in done.stderr.decode()
    assert list(tmp_path.iterdir()) == []


@contextmanager
def dump_held_up(platform: Platform) -> Iterator[None]:
    """A lock that pg_dump waits for."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        sockets = platform.data / "postgres" / "run"
        connection = runner.run(asyncpg.connect(f"postgresql://postgres@/ecocase?host={sockets}"))
        transaction = connection.transaction()
        runner.run(transaction.start())
        runner.run(connection.execute("LOCK TABLE clock.alembic_version"))
        yield
        runner.run(transaction.rollback())
        runner.run(connection.close())


def test_a_backup_killed_halfway_is_not_there_and_is_taken_again(
    platform: Platform, tmp_path: Path
) -> None:
    target = tmp_path / "one.zip"
    partial = tmp_path / ".one.zip.partial"
    with dump_held_up(platform):
        first = subprocess.Popen(  # noqa: S603 - our own command
            [ECOCASE, "backup", target], env=platform.environment
        )
        until(lambda: partial.exists() and partial.stat().st_size > 0, "it is being written")
        assert stat.S_IMODE(partial.stat().st_mode) == 0o600
        second = platform.run("backup", str(target))
        assert second.returncode == 1
        assert "另一个备份正在写" in second.stderr
        first.kill()
        first.wait()
    assert not target.exists()
    again = platform.run("backup", str(target))
    assert again.returncode == 0, again.stderr
    assert list(tmp_path.iterdir()) == [target]
    assert zipfile.ZipFile(target).testzip() is None
