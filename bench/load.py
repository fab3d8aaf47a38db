"""The closed loop: wrk, which costs little beside the server it shares two cores with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CONNECTIONS = 32


class LoadFailedError(RuntimeError):
    """Requests failed, so that the rate means nothing."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What a run of wrk gave: requests a second, median and 99th percentile in seconds."""

    per_second: float
    median: float
    p99: float


async def drive(
    script: str, url: str, seconds: float, *arguments: str, connections: int = CONNECTIONS
) -> Rate:
    """Run wrk with a script for a while; raises `LoadFailedError` where any request failed."""
    process = await asyncio.create_subprocess_exec(
        *("wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", str(HERE / script), url),
        *("--", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    for line in out.decode().splitlines():
        if line.startswith("RESULT "):
            requests, micros, refused, broken, median, p99 = map(int, line.split()[1:])
            if refused or broken or not requests:
                raise LoadFailedError(f"{refused} refused, {broken} broken of {requests}")
            return Rate(requests / (micros / 1e6), median / 1e6, p99 / 1e6)
    raise LoadFailedError(out.decode())
