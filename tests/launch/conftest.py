"""Running platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.platform_process import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One running platform for a module's tests."""
    platform = Platform(tmp_path_factory.mktemp("platform") / "data")
    platform.start()
    yield platform
    platform.end()


@pytest.fixture
def new_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Platform]]:
    """Makes platforms that a test starts itself; all are ended afterwards."""
    made: list[Platform] = []

    def make() -> Platform:
        made.append(Platform(tmp_path_factory.mktemp("platform") / "data"))
        return made[-1]

    yield make
    for platform in made:
        platform.end()
