"""Demonstration accounts: made at the first start, so that one can sign in at once.

Unless a bureau has made its own first accounts before (`installation`).

They stand for functions, not for people. Their passwords are random and written to
`credentials.json` in the data folder (mode 0600): before the accounts are stored, so that a crash
between the two leaves nothing that cannot be used.
"""

import asyncio
import logging
import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import orjson

from shared.identity.officers import Certificate
from shared.identity.roles import Role
from shared.issuer import accounts as stored
from shared.issuer import policy, second_factors, sessions
from shared.issuer.accounts import Account
from shared.issuer.files import write_private
from shared.issuer.installation import InstallationError
from shared.issuer.issuer import Issuer

BUREAU: Final = "500152"
"""重庆市潼南区."""

CREDENTIALS: Final = "credentials.json"

_log = logging.getLogger(__name__)
_ORDINALS = "甲乙丙"
_VALID_FROM = date(2020, 1, 1)
_VALID_TO = date(2035, 12, 31)


@dataclass(frozen=True, slots=True)
class _Post:
    """Accounts of one role, `count` of them: `prefix1`, `prefix2` and so on."""

    prefix: str
    role: Role
    count: int


_POSTS = (
    _Post("officer", Role.INVESTIGATOR, 3),
    _Post("legal", Role.LEGAL, 2),
    _Post("committee", Role.COMMITTEE, 2),
    _Post("leader", Role.LEADER, 2),
    _Post("window", Role.WINDOW, 2),
    _Post("approver", Role.APPROVER, 2),
    _Post("mediator", Role.MEDIATOR, 1),
    _Post("petition", Role.PETITIONS, 2),
    _Post("supervisor", Role.SUPERVISOR, 1),
    _Post("importer", Role.IMPORTER, 1),
    _Post("sysadmin", Role.SYSTEM_ADMIN, 1),
    _Post("secadmin", Role.SECURITY_ADMIN, 1),
    _Post("auditadmin", Role.AUDIT_ADMIN, 1),
)


class CredentialsLostError(Exception):
    """The accounts exist, their passwords do not; the message says what to do."""


def demo_accounts() -> tuple[Account, ...]:
    """The accounts, in the order of `credentials.json`; every 执法人员 holds a certificate."""
    return tuple(_account(post, ordinal) for post in _POSTS for ordinal in range(1, post.count + 1))


async def ensure_demo_accounts(issuer: Issuer, data: Path) -> Path:
    """Make the accounts that do not exist yet; returns where their passwords are.

    A second start changes nothing. Raises `CredentialsLostError` where accounts exist without the
    file: other passwords are set by `reset_demo_accounts` alone.
    """
    accounts = demo_accounts()
    path = data / CREDENTIALS
    existing = await issuer.accounts.existing([one.account for one in accounts])
    missing = [one for one in accounts if one.account not in existing]
    known = _read(path)
    if existing and known is None:
        raise CredentialsLostError(
            f"演示账号已存在,但密码文件 {path} 不见了。密码只以哈希保存,无法找回;"
            "请执行 ecocase demo reset-passwords 重设全部演示账号的密码"
        )
    if not missing:
        return path
    passwords = {one.account: secrets.token_urlsafe(15) for one in missing} | (known or {})
    _write(path, issuer.url, passwords)
    hashes = await _hashes(issuer, {one.account: passwords[one.account] for one in missing})
    async with issuer.engine.begin() as connection:
        if await policy.stored(connection) is None:
            await policy.store(connection, policy.DEMONSTRATION)
        await stored.add(connection, missing, hashes, issuer.now(), one_time=False)
    _log.info("demonstration accounts made: %d", len(missing))
    return path


async def reset_demo_accounts(issuer: Issuer, data: Path) -> Path:
    """Give every demonstration account a new password, in a new file; ends their sessions.

    Raises `InstallationError` where the accounts are a bureau's own.
    """
    async with issuer.engine.connect() as connection:
        if not (await policy.in_force(connection)).demonstration:
            raise InstallationError("数据目录中没有演示账号")
    passwords = {one.account: secrets.token_urlsafe(15) for one in demo_accounts()}
    hashes = await _hashes(issuer, passwords)
    path = data / CREDENTIALS
    _write(path, issuer.url, passwords)
    now = issuer.now()
    async with issuer.engine.begin() as connection:
        for name, password_hash in sorted(hashes.items()):
            await sessions.lock_account(connection, name)
            await stored.set_password(
                connection, name, password_hash, now, one_time=False, previous=()
            )
            await second_factors.remove(connection, name)
        await sessions.end_all(connection, sorted(hashes), now)
    return path


def _account(post: _Post, ordinal: int) -> Account:
    name = f"{post.prefix}{ordinal}"
    held: tuple[Certificate, ...] = ()
    if post.role is Role.INVESTIGATOR:
        held = (Certificate(name, f"{BUREAU}-{ordinal:04}", _VALID_FROM, _VALID_TO),)
    title = post.role.title + (_ORDINALS[ordinal - 1] if post.count > 1 else "")
    return Account(name, title, frozenset({post.role}), BUREAU, held)


async def _hashes(issuer: Issuer, passwords: dict[str, str]) -> dict[str, str]:
    hashes = await asyncio.gather(*map(issuer.passwords.hash, passwords.values()))
    return dict(zip(passwords, hashes, strict=True))


def _read(path: Path) -> dict[str, str] | None:
    """The passwords in the file by account; None without a file."""
    try:
        document = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return {name: entry["password"] for name, entry in document["accounts"].items()}


def _write(path: Path, issuer_url: str, passwords: dict[str, str]) -> None:
    document: dict[str, Any] = {
        "issuer": issuer_url,
        "accounts": {
            one.account: {
                "password": passwords[one.account],
                "roles": sorted(role.value for role in one.roles),
                "title": one.display_name,
            }
            for one in demo_accounts()
        },
    }
    write_private(path, orjson.dumps(document, option=orjson.OPT_INDENT_2))
