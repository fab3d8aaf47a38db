"""A running platform with a few cases and a file, and others to restore into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from services.cases.examples import PENALTY_CASE
from tests.platform_process import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

EVIDENCE = "evidence/ab/photo.jpg"


class Unseen:
    """Progress that nobody looks at."""

    def step(self, title: str, total: int | None = None) -> None:
        del title, total

    def advance(self, count: int) -> None:
        del count


def register(client: httpx.Client, key: str) -> str:
    """Register a case under a key; gives its id."""
    answer = client.post(
        "/cases/penalties",
        json={"occurred_at": "2024-03-01", "data": PENALTY_CASE["register"]},
        headers={"idempotency-key": key},
    )
    assert answer.status_code == 201, answer.text
    case: str = answer.json()["id"]
    return case


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One running platform for all of these tests."""
    platform = Platform(tmp_path_factory.mktemp("platform") / "data")
    platform.start()
    evidence = platform.data / EVIDENCE
    evidence.parent.mkdir(parents=True)
    evidence.write_bytes(b"a photograph")
    officer = platform.signed_in("officer1")
    for number in range(3):
        register(officer, f"at first {number}")
    yield platform
    platform.end()


@pytest.fixture(scope="package")
def archive(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the platform."""
    path = tmp_path_factory.mktemp("backups") / "one.zip"
    done = platform.run("backup", str(path))
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture
def new_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Platform]]:
    """Makes platforms on folders of their own, not started; all are ended afterwards."""
    made: list[Platform] = []

    def make() -> Platform:
        made.append(Platform(tmp_path_factory.mktemp("restored") / "data"))
        return made[-1]

    yield make
    for platform in made:
        platform.end()
