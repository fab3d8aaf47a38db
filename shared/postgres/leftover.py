"""Stop the PostgreSQL that a killed platform left on our data directory.

Where the system ends children with their parent this is already happening and
only has to be waited for; elsewhere the server would run for ever.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FAST_SECONDS = 3.0
IMMEDIATE_SECONDS = 0.6


async def stop_leftover(cluster: Path) -> None:
    """Stop the server named in `postmaster.pid`, if it is ours and still runs.

    The caller holds the folder's lock. A process that merely has got the same
    number since is left alone, and the stale file, which would keep the new server
    from starting, is removed.
    """
    pid_file = cluster / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except FileNotFoundError:
        return
    except ValueError:  # empty, as a full disk leaves it: the server would refuse to start
        pid_file.unlink()
        return
    if _serves(pid, cluster):
        await shut_down(pid, lambda: not _serves(pid, cluster))
    if _exists(pid):
        pid_file.unlink(missing_ok=True)


async def shut_down(pid: int, ended: Callable[[], bool]) -> None:
    """Stop a server by its pid: fast, then at once, then by force; in under 4 seconds.

    All three keep what was committed; after the latter two the next start recovers.
    """
    for step, seconds in (
        (signal.SIGINT, FAST_SECONDS),
        (signal.SIGQUIT, IMMEDIATE_SECONDS),
        (signal.SIGKILL, IMMEDIATE_SECONDS),
    ):
        if ended():
            return
        try:
            os.kill(pid, step)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + seconds
        while not ended() and time.monotonic() < deadline:  # noqa: ASYNC110 - a process has no event
            await asyncio.sleep(0.01)


def _serves(pid: int, cluster: Path) -> bool:
    """Tell whether the process is a PostgreSQL started on our data directory."""
    if Path("/proc/self/cmdline").exists():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return os.fsencode(cluster) in command.split(b"\0")
    listing = subprocess.run(  # noqa: S603 - a pid, no shell
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False
    )
    return b"-D " + os.fsencode(cluster) in listing.stdout


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
