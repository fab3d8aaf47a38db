"""Listeners hear of a change also when the database was away in between."""

from __future__ import annotations

import asyncio
from typing import cast

from services.reporting.live import Changes
from services.reporting.queries import Queries


class Faltering:
    """Stands still, then fails once, then has moved on."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, int] | OSError] = [(1, 1), OSError(), (1, 2)]

    async def stamp(self) -> tuple[int, int]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, OSError):
            raise answer
        return answer


async def test_a_look_that_fails_loses_no_change() -> None:
    queries = Faltering()
    changes = Changes(cast("Queries", queries))
    watching = asyncio.create_task(changes.watch())
    heard = 0
    try:
        async with asyncio.timeout(20):
            async for _ in changes.listen():
                heard += 1
                changes.applied()
                if heard == 3:  # at once, of the first state, and of the one after the failure
                    break
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert queries.answers == [(1, 2)]
