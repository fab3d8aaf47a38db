"""The accounts (账号) of the embedded issuer as they are stored, and officers' certificates."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Row, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.clock.law_time import law_day
from shared.identity.caller import is_account, is_bureau
from shared.identity.officers import Certificate, by_account
from shared.identity.roles import Role, incompatible
from shared.issuer.attempts import locks
from shared.issuer.models import account, certificate, certificate_number, second_factor


class AccountRefusedError(ValueError):
    """An account that may not exist as described; the message (Chinese) says why."""


@dataclass(frozen=True, slots=True)
class Account:
    """One person's account; `disabled_at` is an aware UTC time, None while it may sign in.

    `certificates` are in order of their first day, past ones included.
    """

    account: str
    display_name: str
    roles: frozenset[Role]
    bureau: str
    certificates: tuple[Certificate, ...] = ()
    disabled_at: datetime | None = None

    def check(self) -> None:
        """Raises `AccountRefusedError` unless code, bureau and roles (三员分立) are allowed."""
        if not is_account(self.account):
            raise AccountRefusedError("账号须为代码,不得是姓名、手机号或身份证号")
        if not is_bureau(self.bureau):
            raise AccountRefusedError("行政区划代码应为六位数字")
        if reason := incompatible(self.roles):
            raise AccountRefusedError(reason)
        if any(one.account != self.account for one in self.certificates):
            raise AccountRefusedError("执法证件不属于该账号")


@dataclass(frozen=True, slots=True)
class Overview:
    """An account and how it stands with signing in."""

    account: Account
    has_password: bool
    one_time: bool
    password_set_at: datetime | None
    second_factor: bool
    locked_until: datetime | None


class Accounts:
    """Stored accounts. `engine` connects to the schema `identity`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, name: str) -> Account | None:
        """The account named `name`, disabled ones included."""
        if not is_account(name):
            return None
        async with self._engine.connect() as connection:
            return await find(connection, name)

    async def existing(self, names: Sequence[str]) -> frozenset[str]:
        """Which of `names` exist."""
        query = select(account.c.account).where(account.c.account.in_(names))
        async with self._engine.connect() as connection:
            return frozenset((await connection.execute(query)).scalars())

    async def overviews(
        self, bureau: str, now: datetime, *, after: str = "", limit: int = 100
    ) -> list[Overview]:
        """The accounts of `bureau` in order, from the one behind `after` on."""
        which = (account.c.bureau == bureau) & (account.c.account > after)
        return await self._overviews(which, now, limit)

    async def overview(self, name: str, bureau: str, now: datetime) -> Overview | None:
        """One account of `bureau`."""
        which = (account.c.account == name) & (account.c.bureau == bureau)
        return next(iter(await self._overviews(which, now, 1)), None)

    async def certificates(
        self, accounts: Sequence[str], bureau: str
    ) -> Mapping[str, tuple[Certificate, ...]]:
        """See `OfficerDirectory`.

        The day of an act counts (行政处罚法 art. 42), and acts are entered later: a disabled
        account keeps its certificates up to the day on which it was disabled.
        """
        query = (
            select(certificate, account.c.disabled_at)
            .join(account, account.c.account == certificate.c.account)
            .where(
                certificate.c.account.in_([name for name in accounts if is_account(name)]),
                account.c.bureau == bureau,
            )
            .order_by(certificate.c.valid_from, certificate.c.number)
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        found = (_until(_certificate(row), row.disabled_at) for row in rows)
        return by_account(accounts, [one for one in found if one is not None])

    async def _overviews(
        self, which: ColumnElement[bool], now: datetime, limit: int
    ) -> list[Overview]:
        query = (
            select(account, second_factor.c.confirmed_at)
            .outerjoin(second_factor, second_factor.c.account == account.c.account)
            .where(which)
            .order_by(account.c.account)
            .limit(limit)
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
            names = [row.account for row in rows]
            held = await _held(connection, names)
            locked = await locks(connection, {row.account: row.unlocked_at for row in rows}, now)
        return [
            Overview(
                stored_account(row, held[row.account]),
                row.password_hash is not None,
                row.one_time,
                row.password_set_at,
                row.confirmed_at is not None,
                locked.get(row.account),
            )
            for row in rows
        ]


async def find(connection: AsyncConnection, name: str) -> Account | None:
    """The account named `name` as the transaction sees it."""
    row = (await connection.execute(select(account).where(account.c.account == name))).first()
    if row is None:
        return None
    return stored_account(row, (await _held(connection, [name]))[name])


async def add(
    connection: AsyncConnection,
    added: Sequence[Account],
    password_hashes: Mapping[str, str],
    now: datetime,
    *,
    one_time: bool,
) -> None:
    """Store `added`; an account without a password in `password_hashes` cannot sign in yet.

    Raises `AccountRefusedError`, or `sqlalchemy.exc.IntegrityError` where an account or the number
    of a certificate exists already.
    """
    for one in added:
        one.check()
    rows = [_row(one, password_hashes.get(one.account), now, one_time=one_time) for one in added]
    await connection.execute(insert(account), rows)
    held = [one for person in added for one in person.certificates]
    if held:
        numbers = {one.number: one.account for one in held}
        await connection.execute(
            insert(certificate_number),
            [{"number": number, "account": name} for number, name in numbers.items()],
        )
        await connection.execute(insert(certificate), [_term(one) for one in held])


async def set_certificate(connection: AsyncConnection, held: Certificate) -> bool:
    """Add a term of validity, or change the last day of the one with the same number and first day.

    False where the number belongs to another account.
    """
    number = {"number": held.number, "account": held.account}
    await connection.execute(upsert(certificate_number).values(number).on_conflict_do_nothing())
    owner = select(certificate_number.c.account).where(certificate_number.c.number == held.number)
    if (await connection.execute(owner)).scalar() != held.account:
        return False
    await connection.execute(
        upsert(certificate)
        .values(_term(held))
        .on_conflict_do_update(
            index_elements=["number", "valid_from"], set_={"valid_to": held.valid_to}
        )
    )
    return True


async def remove_certificate(connection: AsyncConnection, held: Certificate) -> None:
    """Remove a term entered in error, and the number with its last one."""
    await connection.execute(
        delete(certificate).where(
            certificate.c.number == held.number, certificate.c.valid_from == held.valid_from
        )
    )
    left = select(certificate.c.number).where(certificate.c.number == held.number)
    await connection.execute(
        delete(certificate_number).where(certificate_number.c.number == held.number, ~left.exists())
    )


async def set_password(
    connection: AsyncConnection,
    name: str,
    password_hash: str,
    now: datetime,
    *,
    one_time: bool,
    previous: Sequence[str],
) -> None:
    """Give an account a password; it is no longer locked. `previous` are the hashes to remember."""
    await connection.execute(
        update(account)
        .where(account.c.account == name)
        .values(
            password_hash=password_hash,
            password_set_at=now,
            one_time=one_time,
            previous_hashes=list(previous),
            unlocked_at=now,
        )
    )


def stored_account(
    row: Row[*tuple[object, ...]], certificates: Sequence[Certificate] = ()
) -> Account:
    """The account in a row of the table `account`."""
    values = row._mapping  # noqa: SLF001  # SQLAlchemy's public name for a row's mapping
    return Account(
        account=values["account"],
        display_name=values["display_name"],
        roles=frozenset(Role(role) for role in values["roles"]),
        bureau=values["bureau"],
        certificates=tuple(certificates),
        disabled_at=values["disabled_at"],
    )


async def _held(
    connection: AsyncConnection, names: Sequence[str]
) -> defaultdict[str, list[Certificate]]:
    query = (
        select(certificate)
        .where(certificate.c.account.in_(names))
        .order_by(certificate.c.valid_from, certificate.c.number)
    )
    held: defaultdict[str, list[Certificate]] = defaultdict(list)
    for row in await connection.execute(query):
        held[row.account].append(_certificate(row))
    return held


def _certificate(row: Row[*tuple[object, ...]]) -> Certificate:
    values = row._mapping  # noqa: SLF001  # SQLAlchemy's public name for a row's mapping
    return Certificate(
        values["account"], values["number"], values["valid_from"], values["valid_to"]
    )


def _until(held: Certificate, disabled_at: datetime | None) -> Certificate | None:
    """The part of a certificate's term that lies before its account was disabled."""
    if disabled_at is None:
        return held
    last = min(held.valid_to, law_day(disabled_at))
    return None if last < held.valid_from else replace(held, valid_to=last)


def _term(held: Certificate) -> dict[str, object]:
    return {
        "number": held.number,
        "account": held.account,
        "valid_from": held.valid_from,
        "valid_to": held.valid_to,
    }


def _row(
    one: Account, password_hash: str | None, now: datetime, *, one_time: bool
) -> dict[str, object]:
    return {
        "account": one.account,
        "display_name": one.display_name,
        "password_hash": password_hash,
        "password_set_at": None if password_hash is None else now,
        "one_time": one_time,
        "previous_hashes": [],
        "roles": sorted(role.value for role in one.roles),
        "bureau": one.bureau,
        "disabled_at": one.disabled_at,
        "created_at": now,
    }
