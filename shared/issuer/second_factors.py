"""Second factors as they are stored, one an account."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.issuer.models import second_factor
from shared.issuer.one_time_codes import new_recovery_codes, recovery_hash


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A stored second factor; it is asked for once `confirmed`."""

    sealed_secret: bytes
    confirmed: bool
    last_step: int


async def enrolled(connection: AsyncConnection, name: str) -> Enrolled | None:
    """The second factor of the account `name`."""
    query = select(second_factor).where(second_factor.c.account == name)
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    return Enrolled(row.sealed_secret, row.confirmed_at is not None, row.last_step)


async def is_enrolled(connection: AsyncConnection, name: str) -> bool:
    """Whether the account has a second factor that is asked for."""
    found = await enrolled(connection, name)
    return found is not None and found.confirmed


async def begin(connection: AsyncConnection, name: str, sealed: bytes, now: datetime) -> None:
    """Store a secret yet to be confirmed, in place of another that was not."""
    values = {
        "sealed_secret": sealed,
        "created_at": now,
        "confirmed_at": None,
        "last_step": 0,
        "recovery_hashes": [],
    }
    await connection.execute(
        insert(second_factor)
        .values(account=name, **values)
        .on_conflict_do_update(index_elements=["account"], set_=values)
    )


async def confirm(
    connection: AsyncConnection, name: str, step: int, now: datetime
) -> tuple[str, ...]:
    """Ask for the second factor from now on; gives new recovery codes."""
    await connection.execute(
        update(second_factor)
        .where(second_factor.c.account == name)
        .values(confirmed_at=now, last_step=step)
    )
    return await renew_recovery_codes(connection, name)


async def renew_recovery_codes(connection: AsyncConnection, name: str) -> tuple[str, ...]:
    """Put new recovery codes in place of those there were."""
    codes = new_recovery_codes()
    await connection.execute(
        update(second_factor)
        .where(second_factor.c.account == name)
        .values(recovery_hashes=[recovery_hash(code) for code in codes])
    )
    return codes


async def remove(connection: AsyncConnection, name: str) -> bool:
    """Remove the account's second factor; whether it had one."""
    deleted = delete(second_factor).where(second_factor.c.account == name)
    return (await connection.execute(deleted)).rowcount > 0
