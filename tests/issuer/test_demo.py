"""The demonstration accounts: made once, their passwords in one private file."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from shared.http.problem import Unauthenticated
from shared.identity.roles import Role
from shared.identity.tokens import TokenVerifier
from shared.issuer.demo import (
    CredentialsLostError,
    demo_accounts,
    ensure_demo_accounts,
    reset_demo_accounts,
)
from shared.issuer.issuer import Issuer
from shared.issuer.models import account
from shared.issuer.proof import Proof
from shared.issuer.witness import Origin
from shared.postgres.database import Database

HERE = Origin("192.0.2.1", "test")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def _credentials(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


async def _stored(database: Database) -> list[Any]:
    async with database.engine.connect() as connection:
        return list(await connection.execute(select(account).order_by(account.c.account)))


def test_every_role_has_an_account_and_none_a_name_of_a_person() -> None:
    accounts = demo_accounts()
    assert len(accounts) == 21
    assert {role for one in accounts for role in one.roles} == set(Role)
    for one in accounts:
        one.check()
        assert one.display_name.rstrip("甲乙丙") in {role.title for role in Role}


def test_only_officers_hold_certificates() -> None:
    numbers = {one.account: held.number for one in demo_accounts() for held in one.certificates}
    assert numbers == {
        "officer1": "500152-0001",
        "officer2": "500152-0002",
        "officer3": "500152-0003",
    }


async def test_every_account_in_the_file_can_sign_in(
    issuer: Issuer, data: Path, verifier: TokenVerifier
) -> None:
    path = await ensure_demo_accounts(issuer, data)
    assert path.stat().st_mode & 0o777 == 0o600
    written = _credentials(path)
    assert written["issuer"] == "http://issuer.test"
    assert list(written["accounts"]) == [one.account for one in demo_accounts()]
    assert written["accounts"]["officer1"]["title"] == "执法人员甲"
    for name, entry in written["accounts"].items():
        grant = await issuer.sign_in(Proof(name, entry["password"]), HERE)
        caller = await verifier.verify(f"Bearer {grant.access_token}")
        assert sorted(caller.roles) == entry["roles"]
    passwords = {entry["password"] for entry in written["accounts"].values()}
    assert len(passwords) == 21
    assert min(map(len, passwords)) >= 20


async def test_a_second_start_changes_nothing(
    issuer: Issuer, data: Path, database: Database
) -> None:
    path = await ensure_demo_accounts(issuer, data)
    before = (path.read_bytes(), path.stat().st_mtime_ns, await _stored(database))
    assert await ensure_demo_accounts(issuer, data) == path
    assert (path.read_bytes(), path.stat().st_mtime_ns, await _stored(database)) == before


async def test_a_lost_file_is_not_replaced_in_silence(
    issuer: Issuer, data: Path, database: Database
) -> None:
    path = await ensure_demo_accounts(issuer, data)
    path.unlink()
    before = await _stored(database)
    with pytest.raises(CredentialsLostError, match="reset-passwords"):
        await ensure_demo_accounts(issuer, data)
    assert not path.exists()
    assert await _stored(database) == before


async def test_a_reset_gives_new_passwords_and_ends_the_sessions(
    issuer: Issuer, data: Path
) -> None:
    path = await ensure_demo_accounts(issuer, data)
    old = _credentials(path)["accounts"]["legal1"]["password"]
    grant = await issuer.sign_in(Proof("legal1", old), HERE)
    await reset_demo_accounts(issuer, data)
    new = _credentials(path)["accounts"]["legal1"]["password"]
    with pytest.raises(Unauthenticated):
        await issuer.sign_in(Proof("legal1", old), HERE)
    with pytest.raises(Unauthenticated):
        await issuer.refresh(grant.refresh_token, HERE)
    await issuer.sign_in(Proof("legal1", new), HERE)


async def test_a_crash_between_file_and_accounts_is_made_good_by_the_next_start(
    issuer: Issuer, data: Path, database: Database
) -> None:
    path = await ensure_demo_accounts(issuer, data)
    written = path.read_bytes()
    async with database.connection() as connection:
        await connection.execute("TRUNCATE account CASCADE")
    await ensure_demo_accounts(issuer, data)
    assert path.read_bytes() == written
    password = _credentials(path)["accounts"]["officer2"]["password"]
    await issuer.sign_in(Proof("officer2", password), HERE)
