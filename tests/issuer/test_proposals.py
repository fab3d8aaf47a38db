"""What takes two administrators (双人办理): proposed by one, confirmed by one of another kind."""

import asyncio
from typing import Any

import httpx
import pyotp
import pytest
from sqlalchemy import select

from shared.identity.roles import Role
from shared.issuer import models, policy
from shared.issuer.issuer import Issuer
from shared.issuer.models import proposal
from shared.issuer.policy import Policy
from shared.issuer.proof import Proof
from tests.issuer.conftest import Clock
from tests.issuer.people import HERE, OTHER, PASSWORD, have, headers, problem, token

SYSTEM, SECURITY, AUDIT = "sysadmin1", "secadmin1", "auditadmin1"
KINDS = {
    SYSTEM: Role.SYSTEM_ADMIN,
    SECURITY: Role.SECURITY_ADMIN,
    AUDIT: Role.AUDIT_ADMIN,
    "sysadmin2": Role.SYSTEM_ADMIN,
    "secadmin2": Role.SECURITY_ADMIN,
    "auditadmin2": Role.AUDIT_ADMIN,
}

TAKES_TWO: list[tuple[str, str, str, dict[str, Any] | None]] = [
    (SYSTEM, "POST", "/accounts/auditadmin1/disable", None),
    (SYSTEM, "POST", "/accounts/secadmin1/disable", None),
    (SECURITY, "PUT", "/accounts/auditadmin1/roles", {"roles": []}),
    (SECURITY, "PUT", "/accounts/auditadmin1/roles", {"roles": ["system_admin"]}),
    (SECURITY, "PUT", "/accounts/officer1/roles", {"roles": ["audit_admin"]}),
    (SECURITY, "POST", "/accounts/auditadmin1/password", None),
    (SECURITY, "POST", "/accounts/sysadmin1/password", None),
    (SECURITY, "POST", "/accounts/secadmin2/password", None),
]


@pytest.fixture(autouse=True)
async def people(issuer: Issuer) -> None:
    await have(issuer, ("officer1", Role.INVESTIGATOR), *KINDS.items())


class Office:
    """Administrators at work over HTTP."""

    def __init__(self, client: httpx.AsyncClient, issuer: Issuer) -> None:
        self.client = client
        self.issuer = issuer

    async def ask(self, by: str, method: str, path: str, body: Any = None) -> httpx.Response:
        signed = await headers(self.issuer, by)
        return await self.client.request(method, path, json=body, headers=signed)

    async def propose(self, by: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = await self.ask(by, method, path, body)
        assert answer.status_code == 202, answer.text
        assert answer.headers["cache-control"] == "no-store"
        made: dict[str, Any] = answer.json()
        return made

    async def confirm(self, by: str, made: dict[str, Any]) -> httpx.Response:
        return await self.ask(by, "POST", f"/proposals/{made['id']}/confirm")

    async def refuse(self, by: str, made: dict[str, Any]) -> httpx.Response:
        return await self.ask(by, "POST", f"/proposals/{made['id']}/refuse")

    async def shown(self, name: str) -> dict[str, Any]:
        account: dict[str, Any] = (await self.ask("auditadmin2", "GET", f"/accounts/{name}")).json()
        return account

    async def decisions(self) -> list[str]:
        found = (await self.ask("auditadmin2", "GET", "/proposals")).json()["proposals"]
        return [one["decision"] for one in found]


@pytest.fixture
def office(client: httpx.AsyncClient, issuer: Issuer) -> Office:
    return Office(client, issuer)


@pytest.mark.parametrize("by, method, path, body", TAKES_TWO)
async def test_what_touches_an_administrator_waits_for_another_kind(
    office: Office, by: str, method: str, path: str, body: dict[str, Any] | None
) -> None:
    name = path.split("/")[2]
    before = await office.shown(name)
    made = await office.propose(by, method, path, body)
    assert (made["account"], made["proposed_by"], made["decision"]) == (name, by, "open")
    assert await office.shown(name) == before
    [listed] = (await office.ask(AUDIT, "GET", "/proposals")).json()["proposals"]
    assert listed == {**made, "one_time_password_part": None}
    same_kind = by.replace("1", "2")
    for unfit in {same_kind, by, name} - {"officer1"}:
        answer = await office.confirm(unfit, made)
        assert (answer.status_code, problem(answer)) == (409, "refused-by-law"), unfit
    nobody = await office.confirm("officer1", made)
    assert (nobody.status_code, problem(nobody)) == (403, "role-forbidden")
    assert await office.shown(name) == before
    third = next(one for one in (SYSTEM, AUDIT, SECURITY) if one not in {by, name})
    done = await office.confirm(third, made)
    assert (done.status_code, done.json()["decision"]) == (200, "confirmed"), done.text
    assert (done.json()["decided_by"], done.json()["after"]) == (third, made["after"])
    assert await office.shown(name) != before


async def test_a_one_time_password_is_handed_out_by_two_of_whom_neither_can_use_it(
    office: Office, client: httpx.AsyncClient, issuer: Issuer
) -> None:
    made = await office.propose(SECURITY, "POST", "/accounts/auditadmin1/password")
    first = made["one_time_password_part"]
    async with issuer.engine.connect() as connection:
        stored = (await connection.execute(select(proposal))).one()
    assert first not in repr(stored)
    assert (await token(client, AUDIT)).status_code == 200
    done = await office.confirm(SYSTEM, made)
    second = done.json()["one_time_password_part"]
    assert done.headers["cache-control"] == "no-store"
    for half in (first, second, PASSWORD):
        assert (await token(client, AUDIT, half)).status_code == 401
    whole = f"{first}-{second}"
    assert (await token(client, AUDIT, whole)).status_code == 403
    change = {"username": AUDIT, "password": whole, "new_password": OTHER}
    assert (await client.post("/password", json=change)).status_code == 204
    async with issuer.engine.connect() as connection:
        stored = (await connection.execute(select(proposal))).one()
    assert stored.sealed_part is None
    again = await office.confirm(SYSTEM, made)
    assert (again.status_code, again.json()["one_time_password_part"]) == (200, None)
    assert (await token(client, AUDIT, OTHER)).status_code == 200


async def test_a_lost_answer_to_a_proposal_gives_another_part_and_voids_the_first(
    office: Office, client: httpx.AsyncClient
) -> None:
    lost, made = [
        await office.propose(SECURITY, "POST", "/accounts/auditadmin1/password") for _ in range(2)
    ]
    assert (await office.confirm(SYSTEM, lost)).status_code == 409
    second = (await office.confirm(SYSTEM, made)).json()["one_time_password_part"]
    for first, status in ((lost, 401), (made, 403)):
        whole = f"{first['one_time_password_part']}-{second}"
        assert (await token(client, AUDIT, whole)).status_code == status
    assert await office.decisions() == ["confirmed", "replaced"]


async def test_the_other_two_help_the_administrator_whose_act_it_would_be(office: Office) -> None:
    for by, name, status in (
        (SYSTEM, SECURITY, 202),
        (AUDIT, "secadmin2", 202),
        (SYSTEM, AUDIT, 403),
        (AUDIT, SYSTEM, 403),
    ):
        answer = await office.ask(by, "POST", f"/accounts/{name}/password")
        assert answer.status_code == status, (by, name)
    assert (await office.ask(SECURITY, "POST", f"/accounts/{AUDIT}/disable")).status_code == 403
    assert (await office.ask(SECURITY, "POST", f"/accounts/{SYSTEM}/disable")).status_code == 202
    assert (await office.ask(AUDIT, "POST", "/accounts/sysadmin2/disable")).status_code == 202


async def test_whoever_becomes_an_administrator_begins_with_a_new_password_and_telephone(
    office: Office, client: httpx.AsyncClient, clock: Clock
) -> None:
    proof = {"username": "officer1", "password": PASSWORD}
    totp = pyotp.TOTP((await client.post("/second-factor", json=proof)).json()["secret"])
    code = {"code": totp.at(clock.now)}
    assert (await client.post("/second-factor/confirm", json={**proof, **code})).is_success
    made = await office.propose(
        SECURITY, "PUT", "/accounts/officer1/roles", {"roles": ["audit_admin"]}
    )
    assert made["after"] == {"roles": ["audit_admin"], "has_password": False}
    assert (await office.confirm(SYSTEM, made)).status_code == 200
    shown = await office.shown("officer1")
    assert (shown["has_password"], shown["second_factor"]) == (False, False)
    clock.forward(seconds=30)
    assert (await token(client, "officer1", code=totp.at(clock.now))).status_code == 401
    assert (await office.ask(SECURITY, "POST", "/accounts/officer1/password")).status_code == 202


async def test_an_administrator_disabled_or_locked_comes_back_by_two_hands(
    office: Office, client: httpx.AsyncClient
) -> None:
    disabling = await office.propose(SYSTEM, "POST", "/accounts/auditadmin1/disable")
    assert (await office.confirm(SECURITY, disabling)).status_code == 200
    assert (await token(client, AUDIT)).status_code == 401
    enabling = await office.propose(SYSTEM, "POST", "/accounts/auditadmin1/enable")
    assert (await token(client, AUDIT)).status_code == 401
    assert (await office.confirm(SECURITY, enabling)).status_code == 200
    for _ in range(3):
        assert (await token(client, AUDIT, "wrong")).status_code == 401
    unlocking = await office.propose(SECURITY, "POST", "/accounts/auditadmin1/unlock")
    assert (await token(client, AUDIT)).status_code == 429
    assert (await office.confirm(SYSTEM, unlocking)).status_code == 200
    assert (await token(client, AUDIT)).status_code == 200


async def test_a_second_factor_of_an_administrator_is_reset_by_two(
    office: Office, client: httpx.AsyncClient, clock: Clock
) -> None:
    proof = {"username": AUDIT, "password": PASSWORD}
    totp = pyotp.TOTP((await client.post("/second-factor", json=proof)).json()["secret"])
    code = {"code": totp.at(clock.now)}
    assert (await client.post("/second-factor/confirm", json={**proof, **code})).is_success
    made = await office.propose(SECURITY, "DELETE", "/accounts/auditadmin1/second-factor")
    assert (await token(client, AUDIT)).status_code == 401
    assert (await office.confirm("sysadmin2", made)).status_code == 200
    assert (await token(client, AUDIT)).status_code == 200


async def test_a_proposal_ends_after_a_day(office: Office, clock: Clock) -> None:
    path = "/accounts/auditadmin1/disable"
    made = await office.propose(SYSTEM, "POST", path)
    clock.forward(hours=24)
    late = await office.confirm(SECURITY, made)
    assert (late.status_code, problem(late)) == (409, "wrong-state")
    assert "过期" in late.json()["detail"]
    assert await office.decisions() == ["expired"]
    again = await office.propose("sysadmin2", "POST", path)
    clock.forward(hours=23, minutes=59)
    assert (await office.confirm(SECURITY, again)).status_code == 200
    assert await office.decisions() == ["confirmed", "expired"]


async def test_a_proposal_is_refused_by_another_and_withdrawn_by_its_proposer(
    office: Office,
) -> None:
    path = "/accounts/secadmin2/disable"
    for by, decision in ((AUDIT, "refused"), (SYSTEM, "withdrawn")):
        made = await office.propose(SYSTEM, "POST", path)
        for _ in range(2):
            refused = await office.refuse(by, made)
            assert (refused.status_code, refused.json()["decision"]) == (200, decision)
        late = await office.confirm(SECURITY, made)
        assert (late.status_code, problem(late)) == (409, "wrong-state")
    made = await office.propose(SYSTEM, "POST", path)
    owner = await office.refuse("secadmin2", made)
    assert (owner.status_code, problem(owner)) == (409, "refused-by-law")
    assert (await office.refuse("officer1", made)).status_code == 403
    assert (await office.shown("secadmin2"))["disabled_at"] is None


async def test_asked_again_it_is_the_same_proposal_and_another_has_to_wait(office: Office) -> None:
    path, body = "/accounts/auditadmin1/roles", {"roles": ["system_admin"]}
    made = await office.propose(SECURITY, "PUT", path, body)
    assert await office.propose(SECURITY, "PUT", path, body) == made
    other = await office.ask("secadmin2", "PUT", path, {"roles": []})
    assert (other.status_code, problem(other)) == (409, "wrong-state")
    changed = await office.propose(SECURITY, "PUT", path, {"roles": []})
    assert changed["id"] != made["id"]
    assert await office.decisions() == ["open", "replaced"]
    assert (await office.confirm(SYSTEM, made)).status_code == 409


async def test_what_has_changed_since_has_to_be_proposed_anew(office: Office) -> None:
    path = "/accounts/officer1/roles"
    made = await office.propose(SECURITY, "PUT", path, {"roles": ["audit_admin"]})
    assert (await office.ask(SECURITY, "PUT", path, {"roles": ["legal"]})).status_code == 200
    late = await office.confirm(SYSTEM, made)
    assert (late.status_code, problem(late)) == (409, "wrong-state")
    assert "已有变化" in late.json()["detail"]
    assert [one["role"] for one in (await office.shown("officer1"))["roles"]] == ["legal"]


async def test_a_proposal_falls_with_its_proposer(office: Office) -> None:
    made = await office.propose("secadmin2", "POST", "/accounts/auditadmin1/password")
    disabling = await office.propose(SYSTEM, "POST", "/accounts/secadmin2/disable")
    assert (await office.confirm(AUDIT, disabling)).status_code == 200
    late = await office.confirm(SYSTEM, made)
    assert (late.status_code, problem(late)) == (409, "wrong-state")
    assert "申请人" in late.json()["detail"]


async def test_two_who_confirm_at_once_do_it_once(office: Office) -> None:
    made = await office.propose(SECURITY, "POST", "/accounts/auditadmin1/password")
    answers = await asyncio.gather(*(office.confirm(by, made) for by in (SYSTEM, "sysadmin2")))
    assert sorted(one.status_code for one in answers) == [200, 409]


async def test_proposals_of_another_bureau_are_not_to_be_found(
    office: Office, issuer: Issuer
) -> None:
    await have(issuer, ("sysadmin3", Role.SYSTEM_ADMIN), bureau="500151")
    made = await office.propose(SECURITY, "POST", "/accounts/auditadmin1/password")
    assert (await office.ask("sysadmin3", "GET", "/proposals")).json() == {"proposals": []}
    assert (await office.confirm("sysadmin3", made)).status_code == 404
    assert (await office.refuse("sysadmin3", made)).status_code == 404
    assert (await office.ask("officer1", "GET", "/proposals")).status_code == 403


async def test_nothing_to_change_is_nothing_to_propose(office: Office) -> None:
    for path in ("enable", "unlock"):
        by = SYSTEM if path == "enable" else SECURITY
        answer = await office.ask(by, "POST", f"/accounts/auditadmin1/{path}")
        assert answer.status_code == 200
    assert await office.decisions() == []


async def test_the_owner_is_told_at_sign_in_however_often_somebody_signed_in_before(
    office: Office, client: httpx.AsyncClient, clock: Clock
) -> None:
    assert (await token(client, "officer1")).json()["notices"] == []
    reset = await office.ask(SECURITY, "POST", "/accounts/officer1/password")
    change = {"username": "officer1", "password": reset.json()["one_time_password"]}
    await client.post("/password", json={**change, "new_password": OTHER})
    for _ in range(2):
        notices = (await token(client, "officer1", OTHER)).json()["notices"]
        assert [(one["action"], one["title"], one["by"]) for one in notices] == [
            ("change-password", "修改密码", "officer1"),
            ("reset-password", "重置密码", SECURITY),
        ]
    mine = (await token(client, "officer1", OTHER)).json()["access_token"]
    told = await client.get("/me/notices", headers={"Authorization": f"Bearer {mine}"})
    assert told.json()["notices"] == notices
    clock.forward(days=30)
    assert (await token(client, "officer1", OTHER)).json()["notices"] == []


async def test_administrators_are_told_of_each_others_accounts(
    office: Office, client: httpx.AsyncClient
) -> None:
    made = await office.propose(SECURITY, "POST", "/accounts/auditadmin1/password")
    await office.confirm(SYSTEM, made)
    await office.ask(SECURITY, "POST", "/accounts/officer1/password")
    both = [("auditadmin1", "reset-password", SYSTEM), ("auditadmin1", "propose", SECURITY)]
    for name, expected in (("secadmin2", both), (SYSTEM, both[1:]), ("auditadmin2", both)):
        notices = (await token(client, name)).json()["notices"]
        assert [(one["account"], one["action"], one["by"]) for one in notices] == expected


async def test_a_sign_in_tells_of_the_one_before_and_the_failures_since(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    assert (await token(client, "officer1")).json()["previous_sign_in"] is None
    began = clock.now
    clock.forward(hours=1)
    for _ in range(3):
        await token(client, "officer1", "wrong")
    before = (await token(client, "officer1")).json()["previous_sign_in"]
    assert before == {
        "at": began.isoformat().replace("+00:00", "Z"),
        "address": "127.0.0.1",
        "failures": 3,
    }
    again = await issuer.sign_in(Proof("officer1", PASSWORD), HERE)
    assert again.previous is not None
    assert again.previous.failures == 0


async def _earnest(issuer: Issuer) -> None:
    """Make the accounts those of a bureau, not of the demonstration."""
    async with issuer.engine.begin() as connection:
        await connection.execute(models.policy.delete())
        await policy.store(connection, Policy())


@pytest.mark.parametrize("left_out", ["system_admin", "security_admin", "audit_admin"])
async def test_no_administrator_signs_in_by_a_password_alone(
    client: httpx.AsyncClient, issuer: Issuer, left_out: str
) -> None:
    wanted = sorted({"system_admin", "security_admin", "audit_admin"} - {left_out})
    signed = await headers(issuer, SECURITY)
    await _earnest(issuer)
    answer = await client.put("/policy/second-factor-roles", json={"roles": wanted}, headers=signed)
    assert (answer.status_code, problem(answer)) == (409, "refused-by-law")
    assert answer.json()["field"] == "roles"
    assert "8.1.4.1 d" in answer.json()["article"]
    assert Role(left_out).title in answer.json()["detail"]
    async with issuer.engine.begin() as connection:
        await policy.change(connection, frozenset())
    for name in (SYSTEM, SECURITY, AUDIT):
        refused = await token(client, name)
        assert problem(refused) == "second-factor-enrolment-required"


async def test_a_rule_is_tightened_by_one_and_loosened_by_two(office: Office) -> None:
    path = "/policy/second-factor-roles"
    tightened = await office.ask(SECURITY, "PUT", path, {"roles": ["leader", "legal"]})
    assert tightened.status_code == 200
    for wanted in (["leader"], ["leader", "window"]):
        made = await office.propose(SECURITY, "PUT", path, {"roles": wanted})
        assert made["before"] == {"second_factor_roles": ["leader", "legal"]}
        assert made["after"] == {"second_factor_roles": wanted}
    asked = (await office.ask(AUDIT, "GET", "/policy")).json()["second_factor_roles"]
    assert [one["role"] for one in asked] == ["leader", "legal"]
    assert (await office.confirm("secadmin2", made)).status_code == 409
    assert (await office.confirm(AUDIT, made)).status_code == 200
    asked = (await office.ask(AUDIT, "GET", "/policy")).json()["second_factor_roles"]
    assert [one["role"] for one in asked] == ["leader", "window"]
