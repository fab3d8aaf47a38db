"""`make bench`: measure everything once, print one table, write bench/results.json."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

import asyncpg
import orjson

from bench.commands import Callers, command_ratios
from bench.memory import loaded_year
from bench.result import Result, at_most, publish
from bench.servers import baseline, platform


async def _measure(folder: Path) -> list[Result]:
    data = folder / "data"
    async with platform(data):
        pass  # the first start makes the cluster and the accounts
    async with platform(data) as (url, pid, ready):
        results = [at_most("ready_s", [ready], "s", 4)]
        results.append(await loaded_year(url, data, pid))
        passwords = {
            name: entry["password"]
            for name, entry in orjson.loads((data / "credentials.json").read_bytes())[
                "accounts"
            ].items()
        }
        sockets = quote(str(data / "postgres" / "run"), safe="")
        server = f"postgresql://postgres@/{{}}?host={sockets}"
        connection = await asyncpg.connect(server.format("postgres"))
        try:
            await connection.execute("CREATE DATABASE bench")
        finally:
            await connection.close()
        async with baseline(server.format("bench"), folder / "baseline.log") as (bare, _, _):
            results += await command_ratios(Callers(url, passwords), bare)
    return results


def main() -> None:
    """Measure in a temporary folder, which is removed."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is needed (Debian package wrk)")
    with tempfile.TemporaryDirectory(prefix="ecocase-bench-") as folder:
        publish(asyncio.run(_measure(Path(folder))))


if __name__ == "__main__":
    main()
