"""`make bench`: measure everything once, print one table, write bench/results.json.

`python -m bench NAME…` measures only the groups in which the named rows stand.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import asyncpg
import uvloop

from bench.commands import Callers, command_ratios
from bench.growth import growth
from bench.lag import lag
from bench.memory import loaded_year
from bench.projection import projection
from bench.result import Result, at_most, publish
from bench.servers import baseline, platform
from shared.http import logs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping


async def _embedded(folder: Path) -> list[Result]:
    """The platform as it comes, on a PostgreSQL of its own."""
    data = folder / "data"
    async with platform(data):
        pass  # the first start makes the cluster and the accounts
    async with platform(data) as (url, pid, ready):
        results = [at_most("ready_s", [ready], "s", 4)]
        results.append(await loaded_year(url, data, pid))
        callers = Callers.of(url, data)
        results.append(await lag(callers))
        sockets = quote(str(data / "postgres" / "run"), safe="")
        server = f"postgresql://postgres@/{{}}?host={sockets}"
        connection = await asyncpg.connect(server.format("postgres"))
        try:
            await connection.execute("CREATE DATABASE bench")
        finally:
            await connection.close()
        async with baseline(server.format("bench"), folder / "baseline.log") as (bare, _, _):
            results += await command_ratios(callers, bare)
    return results


GROUPS: Mapping[tuple[str, ...], Callable[[Path], Awaitable[list[Result]]]] = {
    (
        *("ready_s", "memory_mb", "lag_p99_embedded_s"),
        *("command_filing_ratio", "command_lifecycle_ratio", "lifecycles_per_second"),
    ): _embedded,
    ("projection_per_second", "rebuild_embedded_per_second"): projection,
    (
        *("list_1m_ms", "dashboard_10m_ms", "dashboard_10m_ratio"),
        "lifecycles_1m_ratio",
    ): growth,
}
"""What is measured together, by the rows that it gives."""


async def _measure(folder: Path, wanted: set[str]) -> list[Result]:
    results: list[Result] = []
    for rows, group in GROUPS.items():
        if wanted & set(rows):
            with tempfile.TemporaryDirectory(dir=folder) as place:
                results += await group(Path(place))
    return results


def main() -> None:
    """Measure in a temporary folder, which is removed."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is needed (Debian package wrk)")
    known = {name for rows in GROUPS for name in rows}
    wanted = set(sys.argv[1:]) or known
    if unknown := sorted(wanted - known):
        sys.exit(f"no such row: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    with (
        tempfile.TemporaryDirectory(prefix="ecocase-bench-") as folder,
        Path(folder, "bench.log").open("ab") as log,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        logs.configure(logging.INFO, log)
        publish(runner.run(_measure(Path(folder), wanted)))


if __name__ == "__main__":
    main()
