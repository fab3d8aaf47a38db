"""One administrative transaction: on whose account, what it turns out to change, and who is told.

An act that changes nothing (a repeated request) is no act, and nobody is told.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.http.problem import NotFound
from shared.identity.caller import Caller, is_account
from shared.identity.roles import ADMINISTRATORS, Role
from shared.issuer import notices, sessions
from shared.issuer.issuer import Issuer
from shared.issuer.models import account
from shared.issuer.proof import AccountRow
from shared.issuer.separation import refuse_own
from shared.issuer.witness import Act, Action, Origin

_TURN: Final = "SELECT pg_advisory_xact_lock(hashtextextended('ecocase administration', 0))"


@dataclass(slots=True)
class Work:
    """What an act stands on and comes to; `row` is None where it is no account that it changes.

    `wanted` says what an act shall bring about; `secret` is what it hands out.
    """

    issuer: Issuer
    connection: AsyncConnection
    now: datetime
    by: Caller
    origin: Origin
    row: AccountRow | None = None
    wanted: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
    ended: frozenset[UUID] = frozenset()
    secret: str | None = None

    @property
    def holder(self) -> AccountRow:
        """The row of the account."""
        if self.row is None:
            raise TypeError("this act changes no account")
        return self.row

    @property
    def name(self) -> str:
        """The account, empty where there is none."""
        return "" if self.row is None else str(self.row.account)

    @property
    def roles(self) -> frozenset[Role]:
        """The roles that the account holds."""
        return frozenset() if self.row is None else frozenset(map(Role, self.row.roles))

    @property
    def wanted_roles(self) -> frozenset[Role]:
        """The roles that are to be held, or asked for a second factor."""
        return frozenset(map(Role, self.wanted.get("roles", ())))

    def changed(self, before: Mapping[str, object], after: Mapping[str, object]) -> None:
        """Note what the act changes."""
        self.before, self.after = before, after

    @property
    def changes(self) -> bool:
        """Whether anything was."""
        return bool(self.before or self.after)

    async def set(self, **values: object) -> None:
        """Change columns of the account."""
        await self.connection.execute(
            update(account).where(account.c.account == self.name).values(**values)
        )

    async def end_sessions(self) -> None:
        """End the account's sessions, for everybody to know once the transaction has committed."""
        self.ended = await sessions.end_all(self.connection, [self.name], self.now)

    async def tell(self, action: Action, **more: object) -> None:
        """Tell of what was done, if anything was; `more` goes into the trail."""
        if not self.changes:
            return
        act = Act(
            at=self.now,
            by=self.by.account,
            action=action,
            on=self.name,
            bureau=self.by.bureau,
            before=self.before,
            after=self.after,
            origin=self.origin,
            more=more,
        )
        concerned = self.row is None or not ADMINISTRATORS.isdisjoint(
            self.roles | self.wanted_roles
        )
        await notices.tell(self.connection, self.issuer.witness, act, administrators=concerned)


@asynccontextmanager
async def begun(
    issuer: Issuer, by: Caller, origin: Origin, name: str | None = None
) -> AsyncIterator[Work]:
    """Begin to work, on the account `name` where one is named; one such work goes on at a time.

    Raises `NotFound` for an account not of the caller's bureau, `RefusedByLaw` for their own.
    """
    async with issuer.engine.begin() as connection:
        await connection.execute(text(_TURN))  # so that two cannot strip the last two at once
        row = None
        if name is not None:
            row = await sessions.lock_account(connection, name) if is_account(name) else None
            if row is None or not by.sees(row.bureau):
                raise NotFound("没有这一账号")
            refuse_own(by, name)
        work = Work(issuer, connection, issuer.now(), by, origin, row)
        yield work
    issuer.announce(work.ended)
