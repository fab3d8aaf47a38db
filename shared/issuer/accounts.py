"""The accounts (账号) of the embedded issuer; also its directory of enforcement certificates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.identity.caller import is_account, is_bureau
from shared.identity.officers import Certificate, by_account
from shared.identity.roles import Role, incompatible
from shared.issuer.models import account, refresh_token


class AccountRefusedError(ValueError):
    """An account that may not exist as described; the message (Chinese) says why."""


@dataclass(frozen=True, slots=True)
class Account:
    """One person's account; `disabled_at` is an aware UTC time, None while it may sign in."""

    account: str
    display_name: str
    roles: frozenset[Role]
    bureau: str
    certificate: Certificate | None = None
    disabled_at: datetime | None = None

    def check(self) -> None:
        """Raises `AccountRefusedError` unless code, bureau and roles (三员分立) are allowed."""
        if not is_account(self.account):
            raise AccountRefusedError("账号须为代码,不得是姓名、手机号或身份证号")
        if not is_bureau(self.bureau):
            raise AccountRefusedError("行政区划代码应为六位数字")
        if not self.roles:
            raise AccountRefusedError("账号至少应有一个角色")
        if reason := incompatible(self.roles):
            raise AccountRefusedError(reason)
        if self.certificate is not None and self.certificate.account != self.account:
            raise AccountRefusedError("执法证件不属于该账号")


class Accounts:
    """Stored accounts. `engine` connects to the schema `identity`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(
        self, added: Sequence[Account], password_hashes: Mapping[str, str], now: datetime
    ) -> None:
        """Store `added`, all or none; `password_hashes` by account.

        Raises `AccountRefusedError`, or `sqlalchemy.exc.IntegrityError` where the account or its
        certificate number exists already.
        """
        for one in added:
            one.check()
        rows = [_row(one, password_hashes[one.account], now) for one in added]
        async with self._engine.begin() as connection:
            await connection.execute(insert(account), rows)

    async def find(self, name: str) -> Account | None:
        """The account named `name`, disabled ones included."""
        async with self._engine.connect() as connection:
            row = (
                await connection.execute(select(account).where(account.c.account == name))
            ).first()
        return None if row is None else stored_account(row)

    async def existing(self, names: Sequence[str]) -> frozenset[str]:
        """Which of `names` exist."""
        query = select(account.c.account).where(account.c.account.in_(names))
        async with self._engine.connect() as connection:
            return frozenset((await connection.execute(query)).scalars())

    async def set_passwords(self, password_hashes: Mapping[str, str]) -> None:
        """Give accounts new passwords and end all their sessions."""
        async with self._engine.begin() as connection:
            for name, password_hash in sorted(password_hashes.items()):
                await connection.execute(
                    update(account)
                    .where(account.c.account == name)
                    .values(password_hash=password_hash)
                )
            await connection.execute(
                delete(refresh_token).where(refresh_token.c.account.in_(password_hashes))
            )

    async def disable(self, name: str, now: datetime) -> None:
        """Let `name` sign in no more; access tokens already given run out within minutes."""
        async with self._engine.begin() as connection:
            await connection.execute(
                update(account).where(account.c.account == name).values(disabled_at=now)
            )
            await connection.execute(delete(refresh_token).where(refresh_token.c.account == name))

    async def certificates(
        self, accounts: Sequence[str], bureau: str
    ) -> Mapping[str, tuple[Certificate, ...]]:
        """See `OfficerDirectory`; a disabled account has no certificate."""
        query = select(account).where(
            account.c.account.in_([name for name in accounts if is_account(name)]),
            account.c.bureau == bureau,
            account.c.disabled_at.is_(None),
        )
        async with self._engine.connect() as connection:
            found = [stored_account(row) for row in await connection.execute(query)]
        return by_account(accounts, [one.certificate for one in found if one.certificate])


def stored_account(row: Row[*tuple[object, ...]]) -> Account:
    """The account in a row of the table `account`."""
    values = row._mapping  # noqa: SLF001  # SQLAlchemy's public name for a row's mapping
    number = values["certificate_number"]
    return Account(
        account=values["account"],
        display_name=values["display_name"],
        roles=frozenset(Role(role) for role in values["roles"]),
        bureau=values["bureau"],
        certificate=None
        if number is None
        else Certificate(
            values["account"], number, values["certificate_from"], values["certificate_to"]
        ),
        disabled_at=values["disabled_at"],
    )


def _row(one: Account, password_hash: str, now: datetime) -> dict[str, object]:
    certificate = one.certificate
    return {
        "account": one.account,
        "display_name": one.display_name,
        "password_hash": password_hash,
        "roles": sorted(role.value for role in one.roles),
        "bureau": one.bureau,
        "disabled_at": one.disabled_at,
        "certificate_number": certificate.number if certificate else None,
        "certificate_from": certificate.valid_from if certificate else None,
        "certificate_to": certificate.valid_to if certificate else None,
        "created_at": now,
    }
