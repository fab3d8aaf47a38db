"""After an upgrade whose folds are others, the statistics are built anew before they are read."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from services.reporting import app as reporting
from services.reporting.shape import SHAPE
from shared.audit.log import AuditLog
from shared.consumer.slice import Place, Slice
from tests.event_history import Story, envelope
from tests.identity import issuer_double
from tests.service_double import authorization
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from shared.events.envelope import Envelope
    from shared.postgres.database import Database
    from tests.reporting.conftest import Told


class Held:
    """The history of what was told, read only once it is let go."""

    topics = ("permits",)

    def __init__(self, events: list[Envelope]) -> None:
        self.events = events
        self.let_go = asyncio.Event()

    async def read(self, topic: str, since: Mapping[int, Place]) -> AsyncIterator[Slice]:
        await self.let_go.wait()
        start = since.get(0, Place(1, 0, None)).next_offset
        if start < len(self.events):
            yield Slice(topic, 0, 1, start, len(self.events), self.events[start:])


READ = (
    "/figures/2024",
    "/metrics?measure=filed&from=2024-01-01&to=2024-12-31",
    "/facts?topic=permits",
    "/reconciliation",
)


@pytest.fixture
async def audit(database: Database) -> AsyncIterator[AuditLog]:
    async with AuditLog(database) as audit:
        yield audit


def restarted(database: Database, audit: AuditLog, history: Held) -> reporting.Running:
    """Reporting as it starts after an upgrade."""
    verifier = issuer_double.verifier(now=time.time())
    return reporting.create(database, verifier, history, lambda: 0.0, "test", audit=audit)


async def test_figures_are_away_until_they_are_built_anew(
    told: Told, database: Database, audit: AuditLog
) -> None:
    limit = {"item": "eia_report", "kind": "new", "statutory_days": 60, "committed_days": 20}
    await told.tell(Story("permits"), ("limit-set", "2024-01-01", limit))
    await told.consumer.close()
    async with database.connection() as connection:  # as folds that knew less had left it
        await connection.execute("UPDATE generation SET shape = NULL")
        await connection.execute(
            "UPDATE fact SET body = body #- '{done,set-limit,0,statutory_days}'"
        )

    history = Held([envelope("permits", row) for row in told.rows])
    running = restarted(database, audit, history)
    await running.open()
    transport = httpx.ASGITransport(running.app, raise_app_exceptions=False)
    headers = {"authorization": authorization("someone", roles=["supervisor"])}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://reporting", headers=headers
    ) as http:
        for path in READ:
            away = await http.get(path)
            assert away.status_code == 503, path
            assert away.headers["retry-after"] == "2"
            assert "重算" in away.json()["detail"]

        history.let_go.set()

        async def back() -> bool:
            return (await http.get("/figures/2024")).status_code == 200

        await until(back, "the figures are back")
        for path in READ:
            assert (await http.get(path)).status_code == 200, path
        figures = (await http.get("/figures/2024")).json()["figures"]
        values: dict[str, Any] = {one["id"]: one["value"] for one in figures}
        assert values["permits.eia.report.statutory_days"] == "60"
    await running.close()


@pytest.mark.parametrize("shape, rebuilt", [(SHAPE, False), (None, True), ("older", True)])
async def test_only_another_shape_is_built_anew(
    told: Told,
    database: Database,
    audit: AuditLog,
    shape: str | None,
    rebuilt: bool,  # noqa: FBT001
) -> None:
    await told.tell(Story("cases"), ("clue-registered", "2024-01-02", {"source": "monitoring"}))
    async with database.connection() as connection:
        await connection.execute("UPDATE generation SET shape = $1", shape)
    history = Held([])
    history.let_go.set()
    running = restarted(database, audit, history)
    await running.open()
    await asyncio.gather(*running._tasks[:1])
    async with database.connection() as connection:
        served = await connection.fetchval("SELECT generation FROM serving")
        assert (
            await connection.fetchval("SELECT shape FROM generation WHERE number = $1", served)
            == SHAPE
        )
    assert served == (2 if rebuilt else 1)
    await running.close()
