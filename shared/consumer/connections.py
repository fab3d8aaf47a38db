"""The consumer's own connections, each with its temporary tables."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from shared.consumer import store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.consumer.projection import Projection
    from shared.postgres.database import Connection, Database

# A statement planned while its table was small would go on scanning when it has grown.
SETTINGS = {"plan_cache_mode": "force_custom_plan"}


class Connections:
    """Lends connections; as many as are used at once, kept for the next."""

    def __init__(self, database: Database, projection: Projection) -> None:
        self._database = database
        self._projection = projection
        self._idle: list[Connection] = []

    @asynccontextmanager
    async def borrow(self) -> AsyncIterator[Connection]:
        """Lend one; it is kept for the next unless it broke or was left within a transaction."""
        connection = self._kept() or await self._connect()
        try:
            yield connection
        finally:
            if connection.is_closed() or connection.is_in_transaction():
                connection.terminate()
            else:
                self._idle.append(connection)

    def close(self) -> None:
        """Drop those that are not lent."""
        while self._idle:
            self._idle.pop().terminate()

    def _kept(self) -> Connection | None:
        """One that is idle and was not cut by a restart of the server meanwhile."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    async def _connect(self) -> Connection:
        connection = await self._database.connect(SETTINGS)
        try:
            await store.prepare(connection)
            await self._projection.prepare(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection
