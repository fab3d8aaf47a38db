"""The command path against the bare baseline: filing a case, and lifecycles of four commands."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import orjson

from bench.load import drive
from bench.result import Result, at_least
from services.cases.examples import PENALTY_CASE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PAIRS = 7
SECONDS = 4.0
WARM_UP = 3.0
# Three steps follow the opening; each by an account that may.
LIFECYCLE = (
    ("none", "officer1", "/cases/penalties", "register"),
    ("clue", "officer1", "/cases/penalties/ID/examine", "examine"),
    ("preliminary", "leader1", "/cases/penalties/ID/file", "file"),
    ("filed", "officer1", "/cases/penalties/ID/investigate", "investigate"),
)


@dataclass
class Callers:
    """Signs the demonstration accounts in; a token lives five minutes, so anew for each run."""

    url: str
    passwords: Mapping[str, str]
    runs: Any = field(default_factory=count)

    @classmethod
    def of(cls, url: str, data: Path) -> Callers:
        """Those of the platform at `url`, which runs on the folder `data`."""
        accounts = orjson.loads((data / "credentials.json").read_bytes())["accounts"]
        return cls(url, {name: entry["password"] for name, entry in accounts.items()})

    async def bearer(self, account: str) -> str:
        """An authorization header of an account."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            answer = await client.post(
                "/identity/token",
                json={
                    "grant_type": "password",
                    "username": account,
                    "password": self.passwords[account],
                },
            )
            answer.raise_for_status()
            return f"Bearer {answer.json()['access_token']}"

    def run(self) -> str:
        """A prefix that no other run's keys have."""
        return f"bench-{next(self.runs)}"


def body(command: str) -> str:
    """The body of a command, as its example gives it, on a day in the past."""
    return orjson.dumps({"occurred_at": "2024-03-01", "data": PENALTY_CASE[command]}).decode()


async def command_ratios(callers: Callers, bare_url: str) -> list[Result]:
    """Alternate pairs of platform and baseline; ratios pair by pair."""
    filing: list[float] = []
    lifecycle: list[float] = []
    per_second: list[float] = []
    for pair in range(PAIRS + 1):
        seconds = WARM_UP if pair == 0 else SECONDS
        filed = await _filing(callers, seconds)
        bare = await _bare(callers, bare_url, seconds)
        stepped = await lifecycles(callers, seconds)
        if pair:
            filing.append(filed / bare)
            lifecycle.append(stepped / bare)
            per_second.append(stepped / len(LIFECYCLE))
    return [
        at_least("command_filing_ratio", filing, "×", 0.90),
        at_least("command_lifecycle_ratio", lifecycle, "×", 0.75),
        at_least("lifecycles_per_second", per_second, "/s", 200),
    ]


async def _filing(callers: Callers, seconds: float) -> float:
    token = await callers.bearer("officer1")
    arguments = (token, "/cases/penalties", body("register"), callers.run())
    return (await drive("filing.lua", callers.url, seconds, *arguments)).per_second


async def _bare(callers: Callers, url: str, seconds: float) -> float:
    arguments = ("Bearer none", "/cases", body("register"), callers.run())
    return (await drive("filing.lua", url, seconds, *arguments)).per_second


async def lifecycles(callers: Callers, seconds: float) -> float:
    """Commands a second, in lifecycles of four."""
    tokens = {account: await callers.bearer(account) for account in ("officer1", "leader1")}
    steps = [
        value
        for state, account, path, command in LIFECYCLE
        for value in (state, tokens[account], path, body(command))
    ]
    rate = await drive("lifecycle.lua", callers.url, seconds, callers.run(), *steps)
    return rate.per_second
