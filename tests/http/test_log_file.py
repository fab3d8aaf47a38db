"""A log that cannot be written: nothing is raised, what is lost is counted, lines stay lines."""

from __future__ import annotations

import resource
import signal
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shared.http.log_file import LOST, open_log_file

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ten_bytes() -> Iterator[None]:
    """A bound on the size of files, as a full disk is one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def lost() -> float:
    return next(s.value for m in LOST.collect() for s in m.samples if s.name.endswith("_total"))


@pytest.mark.usefixtures("ten_bytes")
def test_what_has_no_room_is_counted_and_the_next_line_begins_anew(tmp_path: Path) -> None:
    path, before = tmp_path / "log", lost()
    with open_log_file(path) as log:
        for line in (b"first\n", b"second\n", b"third\n"):
            assert log.write(line) == len(line)
        assert lost() == before + 2
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
        log.write(b"fourth\n")
        log.write(b"fifth\n")
    assert path.read_bytes() == b"first\nseco\nfourth\nfifth\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_device_without_room_fails_nobody() -> None:
    before = lost()
    with open_log_file("/dev/full") as log:
        assert log.write(b"line\n") == 5
    assert lost() == before + 1
