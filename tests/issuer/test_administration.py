"""Administrators kept apart (三员分立): who may do what to whose account, over HTTP."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.http.problem import RefusedByLaw, Unauthenticated
from shared.identity.caller import Caller
from shared.identity.roles import Role
from shared.issuer.administration import Administration
from shared.issuer.countersigning import Countersigning
from shared.issuer.issuer import Issuer
from shared.issuer.proof import Proof
from shared.issuer.witness import Action
from tests.issuer.conftest import SECADMIN, SYSADMIN, Clock
from tests.issuer.people import BUREAU, HERE, PASSWORD, Told, another, have, headers, problem, token

SYSTEM, SECURITY, AUDIT = "sysadmin1", "secadmin1", "auditadmin1"
ADMINISTRATORS = {
    SYSTEM: Role.SYSTEM_ADMIN,
    SECURITY: Role.SECURITY_ADMIN,
    AUDIT: Role.AUDIT_ADMIN,
}
TERM = {"valid_from": "2024-01-01", "valid_to": "2028-12-31"}

ROUTES: list[tuple[str, str, dict[str, Any] | None, set[str]]] = [
    ("GET", "/accounts", None, {SYSTEM, SECURITY, AUDIT}),
    ("GET", "/accounts/officer1", None, {SYSTEM, SECURITY, AUDIT}),
    ("GET", "/accounts/officer1/sessions", None, {SYSTEM, SECURITY, AUDIT}),
    ("GET", "/policy", None, {SYSTEM, SECURITY, AUDIT}),
    ("POST", "/accounts", {"account": "new1", "display_name": "新"}, {SYSTEM}),
    ("POST", "/accounts/officer1/disable", None, {SYSTEM}),
    ("POST", "/accounts/officer1/enable", None, {SYSTEM}),
    ("PUT", "/accounts/officer1/roles", {"roles": ["legal"]}, {SECURITY}),
    ("POST", "/accounts/officer1/password", None, {SECURITY}),
    ("POST", "/accounts/officer1/unlock", None, {SECURITY}),
    ("DELETE", "/accounts/officer1/second-factor", None, {SECURITY}),
    ("DELETE", "/accounts/officer1/sessions", None, {SECURITY}),
    ("PUT", "/accounts/officer1/certificates/A-1", TERM, {SECURITY}),
    ("DELETE", "/accounts/officer1/certificates/A-0?valid_from=2020-01-01", None, {SECURITY}),
    ("PUT", "/policy/second-factor-roles", {"roles": ["leader"]}, {SECURITY}),
]


@pytest.fixture(autouse=True)
async def people(issuer: Issuer) -> None:
    await have(issuer, ("officer1", Role.INVESTIGATOR), ("leader1", Role.LEADER))
    await have(issuer, *ADMINISTRATORS.items())


@pytest.fixture
def told(issuer: Issuer) -> Told:
    issuer.witness = Told()
    return issuer.witness


@pytest.mark.parametrize("method, path, body, allowed", ROUTES)
async def test_each_act_is_one_administrators_alone(
    client: httpx.AsyncClient,
    issuer: Issuer,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    allowed: set[str],
) -> None:
    await client.put(
        "/accounts/officer1/certificates/A-0",
        json={"valid_from": "2020-01-01", "valid_to": "2023-12-31"},
        headers=await headers(issuer, SECURITY),
    )
    for name in ["officer1", "leader1", *ADMINISTRATORS]:
        answer = await client.request(method, path, json=body, headers=await headers(issuer, name))
        if name in allowed:
            assert answer.is_success, answer.text
        else:
            assert (answer.status_code, problem(answer)) == (403, "role-forbidden")
    assert (await client.request(method, path, json=body)).status_code == 401


async def test_every_route_of_administration_is_in_the_table(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()["paths"]
    routes = {
        (method.upper(), path)
        for path, item in described.items()
        if path.startswith(("/accounts", "/policy"))
        for method in item
    }
    tried = {
        (method, path.partition("?")[0].replace("officer1", "{account}"))
        for method, path, _, _ in ROUTES
    }
    assert {
        (m, p.replace("A-1", "{number}").replace("A-0", "{number}")) for m, p in tried
    } == routes


@pytest.mark.parametrize(
    "name, method, path, body",
    [
        (SYSTEM, "POST", "/accounts/sysadmin1/disable", None),
        (SYSTEM, "POST", "/accounts/sysadmin1/enable", None),
        (SECURITY, "PUT", "/accounts/secadmin1/roles", {"roles": ["system_admin"]}),
        (SECURITY, "POST", "/accounts/secadmin1/password", None),
        (SECURITY, "DELETE", "/accounts/secadmin1/second-factor", None),
        (SECURITY, "PUT", "/accounts/secadmin1/certificates/A-1", TERM),
    ],
)
async def test_nobody_administers_their_own_account(
    client: httpx.AsyncClient,
    issuer: Issuer,
    name: str,
    method: str,
    path: str,
    body: dict[str, Any] | None,
) -> None:
    answer = await client.request(method, path, json=body, headers=await headers(issuer, name))
    assert (answer.status_code, problem(answer)) == (409, "refused-by-law")
    assert "自己的账号" in answer.json()["detail"]
    assert "22239" in answer.json()["article"]


@pytest.mark.parametrize(
    "roles, status",
    [
        (["system_admin", "security_admin"], 409),
        (["audit_admin", "leader"], 409),
        (["investigator", "legal"], 200),
        (["system_admin"], 202),
        ([], 200),
    ],
)
async def test_a_grant_that_joins_what_is_kept_apart_is_refused_by_name(
    client: httpx.AsyncClient, issuer: Issuer, roles: list[str], status: int
) -> None:
    answer = await client.put(
        "/accounts/officer1/roles",
        json={"roles": roles},
        headers=await headers(issuer, SECURITY),
    )
    assert answer.status_code == status
    if status == 409:
        assert "三员分立" in answer.json()["detail"]
        assert answer.json()["field"] == "roles"
    held = await issuer.accounts.find("officer1")
    assert held is not None
    expected = {Role(one) for one in roles} if status == 200 else {Role.INVESTIGATOR}
    assert held.roles == expected


async def test_a_new_account_has_neither_role_nor_password(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    asked = {"account": "officer9", "display_name": "执法人员"}
    by = await headers(issuer, SYSTEM)
    made = await client.post("/accounts", json=asked, headers=by)
    assert made.status_code == 201
    assert (made.json()["roles"], made.json()["has_password"]) == ([], False)
    assert made.json()["bureau"] == BUREAU
    again = await client.post("/accounts", json=asked, headers=by)
    assert (again.status_code, problem(again)) == (409, "wrong-state")
    assert (await token(client, "officer9")).status_code == 401


@pytest.mark.parametrize(
    "account", ["", "13800000000", "500152199001011234", "王某", "a b", "x" * 65]
)
async def test_an_account_that_may_not_exist_is_a_problem_of_the_field(
    client: httpx.AsyncClient, issuer: Issuer, account: str
) -> None:
    asked = {"account": account, "display_name": "某职"}
    answer = await client.post("/accounts", json=asked, headers=await headers(issuer, SYSTEM))
    assert (answer.status_code, answer.json()["field"]) == (422, "account")


async def test_from_one_time_password_to_the_first_sign_in(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    await Administration(issuer, HERE).create(SYSADMIN, "officer9", "执法人员")
    by = await headers(issuer, SECURITY)
    reset = await client.post("/accounts/officer9/password", headers=by)
    one_time = reset.json()["one_time_password"]
    assert reset.headers["cache-control"] == "no-store"
    first = await token(client, "officer9", one_time)
    assert (first.status_code, problem(first)) == (403, "password-change-required")
    change = {"username": "officer9", "password": one_time, "new_password": PASSWORD}
    assert (await client.post("/password", json=change)).status_code == 204
    without = await token(client, "officer9")
    assert (without.status_code, problem(without)) == (403, "role-forbidden")
    await client.put("/accounts/officer9/roles", json={"roles": ["window"]}, headers=by)
    assert (await token(client, "officer9")).status_code == 200
    assert (await token(client, "officer9", one_time)).status_code == 401


@pytest.mark.parametrize("how", ["disable", "strip"])
async def test_the_last_administrator_of_a_kind_stays(issuer: Issuer, how: str) -> None:
    acts = Administration(issuer, HERE)
    await have(issuer, ("sysadmin2", Role.SYSTEM_ADMIN), ("secadmin2", Role.SECURITY_ADMIN))
    others = {SYSTEM: "sysadmin2", SECURITY: "secadmin2", AUDIT: "auditadmin2"}

    async def lose(name: str) -> None:
        if how == "disable":
            done = await acts.disable(_caller("another", Role.SYSTEM_ADMIN), name)
        else:
            done = await acts.set_roles(_caller("another", Role.SECURITY_ADMIN), name, frozenset())
        if done.proposal is not None:
            by = _caller("third", Role.AUDIT_ADMIN)
            await Countersigning(issuer, HERE).confirm(by, done.proposal.id)

    with pytest.raises(RefusedByLaw, match="最后一个可用的审计管理员"):
        await lose(AUDIT)
    for first in (SYSTEM, SECURITY):
        await lose(first)
        with pytest.raises(RefusedByLaw, match="最后一个"):
            await lose(others[first])
    await lose("officer1")


async def test_two_who_go_at_once_do_not_leave_the_bureau_without(issuer: Issuer) -> None:
    await have(issuer, ("sysadmin2", Role.SYSTEM_ADMIN))
    acts, by = Administration(issuer, HERE), _caller("another", Role.SYSTEM_ADMIN)
    proposed = [(await acts.disable(by, name)).proposal for name in (SYSTEM, "sysadmin2")]
    outcomes = await asyncio.gather(
        *(Countersigning(issuer, HERE).confirm(SECADMIN, one.id) for one in proposed if one),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in outcomes) == ["RefusedByLaw", "tuple"]


async def test_whom_nobody_has_signed_in_as_yet_does_not_replace_the_last(issuer: Issuer) -> None:
    acts = Administration(issuer, HERE)
    await acts.create(SYSADMIN, "auditadmin2", "审计管理员乙")
    granted = await acts.set_roles(SECADMIN, "auditadmin2", frozenset({Role.AUDIT_ADMIN}))
    assert granted.proposal is not None
    await Countersigning(issuer, HERE).confirm(SYSADMIN, granted.proposal.id)
    with pytest.raises(RefusedByLaw, match="最后一个可用的审计管理员"):
        await acts.disable(SYSADMIN, AUDIT)


async def test_another_bureaus_accounts_are_not_to_be_found(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    await have(
        issuer, ("elsewhere1", Role.LEGAL), ("sysadmin3", Role.SYSTEM_ADMIN), bureau="500151"
    )
    by = await headers(issuer, SECURITY)
    for method, path, body in (
        ("GET", "/accounts/elsewhere1", None),
        ("PUT", "/accounts/elsewhere1/roles", {"roles": []}),
        ("POST", "/accounts/nobody/password", None),
    ):
        answer = await client.request(method, path, json=body, headers=by)
        assert answer.status_code == 404, answer.text
    untouched = await issuer.accounts.find("elsewhere1")
    assert untouched is not None
    assert untouched.roles == {Role.LEGAL}
    listed = (await client.get("/accounts", headers=by)).json()["accounts"]
    assert [one["account"] for one in listed] == sorted([*ADMINISTRATORS, "leader1", "officer1"])
    page = await client.get("/accounts?limit=2&after=leader1", headers=by)
    assert [one["account"] for one in page.json()["accounts"]] == ["officer1", "secadmin1"]
    with pytest.raises(RefusedByLaw, match="最后一个"):
        await Administration(issuer, HERE).disable(SYSADMIN_OF_ANOTHER, SYSTEM)


async def test_every_act_is_told_with_before_and_after_and_no_secret(
    issuer: Issuer, told: Told, clock: Clock
) -> None:
    acts = Administration(issuer, HERE)
    await acts.create(SYSADMIN, "officer9", "执法人员乙")
    await acts.set_roles(SECADMIN, "officer9", frozenset({Role.WINDOW}))
    password = (await acts.reset_password(SECADMIN, "officer9")).secret
    assert password is not None
    await acts.disable(SYSADMIN, "officer9")
    await acts.enable(SYSADMIN, "officer9")
    await acts.require_second_factor(SECADMIN, frozenset({Role.LEADER}))
    assert [
        (act.by, act.action, act.on, dict(act.before), dict(act.after)) for act in told.acts
    ] == [
        (SYSTEM, Action.CREATE, "officer9", {}, {"roles": []}),
        (SECURITY, Action.SET_ROLES, "officer9", {"roles": []}, {"roles": ["window"]}),
        (SECURITY, Action.RESET_PASSWORD, "officer9", {}, {"one_time": True}),
        (SYSTEM, Action.DISABLE, "officer9", {"disabled": False}, {"disabled": True}),
        (SYSTEM, Action.ENABLE, "officer9", {"disabled": True}, {"disabled": False}),
        (
            SECURITY,
            Action.CHANGE_POLICY,
            "",
            {"second_factor_roles": []},
            {"second_factor_roles": ["leader"]},
        ),
    ]
    assert {act.at for act in told.acts} == {clock.now}
    assert password not in repr(told.acts)
    assert "执法人员乙" not in repr(told.acts)


async def test_a_repeated_request_changes_nothing_and_is_no_act(issuer: Issuer, told: Told) -> None:
    acts = Administration(issuer, HERE)
    for _ in range(2):
        await acts.set_roles(SECADMIN, "officer1", frozenset({Role.LEGAL}))
        await acts.disable(SYSADMIN, "leader1")
    assert len(told.acts) == 2
    with pytest.raises(RefusedByLaw):
        await acts.disable(SYSADMIN, SYSTEM)
    assert len(told.acts) == 2


async def test_an_act_that_cannot_be_told_is_not_done(issuer: Issuer) -> None:
    class Deaf(Told):
        async def administered(self, *_: object) -> None:
            raise RuntimeError

    issuer.witness = Deaf()
    with pytest.raises(RuntimeError):
        await Administration(issuer, HERE).disable(SYSADMIN, "officer1")
    held = await issuer.accounts.find("officer1")
    assert held is not None
    assert held.disabled_at is None


async def test_a_lock_is_seen_and_ended_by_the_security_administrator(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    for _ in range(5):
        assert (await token(client, "officer1", "wrong")).status_code == 401
    held = await token(client, "officer1")
    assert (held.status_code, held.headers["retry-after"]) == (429, "1800")
    by = await headers(issuer, SECURITY)
    seen = (await client.get("/accounts/officer1", headers=by)).json()
    assert datetime.fromisoformat(seen["locked_until"]) == clock.now + timedelta(minutes=30)
    unlocked = await client.post("/accounts/officer1/unlock", headers=by)
    assert unlocked.json()["locked_until"] is None
    assert (await token(client, "officer1")).status_code == 200


async def test_a_lock_leaves_open_sessions_alone(client: httpx.AsyncClient) -> None:
    open_one = (await token(client, "officer1")).json()
    for _ in range(5):
        await token(client, "officer1", "wrong")
    assert (await token(client, "officer1")).status_code == 429
    renewal = {"grant_type": "refresh_token", "refresh_token": open_one["refresh_token"]}
    assert (await client.post("/token", json=renewal)).status_code == 200


async def test_a_disabled_account_signs_in_again_once_enabled(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    acts = Administration(issuer, HERE)
    await acts.disable(SYSADMIN, "officer1")
    assert (await token(client, "officer1")).status_code == 401
    await acts.enable(SYSADMIN, "officer1")
    assert (await token(client, "officer1")).status_code == 200


async def test_attempts_to_sign_in_are_told_at_one_place(issuer: Issuer) -> None:
    told = Told()
    watched = another(issuer, witness=told)
    grant = await watched.sign_in(Proof("officer1", PASSWORD), HERE)
    with pytest.raises(Unauthenticated):
        await watched.sign_in(Proof("王某", PASSWORD), HERE)
    await watched.refresh(grant.refresh_token, HERE)
    assert [(one.outcome.value, one.account, one.origin) for one in told.attempts] == [
        ("accepted", "officer1", HERE),
        ("refused", None, HERE),
    ]


def _caller(name: str, role: Role, bureau: str = BUREAU) -> Caller:
    return Caller(name, frozenset({role}), bureau, "http://issuer.test")


SYSADMIN_OF_ANOTHER = _caller("another", Role.SYSTEM_ADMIN)
