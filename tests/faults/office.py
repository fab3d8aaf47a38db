"""An office at work while something breaks: every answer is noted, every refusal tried again.

Each command is sent with one idempotency key until it succeeds, as a careful client does. What the
platform answered 2xx must be there afterwards, once.
"""

from __future__ import annotations

import threading
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Self

import httpx

from services.cases.examples import PENALTY_CASE
from tests.platform_process import until

if TYPE_CHECKING:
    from types import TracebackType

    from tests.platform_process import Platform

DESKS = 4
LONGEST_ANSWER = 30.0
"""Seconds after which a request counts as hanging: 5 for a connection, 10 for each statement."""
STEPS = (("register", "officer1"), ("examine", "officer2"), ("file", "leader1"))
YEAR = {"from": "2024-01-01", "to": "2024-12-31"}


class Office:
    """Desks that register, examine and file cases for as long as the context is open.

    `done` counts the steps answered with success, on top of what it holds already.
    """

    def __init__(
        self, platform: Platform, name: str, done: Counter[str], desks: int = DESKS
    ) -> None:
        self._platform = platform
        self._name = name
        self._numbers = count()
        self._clients = {actor: platform.signed_in(actor) for _, actor in STEPS}
        self._threads = [threading.Thread(target=self._work) for _ in range(desks)]
        self._over = threading.Event()
        self.statuses: Counter[int] = Counter()
        self.done = done
        self.wrong: list[str] = []

    def __enter__(self) -> Self:
        """Open the office."""
        for client in self._clients.values():
            client.timeout = httpx.Timeout(LONGEST_ANSWER)
        for thread in self._threads:
            thread.start()
        self.goes_on()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let each desk finish its case, then close."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def goes_on(self, steps: int = 12) -> None:
        """Wait until so many more steps have been taken."""
        wanted = self.done.total() + steps
        until(lambda: self.done.total() >= wanted or self.wrong, f"{steps} more steps are taken")
        assert not self.wrong, self.wrong

    def is_refused(self, times: int = 3) -> None:
        """Wait until so many more requests have been refused."""
        wanted = self.statuses[503] + times
        until(lambda: self.statuses[503] >= wanted or self.wrong, f"{times} more are refused")
        assert not self.wrong, self.wrong

    def _work(self) -> None:
        try:
            while not self._over.is_set() and not self.wrong:
                self._handle_one_case(f"{self._name} {next(self._numbers)}")
        except Exception as error:  # noqa: BLE001 - it must not end with the thread
            self.wrong.append(repr(error))

    def _handle_one_case(self, key: str) -> None:
        path = "/cases/penalties"
        for command, actor in STEPS:
            body = {"occurred_at": "2024-03-01", "data": PENALTY_CASE[command]}
            answer = self._insist(self._clients[actor], path, body, f"{key} {command}")
            if answer is None:
                return
            path = f"/cases/penalties/{answer['id']}/"
            following = {"register": "examine", "examine": "file"}.get(command)
            path += following or ""
            self.done[command] += 1

    def _insist(
        self, client: httpx.Client, path: str, body: object, key: str
    ) -> dict[str, str] | None:
        """Send a command until it succeeds; None once anything but success or 503 was seen."""
        pause = threading.Event()
        while not self.wrong:
            answer = client.post(path, json=body, headers={"idempotency-key": key})
            self.statuses[answer.status_code] += 1
            if answer.is_success:
                done: dict[str, str] = answer.json()
                return done
            self._check_refusal(path, answer)
            pause.wait(0.05)
        return None

    def _check_refusal(self, path: str, answer: httpx.Response) -> None:
        proper = (
            answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
            and answer.headers.get("retry-after", "").isdigit()
            and answer.headers["content-type"] == "application/problem+json"
            and any("\u4e00" <= character <= "\u9fff" for character in answer.json()["title"])
        )
        if not proper:
            self.wrong.append(f"{path}: {answer.status_code} {answer.text}")


def assert_nothing_lost_or_doubled(platform: Platform, office: Office) -> None:
    """What was answered 2xx is in the events and in the figures, once, and the chains hold."""
    assert not office.wrong, office.wrong
    reconciled = platform.run("reconcile")
    assert reconciled.returncode == 0, reconciled.stdout + reconciled.stderr
    verified = platform.run("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert f"校验 {office.done['register']} 件 {office.done.total()} 个事件" in verified.stdout
    assert "共 0 个" in platform.run("parked", "list").stdout
    reader = platform.signed_in("supervisor1")
    for measure, command in (("clues", "register"), ("filed", "file")):
        answer = reader.get("/reporting/metrics", params={"measure": measure, **YEAR})
        assert sum(row["value"] for row in answer.json()["rows"]) == office.done[command]


def metric(platform: Platform, name: str, **labels: str) -> float:
    """A value at /metrics; labels may be fewer than there are, and then it is the sum."""
    page = httpx.get(f"{platform.url}/metrics", trust_env=False, timeout=LONGEST_ANSWER).text
    found = [
        float(line.rpartition(" ")[2])
        for line in page.splitlines()
        if line.startswith((f"{name} ", f"{name}{{"))
        and all(f'{label}="{value}"' in line for label, value in labels.items())
    ]
    assert found, f"no {name} at /metrics"
    return sum(found)
