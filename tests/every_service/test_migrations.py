"""Each schema's migrations make exactly the tables that its code uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from services.cases.models import tables as cases
from services.complaints.models import tables as complaints
from services.launch.storage import MIGRATIONS
from services.permits.models import tables as permits
from services.reporting.models import metadata as reporting
from shared.clock.calendars import metadata as clock
from shared.issuer.models import metadata as identity
from shared.postgres.migrate import Migrations

if TYPE_CHECKING:
    import sqlalchemy as sa

    from tests.postgres_fixture import MakeFresh

TABLES = {
    "cases": cases.metadata,
    "permits": permits.metadata,
    "complaints": complaints.metadata,
    "reporting": reporting,
    "clock": clock,
    "identity": identity,
}


@pytest.mark.parametrize("service", TABLES)
async def test_the_migrations_make_what_the_models_say(
    service: str, fresh_database: MakeFresh
) -> None:
    metadata: sa.MetaData = TABLES[service]
    database = (await fresh_database({service: MIGRATIONS[service]})).database(service)
    await database.open()
    try:
        assert await Migrations(database).differences(metadata) == []
    finally:
        await database.close()


def test_every_schema_is_compared() -> None:
    assert set(TABLES) == set(MIGRATIONS)
