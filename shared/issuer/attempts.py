"""The record of attempts to sign in, and what follows from the failures among them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Counter
from sqlalchemy import ColumnElement, and_, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.http.address import network_of
from shared.issuer.lockout import (
    ADDRESS_WINDOW,
    FAILURES,
    LOOK_BACK,
    address_waits_until,
    locked_until,
    seconds_until,
)
from shared.issuer.models import sign_in
from shared.issuer.witness import Attempt, Origin, Outcome, Witness

FAILED = (Outcome.REFUSED, Outcome.REFUSED_CODE)

SIGN_INS = Counter("ecocase_sign_ins", "Sign-ins, and refresh tokens used twice.", ["outcome"])


async def locks(
    connection: AsyncConnection, unlocked: Mapping[str, datetime | None], now: datetime
) -> dict[str, datetime]:
    """Which of some names are locked, and until when; the names come with their last unlocking."""
    names = {name_hash(name): name for name in unlocked}
    query = (
        select(sign_in.c.name_hash, sign_in.c.at, sign_in.c.outcome)
        .where(sign_in.c.name_hash.in_(names), _since(now - LOOK_BACK, now))
        .where(sign_in.c.outcome != Outcome.REUSED)
        .order_by(sign_in.c.at.desc(), sign_in.c.id.desc())
    )
    failures: dict[str, list[datetime]] = {name: [] for name in unlocked}
    succeeded: set[str] = set()
    for row in await connection.execute(query):
        name = names[row.name_hash]
        if row.outcome == Outcome.ACCEPTED:
            succeeded.add(name)
        since = unlocked[name]
        counts = name not in succeeded and (since is None or row.at > since)
        if counts and len(failures[name]) < FAILURES:
            failures[name].append(row.at)
    ends = {name: locked_until(failed) for name, failed in failures.items()}
    return {name: end for name, end in ends.items() if end is not None and end > now}


@dataclass(frozen=True, slots=True)
class Previous:
    """The sign-in before this one, and how many failures there were since."""

    at: datetime
    address: str
    failures: int


async def previous(connection: AsyncConnection, name: str, now: datetime) -> Previous | None:
    """When and from where an account last signed in before; None for the first time."""
    of_name = sign_in.c.name_hash == name_hash(name)
    query = (
        select(sign_in.c.at, sign_in.c.address)
        .where(of_name, sign_in.c.at <= now, sign_in.c.outcome == Outcome.ACCEPTED)
        .order_by(sign_in.c.at.desc(), sign_in.c.id.desc())
        .limit(1)
    )
    last = (await connection.execute(query)).first()
    if last is None:
        return None
    failed = select(func.count()).where(
        of_name, _since(last.at, now), sign_in.c.outcome.in_(FAILED)
    )
    return Previous(last.at, last.address, (await connection.execute(failed)).scalar_one())


async def address_wait(connection: AsyncConnection, origin: Origin, now: datetime) -> int:
    """Whole seconds until an attempt from `origin` is looked at; 0 when at once."""
    query = select(func.count(), func.max(sign_in.c.at)).where(
        sign_in.c.network == network_of(origin.address),
        _since(now - ADDRESS_WINDOW, now),
        sign_in.c.outcome.in_(FAILED),
    )
    count, last = (await connection.execute(query)).one()
    return seconds_until(address_waits_until(count, last), now)


def _since(begin: datetime, now: datetime) -> ColumnElement[bool]:
    """What lies later than now was recorded by a clock since set back: it counts for nothing."""
    return and_(sign_in.c.at > begin, sign_in.c.at <= now)


async def record(
    connection: AsyncConnection, witness: Witness, attempt: Attempt, typed: str
) -> None:
    """Write down one attempt that failures are counted by, or that ends them, and tell of it.

    What was `typed` as a name is kept as a hash: it may be a password or a person's name.
    """
    await connection.execute(
        insert(sign_in).values(
            at=attempt.at,
            outcome=attempt.outcome,
            account=attempt.account,
            name_hash=name_hash(typed),
            address=attempt.origin.address,
            network=network_of(attempt.origin.address),
            user_agent=attempt.origin.user_agent[:200],
        )
    )
    await tell(witness, attempt)


async def tell(witness: Witness, attempt: Attempt) -> None:
    """Tell the witness of an attempt, and count it."""
    await witness.attempted(attempt)
    SIGN_INS.labels(attempt.outcome.value).inc()


def name_hash(name: str) -> bytes:
    """What an attempt is counted by, whether the account exists or not."""
    return hashlib.sha256(name.encode()).digest()
