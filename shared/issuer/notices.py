"""What an owner is told at sign-in: who did what to their account lately.

A notice stays for thirty days, however often it was shown: whoever signs in in the owner's place,
with a password that was handed out, cannot use it up. Administrators are told of what was done to
other administrators' accounts, and to the rules for all, too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.identity.roles import ADMINISTRATORS, Role
from shared.issuer.models import notice
from shared.issuer.proof import AccountRow
from shared.issuer.witness import Act, Action, Witness

SHOWN_FOR: Final = timedelta(days=30)
MOST: Final = 20

_UNTOLD: Final = frozenset({Action.SIGN_OUT, Action.BEGIN_SECOND_FACTOR})


@dataclass(frozen=True, slots=True)
class Notice:
    """An act on an account (empty: on the rules for all), and the account that did it."""

    at: datetime
    account: str
    action: Action
    by: str


async def tell(
    connection: AsyncConnection, witness: Witness, act: Act, *, administrators: bool = False
) -> None:
    """Tell the witness of an act, and leave a notice for the owner, or for all `administrators`."""
    await witness.administered(connection, act)
    if act.action in _UNTOLD:
        return
    await connection.execute(delete(notice).where(notice.c.at <= act.at - SHOWN_FOR))
    await connection.execute(
        insert(notice).values(
            at=act.at,
            bureau=act.bureau,
            account=act.on,
            action=act.action.value,
            by=act.by,
            administrators=administrators,
        )
    )


async def of(connection: AsyncConnection, holder: AccountRow, now: datetime) -> list[Notice]:
    """What the owner of an account is to be told, the latest first."""
    mine = notice.c.account == holder.account
    if not ADMINISTRATORS.isdisjoint(map(Role, holder.roles)):
        others = notice.c.administrators & (notice.c.by != holder.account)
        mine |= others & (notice.c.bureau == holder.bureau)
    query = (
        select(notice)
        .where(mine, notice.c.at > now - SHOWN_FOR)
        .order_by(notice.c.at.desc(), notice.c.id.desc())
        .limit(MOST)
    )
    rows = await connection.execute(query)
    return [Notice(row.at, row.account, Action(row.action), row.by) for row in rows]
