"""Playing a caseload: many aggregates at once, each one's steps in order, every step once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from services.launch.client import CredentialsError, RefusedError
from services.launch.loading.reading import Fault
from services.launch.loading.refusal import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.launch.client import Client
    from services.launch.loading.reading import Caseload, Step

AT_ONCE = 16
APPLIED_SECONDS = 30.0
APPLIED_PAGE = 1_000
APPLIED_PAUSE = 0.05


@dataclass(slots=True)
class Played:
    """What became of a caseload's lines."""

    loaded: int = 0
    already: int = 0
    refused: list[Fault] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    applied: bool = True
    reader: str | None = None
    seconds: float = 0.0


class Player:
    """Plays one caseload; `played` grows while `run` goes on, also when that fails."""

    def __init__(self, client: Client, caseload: Caseload, tick: Callable[[], None]) -> None:
        self._client = client
        self._caseload = caseload
        self._tick = tick
        self.played = Played()

    async def run(self) -> Played:
        """Play all, then wait until reporting has applied the last event, 30 s at most.

        Raises `PlatformAwayError` when the platform has not answered for ten seconds.
        """
        began = time.monotonic()
        waiting = iter(list(self._caseload.aggregates.values()))

        async def worker() -> None:
            for steps in waiting:
                await self._aggregate(steps)

        try:
            async with asyncio.TaskGroup() as together:
                for _ in range(AT_ONCE):
                    together.create_task(worker())
        except* CredentialsError as group:
            raise group.exceptions[0] from None
        self.played.applied = await self._applied()
        self.played.seconds = time.monotonic() - began
        return self.played

    async def _aggregate(self, steps: list[Step]) -> None:
        aggregate_id: str | None = None
        for step in steps:
            if step.command.row.opens == (aggregate_id is not None):
                opened = "该事项已登记" if aggregate_id else "该事项尚未登记，前面的登记没有成功"
                self._refuse(Fault(step.line, "command", opened))
                continue
            aggregate_id = await self._step(step, aggregate_id) or aggregate_id

    async def _step(self, step: Step, aggregate_id: str | None) -> str | None:
        try:
            response = await self._client.call(
                "POST",
                step.command.path(aggregate_id),
                step.actor,
                json={"occurred_at": step.at.isoformat(), "data": step.data},
                headers={"idempotency-key": step.key},
            )
        except RefusedError as refused:
            self._refuse(refusal(step, refused.problem))
            return None
        answer = response.json()
        if response.headers.get("idempotent-replayed") == "true":
            self.played.already += 1
        else:
            self.played.loaded += 1
        self.played.versions[answer["id"]] = answer["version"]
        self.played.reader = step.actor
        self._tick()
        return str(answer["id"])

    def _refuse(self, fault: Fault) -> None:
        self.played.refused.append(fault)
        self._tick()

    async def _applied(self) -> bool:
        if self.played.reader is None:
            return True
        pending = [
            {"id": aggregate_id, "version": version}
            for aggregate_id, version in self.played.versions.items()
        ]
        deadline = time.monotonic() + APPLIED_SECONDS
        while pending:
            answer = await self._client.call(
                "POST", "/reporting/applied", self.played.reader, json=pending[:APPLIED_PAGE]
            )
            missing = {item["id"] for item in answer.json()["pending"]}
            pending = [
                *(item for item in pending[:APPLIED_PAGE] if item["id"] in missing),
                *pending[APPLIED_PAGE:],
            ]
            if missing:
                if time.monotonic() > deadline:
                    return False
                await asyncio.sleep(APPLIED_PAUSE)
        return True
