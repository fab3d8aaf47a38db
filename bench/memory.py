"""How much memory the platform takes, PostgreSQL included, after it has loaded a year."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bench.result import Result, at_most

MEGABYTE = 1024


async def loaded_year(url: str, data: Path, pid: int) -> Result:
    """Load the synthetic year, then sum the proportional set sizes of the whole process tree."""
    command = [sys.executable, "-m", "services.launch.cli"]
    year = data.parent / "year.jsonl"
    with year.open("wb") as out:
        made = await asyncio.create_subprocess_exec(
            *command, "caseload", "2024", "--seed", "1", stdout=out
        )
        await made.wait()
    loaded = await asyncio.create_subprocess_exec(
        *(*command, "load", str(year), "--url", url),
        *("--credentials", str(data / "credentials.json")),
        stderr=asyncio.subprocess.DEVNULL,
    )
    if await loaded.wait() != 0:
        raise RuntimeError("the year did not load")
    kilobytes = sum(_pss(process) for process in _tree(pid))
    return at_most("memory_mb", [kilobytes / MEGABYTE], "MB", 300)


def _tree(root: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parent = int(stat.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting += children.get(process, [])
    return found


def _pss(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:  # it ended meanwhile
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
