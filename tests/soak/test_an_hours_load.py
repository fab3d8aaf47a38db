"""An hour's load in ten minutes: whole years of commands, and all that is read meanwhile.

`ECOCASE_SOAK_SECONDS` makes it shorter or longer; a year takes seventy seconds.
"""

from __future__ import annotations

import asyncio
import csv
import os
import statistics
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import httpx
import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.launch.caseload.make import SHIPPED, make
from services.launch.client import Client, Credentials
from services.launch.loading.playing import Player
from services.launch.loading.reading import read_caseload
from tests.platform_process import Platform
from tests.postgres_fixture import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from services.launch.loading.reading import Caseload

pytestmark = pytest.mark.soak

SECONDS = int(os.environ.get("ECOCASE_SOAK_SECONDS", "600"))
COMMANDS_A_SECOND = 100
READS_A_SECOND = 20
WATCH_SECONDS = 2.0
LAG_SECONDS = 5.0
MEGABYTE = 1024
GROWTH, OWN_GROWTH = 0.1, 0.05
"""What the second half may add, of all and of our own process: PostgreSQL's caches fill slowly."""
OWNERS = ("--owner", "cases", "--owner", "permits", "--owner", "complaints")
LISTS = ("/cases/penalties", "/permits/applications", "/complaints/complaints")
READS = (
    "/cases/penalties?state=closed",
    "/cases/penalties?q=表面",
    "/permits/applications?q=无此",
    "/complaints/complaints?limit=200",
    "/reporting/figures/2024",
    "/reporting/metrics?measure=complaints&from=2024-01-01&to=2024-12-31&bucket=month",
)


class Paced(Client):
    """A client whose commands leave no faster than so many a second."""

    _next: ClassVar[float] = 0.0

    async def call(self, method: str, path: str, account: str, **request: Any) -> httpx.Response:
        """Wait for a turn, then call."""
        now = asyncio.get_running_loop().time()
        Paced._next = max(Paced._next + 1 / COMMANDS_A_SECOND, now)
        await asyncio.sleep(Paced._next - now)
        return await super().call(method, path, account, **request)


@dataclass
class Seen:
    """What was seen while the load went on."""

    memory: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    reads: int = 0


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    platform = Platform(tmp_path / "data")
    platform.start()
    yield platform
    platform.end()


def test_an_hours_load_leaves_memory_lag_and_figures_as_they_should_be(
    platform: Platform, tmp_path: Path
) -> None:
    years = [caseload(number) for number in range(copies())]
    seen = run(under_load(platform, years))
    assert refused(platform) == {}
    assert seen.reads > 0
    assert max(seen.lags) <= LAG_SECONDS
    assert growth(seen.memory) <= GROWTH, seen.memory
    assert growth(seen.own) <= OWN_GROWTH, seen.own
    reconciled = platform.run("reconcile")
    assert reconciled.returncode == 0, reconciled.stdout
    verified = platform.run("verify")
    assert verified.returncode == 0, verified.stdout
    assert f"{sum(year.steps for year in years)} 个事件" in verified.stdout
    expected = times(len(years), tmp_path / "expected.csv")
    checked = platform.run("figures", "2024", "--check", str(expected), *OWNERS)
    assert checked.returncode == 0, checked.stdout


def growth(samples: list[float]) -> float:
    """What the second half added, in parts of what there was."""
    later = samples[len(samples) // 2 :]
    slope, _ = statistics.linear_regression(range(len(later)), later)
    return slope * len(later) / statistics.median(later)


def copies() -> int:
    """How many years' commands there is time for."""
    return max(1, SECONDS * COMMANDS_A_SECOND // (sum(1 for _ in make(2024, 1)) - 1))


def caseload(number: int) -> Caseload:
    """The same year again, under another name and with other application numbers."""
    lines = []
    for text in make(2024, 1):
        line = orjson.loads(text)
        if "caseload" in line:
            line["caseload"] += f"-again-{number}"
        elif "serial" in line["data"]:
            line["data"]["serial"] += f"-{number}"
        lines.append(orjson.dumps(line))
    read = read_caseload(lines)
    assert read.faults == []
    return read


def times(years: int, path: Path) -> Path:
    """The figures of so many such years in one: counts add up, rates and limits stay."""
    with SHIPPED.open(encoding="utf-8", newline="") as shipped:
        rows = list(csv.DictReader(shipped))
    lines = ["id,value"]
    for row in rows:
        alike = row["id"].endswith(("_rate", "_days"))
        lines.append(f"{row['id']},{row['value'] if alike else Decimal(row['value']) * years}")
    path.write_text("\n".join(lines) + "\n")
    return path


async def under_load(platform: Platform, years: list[Caseload]) -> Seen:
    """Play the years one after another, reading and watching all the while."""
    seen = Seen()
    async with signed(platform, Paced) as writer, signed(platform, Client) as reader:
        watching = [
            asyncio.create_task(keep_reading(reader, seen)),
            asyncio.create_task(keep_watching(platform, reader, seen)),
        ]
        for year in years:
            played = await Player(writer, year, lambda: None).run()
            assert played.refused == []
            assert played.applied
            assert played.loaded == year.steps
        for task in watching:
            task.cancel()
        ends = await asyncio.gather(*watching, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends
    return seen


@asynccontextmanager
async def signed(platform: Platform, kind: type[Client]) -> AsyncIterator[Client]:
    credentials = Credentials.read(platform.data / "credentials.json")
    async with kind(platform.url, credentials) as client:
        yield client


async def keep_reading(client: Client, seen: Seen) -> None:
    """Ask for lists, single cases with their history, and figures, in turn."""
    for path, listed in zip(cycle(READS), cycle(LISTS), strict=False):
        page = (await client.call("GET", listed, "supervisor1")).json()
        one = f"{listed}/{page['items'][0]['id']}" if page["items"] else listed
        for wanted in (path, one, *([f"{one}/actions", f"{one}/events"] if page["items"] else [])):
            await client.call("GET", wanted, "supervisor1")
            await asyncio.sleep(1 / READS_A_SECOND)
            seen.reads += 1


async def keep_watching(platform: Platform, client: Client, seen: Seen) -> None:
    """Note the memory of the whole tree and the lag that the figures own up to."""
    while True:
        sizes = {pid: proportional_set(pid) / MEGABYTE for pid in platform.processes()}
        assert platform.process is not None
        seen.memory.append(sum(sizes.values()))
        seen.own.append(sizes[platform.process.pid])
        answer = await client.call("GET", "/reporting/figures/2024", "supervisor1")
        seen.lags.append(answer.json()["lag_seconds"])
        await asyncio.sleep(WATCH_SECONDS)


def proportional_set(pid: int) -> int:
    """A process's own memory and its part of what is shared, in kilobytes."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it ended meanwhile
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def refused(platform: Platform) -> dict[tuple[str, str], float]:
    """How often each route answered anything but well."""
    page = httpx.get(f"{platform.url}/metrics", trust_env=False).text
    return {
        (sample.labels["route"], sample.labels["status"]): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == "ecocase_http_request_seconds_count"
        and not sample.labels["status"].startswith("2")
    }
