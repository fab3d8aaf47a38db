"""One service's connections to its own schema.

    database = Database("cases", url, migrations=Path(...))
    await database.open()
    async with database.connection() as connection:      # hot writes, prepared statements
        await connection.fetchrow(...)
    async with database.engine.connect() as connection:  # queries through SQLAlchemy
        await connection.execute(select(...))

The two share nothing: a slow query takes no connection from a command.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import asyncpg
import orjson
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import create_async_engine

from shared.postgres.availability import DatabaseUnavailable, is_unavailable
from shared.postgres.lending import Lender, Lent
from shared.postgres.provision import quoted
from shared.postgres.revision import Unmigrated, applied, head

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from sqlalchemy.engine import ExceptionContext
    from sqlalchemy.ext.asyncio import AsyncEngine

    Connection = asyncpg.Connection[asyncpg.Record]

WAIT_SECONDS = 5.0
"""How long a request waits for a connection."""
STATEMENT_SECONDS = 8
"""After how long the server ends a statement of a request."""
ANSWER_SECONDS = 10.0
"""After how long we give up on a server that does not even end it: it hangs."""
HUNG_SECONDS = 60.0
"""The same for connections of one's own, whose statements the role bounds to 30 seconds."""
JSONB_VERSION = b"\x01"  # jsonb's binary form is this byte and the text


class NotReady(Exception):  # noqa: N818 - a state, not a fault
    """The service cannot work on this database; the text says why (Chinese)."""


class Database:
    """A service's lent connections and engine, both on its schema, which is named after it.

    `url` is a PostgreSQL URL of the service's role; `migrations` the folder that holds
    `versions/`. Bound to the event loop that opens it.
    """

    def __init__(
        self, service: str, url: str, *, migrations: Path, pool_size: int = 6, engine_size: int = 3
    ) -> None:
        self.service = service
        self.schema = service
        self.url = url
        self.migrations = migrations
        self._pool_size = pool_size
        self._engine_size = engine_size
        self._lender: Lender | None = None
        self._engine: AsyncEngine | None = None
        self._engine_connections: WeakSet[Connection] = WeakSet()

    async def open(self) -> None:
        """Connect; raises DatabaseUnavailable. What it opened is closed by `close`."""
        lender = Lender(
            partial(self.connect, _BOUNDED, ANSWER_SECONDS), self._pool_size, WAIT_SECONDS
        )
        lender.put(await lender.take(), whole=True)
        self._lender = lender
        self._engine = self.new_engine(
            _BOUNDED | _PLANNED_ANEW,
            ANSWER_SECONDS,
            self._engine_connections,
            pool_size=self._engine_size,
            max_overflow=0,
            pool_timeout=WAIT_SECONDS,
        )

    async def close(self) -> None:
        """Wait for connections in use, half a second at most, then close all."""
        lender, self._lender = self._lender, None
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.dispose(close=False)  # else two seconds for each that hangs
            for connection in self._engine_connections:
                connection.terminate()
        if lender is not None:
            await lender.close()

    @property
    def lender(self) -> Lender:
        """The connections for hot statements; borrow them by `connection()`."""
        if self._lender is None:
            raise RuntimeError("the database has not been opened")
        return self._lender

    @property
    def engine(self) -> AsyncEngine:
        """SQLAlchemy's engine for queries. JSON columns come as Python values."""
        if self._engine is None:
            raise RuntimeError("the database has not been opened")
        return self._engine

    def connection(self) -> Lent:
        """Lend a connection, `async with`; raises DatabaseUnavailable when none comes in 5 seconds.

        JSON goes in as `bytes` or `str` and comes out as `bytes`. One returned with a transaction
        open is closed, but a plain `SET` would stay: use `SET LOCAL`.
        """
        return Lent(self.lender)

    async def connect(
        self,
        settings: Mapping[str, str] | None = None,
        answer_seconds: float | None = HUNG_SECONDS,
    ) -> Connection:
        """Open a connection of one's own (a relay's, a bulk load's); the caller closes it.

        `settings` are session settings on top of the role's. A statement raises TimeoutError
        after `answer_seconds`, None for never. Raises DatabaseUnavailable.
        """
        async with _unavailable_as_one():
            connection: Connection = await asyncpg.connect(
                self.url,
                timeout=WAIT_SECONDS,
                command_timeout=answer_seconds,
                server_settings=self._server_settings(settings or {}),
            )
            try:
                await _pass_json_through(connection)
            except BaseException:
                connection.terminate()
                raise
        return connection

    def new_engine(
        self,
        settings: Mapping[str, str] | None = None,
        answer_seconds: float | None = None,
        connections: WeakSet[Connection] | None = None,
        **options: Any,
    ) -> AsyncEngine:
        """Make another engine on the same schema; the caller disposes of it.

        `settings` and `answer_seconds` are as in `connect`, `options` those of
        `create_async_engine`; its connections are added to `connections`.
        """

        async def connect() -> Connection:
            connection = await self.connect(settings, answer_seconds)
            if connections is not None:
                connections.add(connection)
            return connection

        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=connect,
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
            **options,
        )
        event.listen(engine.sync_engine, "checkout", _replace_lost)
        event.listen(engine.sync_engine, "handle_error", _give_up_on_a_hung_server)
        return engine

    async def ready(self) -> None:
        """Raise NotReady unless the service can work: connected, not ctype C, migrated."""
        try:
            async with self.connection() as connection:
                ctype = await connection.fetchval(_CTYPE)
                revision = await applied(connection, self.schema)
        except Exception as error:
            if is_unavailable(error):
                raise NotReady(f"服务 {self.service} 连不上数据库") from error
            raise
        if ctype in {"C", "POSIX"}:
            raise NotReady(
                f"数据库的字符分类(LC_CTYPE)是 {ctype},无法检索中文:请以 C.UTF-8 重建数据库"
            )
        needed = head(self.migrations)
        if revision != needed:
            raise NotReady(str(Unmigrated(self.service, revision, needed)))

    def _server_settings(self, settings: Mapping[str, str]) -> dict[str, str]:
        return {
            "search_path": quoted(self.schema),
            "application_name": f"ecocase {self.service}",
            **settings,
        }


_BOUNDED = {"statement_timeout": f"{STATEMENT_SECONDS}s"}
# A query's plan depends on what is asked for, and on how far its table has grown.
_PLANNED_ANEW = {"plan_cache_mode": "force_custom_plan"}
_CTYPE = """
SELECT CASE WHEN datlocprovider = 'c' THEN datctype ELSE datlocale END
FROM pg_database WHERE datname = current_database()
"""


@asynccontextmanager
async def _unavailable_as_one() -> AsyncIterator[None]:
    """While a connection is being made, name every way of not getting one alike."""
    try:
        yield
    except OSError as error:  # TimeoutError is one
        raise DatabaseUnavailable from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if is_unavailable(error):
            raise DatabaseUnavailable from error
        raise


def _replace_lost(connection: Any, _record: object, _proxy: object) -> None:
    """Have the engine's pool connect anew where a restart of the server cut the connection."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _give_up_on_a_hung_server(context: ExceptionContext) -> None:
    if isinstance(context.original_exception, TimeoutError):
        context.is_disconnect = True  # so that the pool drops the connection
        raise DatabaseUnavailable from context.original_exception


async def _pass_json_through(connection: Connection) -> None:
    """Leave JSON as bytes: callers have or want bytes, and parse once if at all."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: JSONB_VERSION + _as_bytes(value),
        decoder=lambda value: value[1:],
    )
    await connection.set_type_codec(
        "json", schema="pg_catalog", format="binary", encoder=_as_bytes, decoder=bytes
    )


def _as_bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
