"""A log that cannot be written: nothing is raised, what is lost is counted, lines stay lines."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

from shared.http.log_file import LOST, open_log_file

# In a process of its own: the bound on the size of files would hold for the tests' output too.
FULL_THEN_NOT = """
import resource, signal, sys
from shared.http.log_file import LOST, open_log_file

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
with open_log_file(sys.argv[1]) as log:
    for line in (b"first\\n", b"second\\n", b"third\\n"):
        assert log.write(line) == len(line)
        log.flush()
    print(LOST._value.get())
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
    log.write(b"fourth\\n")
    log.write(b"fifth\\n")
"""


def lost() -> float:
    return next(s.value for m in LOST.collect() for s in m.samples if s.name.endswith("_total"))


def test_what_has_no_room_is_counted_and_the_next_line_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", FULL_THEN_NOT, path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "2.0\n"), done.stderr
    assert path.read_bytes() == b"first\nseco\nfourth\nfifth\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_several_lines_at_once_are_counted_each() -> None:
    before = lost()
    with open_log_file("/dev/full") as log:
        assert log.write(b"one\ntwo\n") == 8
    assert lost() == before + 2


def test_a_device_without_room_fails_nobody() -> None:
    before = lost()
    with open_log_file("/dev/full") as log:
        assert log.write(b"line\n") == 5
    assert lost() == before + 1
