"""The record of sign-ins, and the failures counted from it."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.issuer.models import sign_in
from shared.issuer.slowdown import (
    FREE_PER_ACCOUNT,
    FREE_PER_ADDRESS,
    WINDOW,
    Failures,
    seconds_to_wait,
)


class Outcome(StrEnum):
    """How an attempt ended; `REUSED` is a refresh token presented a second time."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    REUSED = "reused"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, for the record: network address and User-Agent."""

    address: str
    user_agent: str


async def wait_before(connection: AsyncConnection, name: str, origin: Origin, now: datetime) -> int:
    """Whole seconds until a sign-in as `name` from `origin` is looked at; 0 when at once."""
    since = now - WINDOW
    accepted = select(func.max(sign_in.c.at)).where(
        sign_in.c.name_hash == name_hash(name), sign_in.c.outcome == Outcome.ACCEPTED
    )
    by_name = await _failures(
        connection,
        and_(
            sign_in.c.name_hash == name_hash(name),
            sign_in.c.at > func.greatest(accepted.scalar_subquery(), since),
        ),
    )
    by_address = await _failures(
        connection, and_(sign_in.c.address == origin.address, sign_in.c.at > since)
    )
    return max(
        seconds_to_wait(by_name, FREE_PER_ACCOUNT, now),
        seconds_to_wait(by_address, FREE_PER_ADDRESS, now),
    )


async def record(
    connection: AsyncConnection,
    outcome: Outcome,
    name: str,
    origin: Origin,
    now: datetime,
    *,
    known: bool,
) -> None:
    """Write one attempt down; what was typed is kept only if it is an account (`known`)."""
    await connection.execute(
        insert(sign_in).values(
            at=now,
            outcome=outcome,
            account=name if known else None,
            name_hash=name_hash(name),
            address=origin.address,
            user_agent=origin.user_agent[:200],
        )
    )


def name_hash(name: str) -> bytes:
    """What an attempt is counted by, whether the account exists or not."""
    return hashlib.sha256(name.encode()).digest()


async def _failures(connection: AsyncConnection, which: ColumnElement[bool]) -> Failures:
    query = select(func.count(), func.max(sign_in.c.at)).where(
        sign_in.c.outcome == Outcome.REFUSED, which
    )
    count, last = (await connection.execute(query)).one()
    return Failures(count, last)
