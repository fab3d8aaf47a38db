"""The first accounts of a bureau, made on its machine before anybody can sign in.

Three administrators, kept apart (三员分立), each with a one-time password shown once. They make
every other account. Whoever runs the machine can also bring an administrator back who has lost
password and second factor; the witness is told of both.
"""

from dataclasses import dataclass
from typing import Final

from shared.identity.roles import ADMINISTRATORS, Role
from shared.issuer import accounts, notices, policy, second_factors, sessions
from shared.issuer.accounts import Account
from shared.issuer.issuer import Issuer
from shared.issuer.models import account
from shared.issuer.password_rules import one_time_password
from shared.issuer.policy import Policy
from shared.issuer.witness import INSTALLATION, Act, Action

FIRST: Final = (
    ("sysadmin", Role.SYSTEM_ADMIN),
    ("secadmin", Role.SECURITY_ADMIN),
    ("auditadmin", Role.AUDIT_ADMIN),
)


class InstallationError(Exception):
    """The first accounts cannot be made, or none is to be recovered; the message says why."""


@dataclass(frozen=True, slots=True)
class FirstAccount:
    """An administrator and the password to be changed at the first sign-in."""

    account: str
    role: Role
    one_time_password: str


async def install(issuer: Issuer, bureau: str) -> list[FirstAccount]:
    """Make the three administrators of `bureau` (行政区划代码), all or none.

    Raises `InstallationError` where there are accounts already, or the code is none.
    """
    made = [FirstAccount(name, role, one_time_password()) for name, role in FIRST]
    hashes = {one.account: await issuer.passwords.hash(one.one_time_password) for one in made}
    added = [Account(one.account, one.role.title, frozenset({one.role}), bureau) for one in made]
    now = issuer.now()
    async with issuer.engine.begin() as connection:
        if await policy.stored(connection) is not None:
            raise InstallationError(
                "数据目录中已有账号。正式使用请另设数据目录(ECOCASE_DATA);"
                "管理员丢失密码的,请用 ecocase users recover"
            )
        await policy.store(connection, Policy())
        try:
            await accounts.add(connection, added, hashes, now, one_time=True)
        except accounts.AccountRefusedError as refused:
            raise InstallationError(str(refused)) from refused
        for one in made:
            after = {"roles": [one.role.value]}
            act = Act(now, INSTALLATION, Action.CREATE, one.account, bureau, {}, after)
            await notices.tell(connection, issuer.witness, act)
    return made


async def recover(issuer: Issuer, name: str) -> str:
    """Give an administrator a one-time password, without second factor, lock or disablement.

    Raises `InstallationError` for any other account: the security administrator looks after those.
    """
    password = one_time_password()
    password_hash = await issuer.passwords.hash(password)
    now = issuer.now()
    async with issuer.engine.begin() as connection:
        row = await sessions.lock_account(connection, name)
        if row is None or ADMINISTRATORS.isdisjoint(Role(role) for role in row.roles):
            raise InstallationError(f"没有管理员账号 {name}")
        await accounts.set_password(
            connection, name, password_hash, now, one_time=True, previous=row.previous_hashes
        )
        await connection.execute(
            account.update().where(account.c.account == name).values(disabled_at=None)
        )
        had_factor = await second_factors.remove(connection, name)
        await sessions.end_all(connection, [name], now)
        before = {"disabled": row.disabled_at is not None, "second_factor": had_factor}
        after = {"disabled": False, "second_factor": False, "one_time": True}
        act = Act(now, INSTALLATION, Action.RESET_PASSWORD, name, row.bureau, before, after)
        await notices.tell(connection, issuer.witness, act, administrators=True)
    return password
