"""The disk with the data folder fills up: refusals, no 500, no restart needed once there is room.

The folder lies on a small file system of its own, mounted where only the platform sees it.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections import Counter
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from tests.faults.office import Office, assert_nothing_lost_or_doubled, metric
from tests.platform_process import Platform, until
from tests.postgres_fixture import run

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

SIZE = "300m"
MOUNT = f'mount -t tmpfs -o size={SIZE},mode=0700 ecocase "$0" && exec "$@"'


@cache
def own_mounts() -> tuple[str, ...]:
    """The command that gives a process mounts of its own; skips where the system has none."""
    for flags in ("--user", "--map-root-user", "--mount"), ("--mount",):
        tried = subprocess.run(  # noqa: S603 - our own words
            ["unshare", *flags, "true"],  # noqa: S607 - where it lies differs
            check=False,
            capture_output=True,
        )
        if tried.returncode == 0:
            return ("unshare", *flags)
    pytest.skip("neither root nor user namespaces: no small file system can be mounted")


@pytest.fixture
def small_disk() -> Iterator[Platform]:
    """A platform whose data folder is a file system of 300 MB; not started."""
    with tempfile.TemporaryDirectory(prefix="disk") as mounted:  # short: it holds a socket
        within = (*own_mounts(), "sh", "-c", MOUNT, mounted)
        platform = Platform(Path(mounted), within=within)
        yield platform
        platform.end()


def seen_from_outside(platform: Platform) -> None:
    """Have the test and its commands find the folder, which is mounted for the platform alone."""
    assert platform.process is not None
    platform.data = Path(f"/proc/{platform.process.pid}/root{platform.data}")


@contextmanager
def filled(platform: Platform) -> Iterator[None]:
    """Use up every last byte, then give it back."""
    filler = platform.data / "filler"
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    os.write(descriptor, bytes(size))
            except OSError:
                continue
        yield
    finally:
        os.close(descriptor)
        filler.unlink()


async def use_up_the_log(platform: Platform) -> None:
    """Write to PostgreSQL's log of changes until it needs a new file and panics."""
    url = f"postgresql://postgres@/ecocase?host={platform.data / 'postgres' / 'run'}"
    connection = await asyncpg.connect(url)
    try:
        while True:
            await connection.execute(
                "SELECT pg_logical_emit_message(true, 'x', repeat('x', 100000))"
            )
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        connection.terminate()


def test_a_full_disk_refuses_and_a_disk_with_room_again_goes_on(small_disk: Platform) -> None:
    platform = small_disk
    platform.start()
    seen_from_outside(platform)
    with Office(platform, "full disk", Counter()) as office:
        with filled(platform):
            office.is_refused()
            run(use_up_the_log(platform))
            until(lambda: not platform.ready(), "PostgreSQL has given up")
            office.is_refused(20)
            assert metric(platform, "ecocase_log_lines_lost_total") > 0
            assert metric(platform, "ecocase_data_free_bytes") < 1 << 20
        until(platform.ready, "the platform is ready again")
        office.goes_on()
    assert_nothing_lost_or_doubled(platform, office)


def test_a_platform_started_on_a_full_disk_says_so(small_disk: Platform) -> None:
    platform = small_disk
    script = MOUNT.replace("&& exec", '&& head -c 1G /dev/zero > "$0"/filler; exec')
    platform.within = (*platform.within[:-2], script, str(platform.data))
    process = platform.launch()
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 1
    assert "磁盘已满" in said.splitlines()[-1]
