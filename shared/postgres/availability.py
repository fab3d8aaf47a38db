"""Tell «the database cannot answer just now» from a fault of ours.

The HTTP layer answers the first with 503 and `Retry-After`, the second with 500.
"""

from __future__ import annotations

import asyncpg
from sqlalchemy import exc as sqlalchemy_errors

from shared.http.problem import Unavailable

_TRANSIENT = (
    asyncpg.PostgresConnectionError,  # class 08, the connection broken in mid-statement included
    asyncpg.InsufficientResourcesError,  # class 53: too many connections, disk or memory full
    asyncpg.PostgresIOError,
    asyncpg.TransactionRollbackError,  # class 40: a deadlock; nothing was done
    asyncpg.CannotConnectNowError,  # starting, recovering or stopping
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.QueryCanceledError,  # past statement_timeout
    asyncpg.LockNotAvailableError,  # past lock_timeout
    asyncpg.TransactionTimeoutError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    sqlalchemy_errors.TimeoutError,  # the engine's pool gave no connection in time
    ConnectionError,
)


class DatabaseUnavailable(Unavailable):
    """The database gives no connection just now."""

    title = "数据库暂时不可用,请稍后再试"


def is_unavailable(error: BaseException) -> bool:
    """Tell whether `error`, as asyncpg or SQLAlchemy raise it, passes by itself.

    A broad OSError or TimeoutError, which any code may raise, counts only where a
    connection was being made: there `Database` has turned it into DatabaseUnavailable.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, (DatabaseUnavailable, *_TRANSIENT)) or _was_closed(seen):
            return True
        # SQLAlchemy wraps twice: its own error, then its adapter's, then asyncpg's.
        seen = seen.orig if isinstance(seen, sqlalchemy_errors.DBAPIError) else seen.__cause__
    return False


def _was_closed(error: BaseException) -> bool:
    """Asyncpg has one class for misuse and for a connection or pool that is closed.

    Another one is for a connection whose server said that it ends and has not hung up yet.
    """
    if isinstance(error, asyncpg.InternalClientError):
        return any(words in str(error) for words in ("cannot switch to state", "not connected"))
    return isinstance(error, asyncpg.InterfaceError) and "is clos" in str(error)
