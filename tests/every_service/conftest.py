"""The services that these tests share: each started once for a module, and stopped after it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.every_service.sealed_service import Sealed, put_back, seal_a_service
from tests.every_service.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.workflow.table import Procedure
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


@pytest.fixture(scope="session")
def sealed_services(fresh_databases: FreshDatabases) -> Iterator[Callable[[Procedure], Sealed]]:
    """Give each service once, two of its aggregates sealed."""
    made: dict[str, Sealed] = {}

    def sealed(procedure: Procedure) -> Sealed:
        if procedure.service not in made:
            made[procedure.service] = seal_a_service(procedure, fresh_databases)
        return made[procedure.service]

    yield sealed
    for one in made.values():
        one.stage.__exit__()


@pytest.fixture
def sealed(
    sealed_services: Callable[[Procedure], Sealed], request: pytest.FixtureRequest
) -> Iterator[Sealed]:
    """A sealed service; whatever a test changes is put back."""
    one = sealed_services(request.param)
    yield one
    put_back(one)
