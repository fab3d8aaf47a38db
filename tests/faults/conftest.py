"""A platform to break, again and again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.platform_process import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One platform for all: what a fault leaves behind would trouble the next one's test."""
    platform = Platform(tmp_path_factory.mktemp("platform") / "data")
    platform.start()
    yield platform
    platform.end()


@pytest.fixture(scope="package")
def done() -> Counter[str]:
    """How many steps of each kind that platform has answered with success so far."""
    return Counter()
