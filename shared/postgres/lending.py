"""Lending a few connections to many commands, as cheaply as can be.

A command holds a connection for one or two round trips, so what the lending itself costs shows:
asyncpg's own pool starts a task, a shield and two timeouts each time, as much as a statement. Here
a connection is popped from a list and put back, and only who finds none waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

import asyncpg

from shared.postgres.availability import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    Connection = asyncpg.Connection[asyncpg.Record]

CLOSE_SECONDS = 0.5


class Lender:
    """At most `size` connections, each opened when first needed; the last returned goes first.

    Who finds none waits at most `patience` seconds, then `DatabaseUnavailable` is raised.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[Connection]], size: int, patience: float
    ) -> None:
        self.size = size
        self.refused = 0
        """How many waited in vain since the start."""
        self._connect = connect
        self._patience = patience
        self._idle: list[Connection] = []
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._open = 0
        self._closing = False
        self._back = asyncio.Event()

    @property
    def in_use(self) -> int:
        """How many are lent or being opened."""
        return self._open - len(self._idle)

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return len(self._waiting)

    async def take(self) -> Connection:
        """Take a connection that works, as far as is known; give it back by `put`."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if not connection.is_closed():
                return connection
            self._open -= 1
        if self._open < self.size and not self._closing:
            return await self._opened()
        return await self._turn() or await self._opened()

    def put(self, connection: Connection, *, whole: bool) -> None:
        """Take a connection back; one left in the middle of something (not `whole`) is dropped."""
        if not whole or connection.is_closed() or connection.is_in_transaction():
            connection.terminate()
            self._dropped()
        elif not self._hand(connection):
            self._idle.append(connection)
        self._back.set()

    async def close(self) -> None:
        """Wait for what is lent, half a second at most, then close all."""
        self._closing = True
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                while self.in_use:
                    self._back.clear()
                    await self._back.wait()
                for connection in self._idle:
                    await connection.close()
        for connection in self._idle:  # what a server that hangs has not closed
            connection.terminate()
        self._open -= len(self._idle)
        self._idle.clear()

    async def _opened(self) -> Connection:
        self._open += 1
        try:
            return await self._connect()
        except BaseException:
            self._dropped()
            raise

    async def _turn(self) -> Connection | None:
        """Wait for a connection that comes back; None where one may be opened instead."""
        if self._closing:
            raise DatabaseUnavailable
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Connection | None] = loop.create_future()
        # A timer costs a tenth of what asyncio.timeout does.
        end = loop.call_later(self._patience, self._refuse, turn)
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._give_up(turn.result())  # given, but too late to be used
            raise
        finally:
            end.cancel()

    def _refuse(self, turn: asyncio.Future[Connection | None]) -> None:
        if not turn.done():
            self.refused += 1
            turn.set_exception(DatabaseUnavailable())

    def _give_up(self, connection: Connection | None) -> None:
        if connection is not None:
            self.put(connection, whole=True)
        else:
            self._hand(None)

    def _dropped(self) -> None:
        """One fewer is open: who waits may open another."""
        self._open -= 1
        self._hand(None)

    def _hand(self, connection: Connection | None) -> bool:
        """Hand it, or leave to open one, to who has waited longest; False where nobody waits."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return True
        return False


class Lent:
    """`async with` for one loan."""

    __slots__ = ("_connection", "_lender")

    def __init__(self, lender: Lender) -> None:
        self._lender = lender

    async def __aenter__(self) -> Connection:
        """Take one."""
        self._connection = await self._lender.take()
        return self._connection

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trail: TracebackType | None,
    ) -> None:
        """Put it back, unless it may still be at work; names the loss of a connection."""
        connection = self._connection
        # A cancelled statement may still run; after any error of the server's it has ended.
        whole = error is None or (
            isinstance(error, Exception)
            and not isinstance(error, (TimeoutError, asyncpg.InternalClientError))
        )
        self._lender.put(connection, whole=whole)
        hangs = isinstance(error, TimeoutError)
        if hangs or (isinstance(error, asyncpg.InterfaceError) and connection.is_closed()):
            raise DatabaseUnavailable from error
