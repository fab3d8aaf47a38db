"""Accounts and certificates: what may exist, and what is answered about it."""

from datetime import date
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import IntegrityError

from shared.identity.officers import Certificate, HttpOfficerDirectory
from shared.identity.roles import Role
from shared.issuer.accounts import Account, AccountRefusedError
from shared.issuer.issuer import Issuer
from shared.issuer.models import metadata
from shared.issuer.proof import Proof
from shared.issuer.witness import Origin
from shared.postgres.database import Database
from shared.postgres.migrate import Migrations
from tests.issuer.conftest import store

PASSWORD = "correct horse"


def _officer(name: str, number: str, bureau: str = "500152") -> Account:
    certificate = Certificate(name, number, date(2020, 1, 1), date(2035, 12, 31))
    return Account(name, "执法人员", frozenset({Role.INVESTIGATOR}), bureau, (certificate,))


async def _add(issuer: Issuer, *added: Account) -> None:
    hashes = {one.account: await issuer.passwords.hash(PASSWORD) for one in added}
    await store(issuer, added, hashes)


async def test_the_migration_makes_the_tables_the_code_expects(database: Database) -> None:
    assert await Migrations(database).differences(metadata) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"account": "王某"},
        {"account": "13800000000"},
        {"bureau": "5001"},
        {"roles": frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN})},
        {"roles": frozenset({Role.AUDIT_ADMIN, Role.LEADER})},
        {"certificates": (Certificate("another", "2", date(2020, 1, 1), date(2035, 12, 31)),)},
    ],
)
async def test_an_account_that_may_not_exist_is_not_stored(
    issuer: Issuer, changed: dict[str, Any]
) -> None:
    usual: dict[str, Any] = {
        "account": "a1",
        "display_name": "甲",
        "roles": frozenset({Role.LEGAL}),
        "bureau": "500152",
    }
    refused = Account(**(usual | changed))
    with pytest.raises(AccountRefusedError):
        await _add(issuer, _officer("officer1", "1"), refused)
    assert await issuer.accounts.find("officer1") is None


async def test_a_stored_account_is_found_as_it_was(issuer: Issuer) -> None:
    officer = _officer("officer1", "1")
    await _add(issuer, officer)
    assert await issuer.accounts.find("officer1") == officer


async def test_two_accounts_cannot_share_a_certificate(issuer: Issuer) -> None:
    with pytest.raises(IntegrityError):
        await _add(issuer, _officer("officer1", "1"), _officer("officer2", "1"))


async def test_officers_are_asked_over_http_by_whoever_is_signed_in(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    officer = _officer("officer1", "1", "500151")
    window = Account("window1", "窗口甲", frozenset({Role.WINDOW}), "500152")
    await _add(issuer, officer, window)
    grant = await issuer.sign_in(Proof("window1", PASSWORD), Origin("192.0.2.1", ""))

    async def token() -> str:
        return grant.access_token

    directory = HttpOfficerDirectory("/officers", client, token)
    assert await directory.certificates(["officer1"], "500151") == {
        "officer1": officer.certificates
    }
    assert await directory.certificates(["officer1"], "500152") == {"officer1": ()}
    headers = {"Authorization": f"Bearer {grant.access_token}"}
    own = await client.get("/officers", params={"accounts": "officer1"}, headers=headers)
    assert own.json() == {"certificates": []}


@pytest.mark.parametrize(
    "query", ["", "?accounts=a&bureau=1", "?accounts=" + ",".join(f"a{n}" for n in range(101))]
)
async def test_a_malformed_question_about_officers_is_a_problem_of_the_fields(
    client: httpx.AsyncClient, issuer: Issuer, query: str
) -> None:
    await _add(issuer, _officer("officer1", "1"))
    grant = await issuer.sign_in(Proof("officer1", PASSWORD), Origin("192.0.2.1", ""))
    headers = {"Authorization": f"Bearer {grant.access_token}"}
    assert (await client.get(f"/officers{query}", headers=headers)).status_code == 422


@pytest.mark.parametrize("path", ["/me", "/officers?accounts=officer1"])
async def test_nothing_about_accounts_is_told_without_a_token(
    client: httpx.AsyncClient, path: str
) -> None:
    assert (await client.get(path)).status_code == 401


async def test_an_importer_sees_whom_it_acts_for(client: httpx.AsyncClient, issuer: Issuer) -> None:
    importer = Account("importer1", "导入", frozenset({Role.IMPORTER}), "500152")
    await _add(issuer, importer, _officer("officer1", "1"))
    grant = await issuer.sign_in(Proof("importer1", PASSWORD), Origin("192.0.2.1", ""))
    headers = {"Authorization": f"Bearer {grant.access_token}", "Ecocase-Actor": "officer1"}
    me = (await client.get("/me", headers=headers)).json()
    assert (me["account"], me["display_name"], me["importer"]) == (
        "officer1",
        "执法人员",
        "importer1",
    )
