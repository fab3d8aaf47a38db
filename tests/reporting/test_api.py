"""Reporting as its users meet it: figures, metrics, the stream, and what operators do."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
from uuid_utils.compat import uuid7

from services.reporting import app as reporting
from services.reporting.measures import BY_NAME
from services.reporting.projection import Statistics
from shared.audit.log import AuditLog
from shared.consumer.slice import Place, Slice
from tests.event_history import Story, envelope
from tests.identity import issuer_double
from tests.reporting.conftest import on
from tests.service_double import authorization
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, MutableMapping

    from shared.consumer.working_set import Body
    from shared.events.envelope import Envelope
    from shared.postgres.database import Database


class Events:
    """The events of one topic, as a bus's history holds them."""

    topics = ("cases",)

    def __init__(self) -> None:
        self.events: list[Envelope] = []

    async def read(self, topic: str, since: Mapping[int, Place]) -> AsyncIterator[Slice]:
        start = since.get(0, Place(1, 0, None)).next_offset
        if start < len(self.events):
            yield Slice(topic, 0, 1, start, len(self.events), self.events[start:])


class Reporting:
    """A running reporting service."""

    def __init__(self, running: reporting.Running, http: httpx.AsyncClient, events: Events) -> None:
        self.running = running
        self.http = http
        self.events = events
        self.lag = 0.0

    async def bring(self, *rows: dict[str, Any]) -> None:
        start = len(self.events.events)
        new = [envelope("cases", row) for row in rows]
        self.events.events += new
        await self.running.subscriber.apply([Slice("cases", 0, 1, start, start + len(new), new)])

    async def get(self, path: str, role: str = "leader", **params: Any) -> Any:
        response = await self.http.get(path, params=params, headers=signed_in(role))
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, role: str = "system_admin", body: Any = None) -> Any:
        response = await self.http.post(path, json=body or {}, headers=signed_in(role))
        assert response.status_code in {200, 202}, response.text
        return response.json()


def signed_in(role: str, bureau: str = "500152") -> dict[str, str]:
    return {"authorization": authorization("someone", bureau=bureau, roles=[role])}


@pytest.fixture
async def service(database: Database) -> AsyncIterator[Reporting]:
    events = Events()
    verifier = issuer_double.verifier(now=time.time())
    async with AuditLog(database) as audit:
        made = reporting.create(database, verifier, events, lambda: 0.25, "test", audit=audit)
        await made.open()
        transport = httpx.ASGITransport(made.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://reporting") as http:
            yield Reporting(made, http, events)
        await made.close()


def penalised(story: Story, day: str = "2024-05-06", cause: str = "air") -> list[dict[str, Any]]:
    return [
        story.tell("clue-registered.v1", {"source": "monitoring"}, at=on("2024-01-02")),
        story.tell("case-filed.v1", {"cause": cause}, at=on("2024-01-05")),
        story.tell("penalty-decided.v1", {"amount": "150000.50", "at_minimum": False}, at=on(day)),
    ]


async def test_auditors_see_which_cell_is_not_the_sum_of_its_facts(
    service: Reporting, database: Database
) -> None:
    await service.bring(*penalised(Story("cases")))
    agreed = await service.get("/reconciliation", role="audit_admin")
    assert (agreed["facts"], agreed["unreadable"], agreed["disagreements"]) == (1, [], [])
    async with database.connection() as connection:
        await connection.execute("UPDATE rollup SET penalised = 7 WHERE penalised = 1")
    [found] = (await service.get("/reconciliation", role="audit_admin"))["disagreements"]
    assert (found["day"], found["kind"], found["title"]) == (
        "2024-05-06",
        "air",
        BY_NAME["penalised"].title,
    )
    assert (found["rolled_up"], found["summed"]) == (7, 1)
    refused = await service.http.get("/reconciliation", headers=signed_in("leader"))
    assert refused.status_code == 403


async def test_figures_say_how_current_and_how_complete_they_are(service: Reporting) -> None:
    await service.bring(*penalised(Story("cases")))
    answer = await service.get("/figures/2024")
    figures = {figure["id"]: figure["value"] for figure in answer["figures"]}
    assert len(figures) == 80
    assert figures["cases.penalised.air"] == "1"
    assert figures["office.disclosure"] is None
    assert answer["lag_seconds"] == 0.25
    assert answer["as_of"] is not None
    assert answer["coverage"] | {"known": 0} == {
        "known": 0,
        "total": 80,
        "parked": 0,
        "waiting": 0,
        "rebuild_due": False,
        "owners": ["cases", "complaints", "permits"],
    }


async def test_figures_say_that_they_hold_what_a_restored_service_no_longer_has(
    service: Reporting,
) -> None:
    await service.bring(*penalised(Story("cases")))
    [(key, stands)] = (await service.running.subscriber.places()).items()
    await service.running.subscriber.begin_anew(*key, stands, 2)
    assert (await service.get("/figures/2024"))["coverage"]["rebuild_due"] is True


async def test_figures_are_those_of_the_callers_bureau(service: Reporting) -> None:
    await service.bring(*penalised(Story("cases")))
    response = await service.http.get("/figures/2024", headers=signed_in("leader", "500101"))
    values = {figure["id"]: figure["value"] for figure in response.json()["figures"]}
    assert values["cases.penalised"] == "0"


async def test_metrics_sum_by_month_and_dimension(service: Reporting) -> None:
    for day, cause in (("2024-05-06", "air"), ("2024-05-30", "air"), ("2024-06-01", "water")):
        await service.bring(*penalised(Story("cases"), day, cause))
    answer = await service.get(
        "/metrics",
        measure="fined_fen",
        dimensions="kind",
        bucket="month",
        **{"from": "2024-01-01", "to": "2024-12-31"},
    )
    assert answer["rows"] == [
        {"bucket": "2024-05-01", "kind": "air", "value": 30_000_100},
        {"bucket": "2024-06-01", "kind": "water", "value": 15_000_050},
    ]


async def test_it_can_be_asked_whether_a_version_is_applied(service: Reporting) -> None:
    story = Story("cases")
    await service.bring(*penalised(story))
    unknown = str(uuid7())
    answer = await service.post(
        "/applied",
        "importer",
        [
            {"id": str(story.id), "version": 3},
            {"id": str(story.id), "version": 4},
            {"id": unknown, "version": 1},
        ],
    )
    assert sorted(one["id"] for one in answer["pending"]) == sorted([str(story.id), unknown])


async def test_facts_are_paged_in_the_order_of_ids(service: Reporting) -> None:
    stories = sorted((Story("cases") for _ in range(3)), key=lambda story: story.id)
    for story in stories:
        await service.bring(*penalised(story))
    first = await service.get("/facts", "supervisor", topic="cases", limit=2)
    rest = await service.get("/facts", "supervisor", topic="cases", after=first[-1]["id"])
    assert [fact["id"] for fact in (*first, *rest)] == [str(story.id) for story in stories]
    assert rest[0]["hash"] == (stories[2].hash or b"").hex()
    assert await service.get("/facts", "supervisor", topic="permits") == []


async def test_what_is_parked_is_listed_and_replayed(
    service: Reporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story("cases")
    await service.bring(
        *penalised(story),
        story.tell("case-adjourned.v1", {}, state="served"),
        story.tell("case-closed.v1", {}, state="closed"),
    )
    listed = (await service.get("/parked", "system_admin"))["parked"]
    assert [row["version"] for row in listed] == [4, 5]
    assert "case-adjourned" in listed[0]["error"]
    assert (await service.get("/figures/2024"))["coverage"]["parked"] == 2

    assert (await service.post("/parked/replay"))["parked"] == 2
    fold = Statistics.fold

    def mended(self: Statistics, body: Body | None, event: Envelope) -> Body:
        return body or {} if "adjourned" in event.type else fold(self, body, event)

    monkeypatch.setattr(Statistics, "fold", mended)
    asked = {"ids": [listed[0]["id"]]}
    assert await service.post("/parked/replay", body=asked) == {"replayed": 2, "parked": 0}
    assert (await service.get("/figures/2024"))["coverage"]["parked"] == 0


async def test_a_rebuild_is_started_and_followed(service: Reporting) -> None:
    await service.bring(*penalised(Story("cases")))
    job = await service.post("/rebuild")

    async def done() -> bool:
        answer = await service.get(f"/rebuild/{job['generation']}", "system_admin")
        return bool(answer["state"] == "live")

    await until(done, "the rebuild is served")
    answer = await service.get(f"/rebuild/{job['generation']}", "system_admin")
    assert (answer["events"], answer["aggregates"]) == (3, 1)
    figures = {it["id"]: it["value"] for it in (await service.get("/figures/2024"))["figures"]}
    assert figures["cases.penalised"] == "1"


@pytest.mark.parametrize(
    "method, path, role",
    [
        ("GET", "/figures/2024", "security_admin"),
        ("GET", "/stream", "security_admin"),
        ("GET", "/facts?topic=cases", "leader"),
        ("GET", "/parked", "window"),
        ("POST", "/parked/replay", "audit_admin"),
        ("POST", "/rebuild", "supervisor"),
        ("GET", "/rebuild/1", "investigator"),
    ],
)
async def test_who_may_not(service: Reporting, method: str, path: str, role: str) -> None:
    body: dict[str, Any] | None = {} if method == "POST" else None
    response = await service.http.request(method, path, json=body, headers=signed_in(role))
    assert response.status_code == 403


class Listening:
    """Somebody who listens to the stream, message by message."""

    def __init__(self, service: Reporting) -> None:
        self._got: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._asked = False
        token = signed_in("leader")["authorization"]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "path": "/stream",
            "raw_path": b"/stream",
            "root_path": "",
            "scheme": "http",
            "query_string": b"year=2024",
            "headers": [(b"authorization", token.encode())],
            "client": ("127.0.0.1", 1),
            "server": ("reporting", 80),
        }
        self.task = asyncio.create_task(service.running.app(scope, self._receive, self._send))

    async def next_penalised(self) -> str:
        async with asyncio.timeout(20):
            while True:
                body = (await self._got.get()).get("body", b"")
                for line in body.split(b"\n"):
                    if line.startswith(b"data:"):
                        figures = orjson.loads(line[5:])["figures"]
                        values = {figure["id"]: figure["value"] for figure in figures}
                        return str(values["cases.penalised"])

    async def _send(self, message: Any) -> None:
        await self._got.put(message)

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.Event().wait()
        raise AssertionError


async def test_the_stream_tells_at_once_and_then_of_every_change(service: Reporting) -> None:
    listening = Listening(service)
    assert await listening.next_penalised() == "0"
    await service.bring(*penalised(Story("cases")))
    while await listening.next_penalised() != "1":
        pass
    listening.task.cancel()
    await asyncio.gather(listening.task, return_exceptions=True)


async def test_the_stream_tells_nothing_more_once_the_sign_in_is_over(service: Reporting) -> None:
    listening = Listening(service)
    assert await listening.next_penalised() == "0"
    service.running.app.state.verifier = issuer_double.verifier(now=time.time() + 7200)
    await service.bring(*penalised(Story("cases")))
    async with asyncio.timeout(20):
        await listening.task
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await listening.next_penalised()
