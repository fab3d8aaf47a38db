"""The services that these tests share: each started once for a module, and stopped after it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.every_service.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.postgres_fixture import FreshDatabases

    Stages = Callable[[str], Stage]


@pytest.fixture(scope="module")
def stages(fresh_databases: FreshDatabases) -> Iterator[Stages]:
    """Give a service's stage by the service's name."""
    started: dict[str, Stage] = {}
    with ExitStack() as stack:

        def stage(name: str) -> Stage:
            if name not in started:
                started[name] = stack.enter_context(Stage(name, fresh_databases))
            return started[name]

        yield stage
