"""One's own account: passwords that hold, and the second factor."""

from datetime import timedelta
from itertools import pairwise

import httpx
import pyotp
import pytest
from sqlalchemy import select

from shared.http.problem import Unavailable
from shared.identity.roles import Role
from shared.issuer.administration import Administration
from shared.issuer.countersigning import Countersigning
from shared.issuer.issuer import Issuer, SignInRules
from shared.issuer.models import second_factor
from shared.issuer.password_rules import one_time_password, weakness
from shared.issuer.proof import Proof
from shared.issuer.sealing import Seal
from tests.issuer.conftest import SECADMIN, SYSADMIN, Clock
from tests.issuer.people import HERE, OTHER, PASSWORD, Told, another, have, headers, problem, token

ME = "legal1"


@pytest.fixture(autouse=True)
async def people(issuer: Issuer) -> None:
    await have(issuer, (ME, Role.LEGAL), ("leader1", Role.LEADER))


async def _change(
    client: httpx.AsyncClient, new: str, old: str = PASSWORD, **more: str
) -> httpx.Response:
    asked = {"username": ME, "password": old, "new_password": new, **more}
    return await client.post("/password", json=asked)


async def _enrol(
    client: httpx.AsyncClient, clock: Clock, name: str = ME
) -> tuple[pyotp.TOTP, list[str]]:
    proof = {"username": name, "password": PASSWORD}
    made = await client.post("/second-factor", json=proof)
    assert made.headers["cache-control"] == "no-store"
    totp = pyotp.TOTP(made.json()["secret"])
    done = await client.post("/second-factor/confirm", json={**proof, "code": totp.at(clock.now)})
    assert done.status_code == 200, done.text
    clock.forward(seconds=30)
    codes: list[str] = done.json()["recovery_codes"]
    return totp, codes


@pytest.mark.parametrize(
    "password, reason",
    [
        ("Shan-Shui", "至少 10"),
        ("ganjing-shui-hao", "三类"),
        ("12345678901a", "三类"),
        ("Legal1-Shan-Shui", "不得包含账号"),
        ("Password123!", "过于常见"),
        ("Qwer1234!@", "过于常见"),
        ("Ab1!Ab1!Ab1!Ab1!Ab1!", "过于常见"),
    ],
)
async def test_a_weak_password_is_refused_and_the_old_one_stays(
    client: httpx.AsyncClient, password: str, reason: str
) -> None:
    answer = await _change(client, password)
    assert (answer.status_code, answer.json()["field"]) == (422, "new_password")
    assert reason in answer.json()["detail"]
    assert password not in answer.text
    assert (await token(client, ME)).status_code == 200


@pytest.mark.parametrize(
    "password", ["Shan-Shui9", "青山绿水Abc-2031-x", "correct horse Battery 9"]
)
def test_a_strong_password_is_taken(password: str) -> None:
    assert weakness(password, ME) is None


def test_one_time_passwords_differ() -> None:
    made = {one_time_password() for _ in range(50)}
    assert len(made) == 50
    assert all(len(one) == 19 for one in made)


async def test_a_change_ends_every_session_and_the_old_password(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    before = await headers(issuer, ME)
    assert (await client.get("/me", headers=before)).status_code == 200
    assert (await _change(client, OTHER)).status_code == 204
    assert (await client.get("/me", headers=before)).status_code == 401
    assert (await token(client, ME)).status_code == 401
    assert (await token(client, ME, OTHER)).status_code == 200


async def test_none_of_the_last_five_passwords_comes_again(client: httpx.AsyncClient) -> None:
    used = [PASSWORD, *(f"Qingshan-{number}-Lvshui" for number in range(4))]
    for old, new in pairwise(used):
        assert (await _change(client, new, old)).status_code == 204
    for one in used:
        answer = await _change(client, one, used[-1])
        assert answer.status_code == 422, one
        assert "最近 5 次" in answer.json()["detail"]
    assert (await _change(client, OTHER, used[-1])).status_code == 204
    assert (await _change(client, PASSWORD, OTHER)).status_code == 204


async def test_a_wrong_old_password_counts_as_a_failure_like_any(
    client: httpx.AsyncClient,
) -> None:
    for _ in range(5):
        assert (await _change(client, OTHER, "wrong")).status_code == 401
    assert (await _change(client, OTHER)).status_code == 429
    assert (await token(client, ME)).status_code == 429


async def test_a_password_ninety_days_old_can_only_be_changed(
    client: httpx.AsyncClient, clock: Clock
) -> None:
    clock.forward(days=89, hours=23)
    assert (await token(client, ME)).status_code == 200
    clock.forward(hours=1)
    answer = await token(client, ME)
    assert (answer.status_code, problem(answer)) == (403, "password-change-required")
    assert "90 天" in answer.json()["detail"]
    assert (await _change(client, OTHER)).status_code == 204
    assert (await token(client, ME, OTHER)).status_code == 200


async def test_a_one_time_password_is_to_be_used_within_three_days(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    acts = Administration(issuer, HERE)
    late = (await acts.reset_password(SECADMIN, ME)).secret or ""
    clock.forward(hours=72)
    for answer in (await token(client, ME, late), await _change(client, OTHER, late)):
        assert (answer.status_code, problem(answer)) == (403, "one-time-password-expired")
    another_one = (await acts.reset_password(SECADMIN, ME)).secret or ""
    clock.forward(hours=71, minutes=59)
    assert (await _change(client, OTHER, another_one)).status_code == 204


async def test_the_age_of_passwords_is_the_operators_to_set(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    issuer.rules = SignInRules(password_age=timedelta(days=30))
    clock.forward(days=30)
    assert (await token(client, ME)).status_code == 403


async def test_once_enrolled_a_code_is_asked_for(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    before = await headers(issuer, ME)
    totp, _ = await _enrol(client, clock)
    assert (await client.get("/me", headers=before)).status_code == 401
    missing = await token(client, ME)
    assert (missing.status_code, problem(missing)) == (401, "second-factor-required")
    wrong = await token(client, ME, code="000000")
    assert (wrong.status_code, problem(wrong)) == (401, "unauthenticated")
    assert (await token(client, ME, "wrong", totp.at(clock.now))).status_code == 401
    assert (await token(client, ME, code=totp.at(clock.now))).status_code == 200


async def test_a_code_is_good_once(client: httpx.AsyncClient, clock: Clock) -> None:
    totp, _ = await _enrol(client, clock)
    code = totp.at(clock.now)
    assert (await token(client, ME, code=code)).status_code == 200
    assert (await token(client, ME, code=code)).status_code == 401
    clock.forward(seconds=30)
    assert (await token(client, ME, code=code)).status_code == 401
    assert (await token(client, ME, code=totp.at(clock.now))).status_code == 200


async def test_the_code_that_enrolled_does_not_sign_in(
    client: httpx.AsyncClient, clock: Clock
) -> None:
    totp, _ = await _enrol(client, clock)
    assert (
        await token(client, ME, code=totp.at(clock.now - timedelta(seconds=30)))
    ).status_code == 401


async def test_wrong_codes_lock_like_wrong_passwords(
    client: httpx.AsyncClient, clock: Clock
) -> None:
    totp, _ = await _enrol(client, clock)
    for _ in range(5):
        assert (await token(client, ME, code="000000")).status_code == 401
    assert (await token(client, ME, code=totp.at(clock.now))).status_code == 429


async def test_a_recovery_code_stands_in_once(client: httpx.AsyncClient, clock: Clock) -> None:
    _, codes = await _enrol(client, clock)
    assert len(codes) == 10
    assert (await token(client, ME, code=codes[0])).status_code == 200
    assert (await token(client, ME, code=codes[0])).status_code == 401
    assert (await token(client, ME, code=codes[1])).status_code == 200


async def test_recovery_codes_are_renewed_with_a_code_and_the_old_ones_void(
    client: httpx.AsyncClient, clock: Clock
) -> None:
    totp, old = await _enrol(client, clock)
    proof = {"username": ME, "password": PASSWORD}
    assert (await client.post("/second-factor/confirm", json=proof)).status_code == 401
    renewed = await client.post(
        "/second-factor/confirm", json={**proof, "code": totp.at(clock.now)}
    )
    new = renewed.json()["recovery_codes"]
    assert (await token(client, ME, code=old[0])).status_code == 401
    assert (await token(client, ME, code=new[0])).status_code == 200


async def test_a_second_factor_counts_only_once_confirmed(
    client: httpx.AsyncClient, clock: Clock
) -> None:
    proof = {"username": ME, "password": PASSWORD}
    confirm = {**proof, "code": "000000"}
    nothing = await client.post("/second-factor/confirm", json=confirm)
    assert (nothing.status_code, problem(nothing)) == (409, "wrong-state")
    first = (await client.post("/second-factor", json=proof)).json()
    assert (await token(client, ME)).status_code == 200
    wrong = await client.post("/second-factor/confirm", json=confirm)
    assert (wrong.status_code, wrong.json()["field"]) == (422, "code")
    second = (await client.post("/second-factor", json=proof)).json()
    for secret, status in ((first["secret"], 422), (second["secret"], 200)):
        code = pyotp.TOTP(secret).at(clock.now)
        done = await client.post("/second-factor/confirm", json={**proof, "code": code})
        assert done.status_code == status
    clock.forward(seconds=30)
    code = pyotp.TOTP(second["secret"]).at(clock.now)
    again = await client.post("/second-factor", json={**proof, "code": code})
    assert (again.status_code, problem(again)) == (409, "wrong-state")


async def test_who_knows_a_one_time_password_cannot_enrol_with_it(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    one_time = (await Administration(issuer, HERE).reset_password(SECADMIN, ME)).secret
    answer = await client.post("/second-factor", json={"username": ME, "password": one_time})
    assert (answer.status_code, problem(answer)) == (403, "password-change-required")


async def test_a_role_that_asks_for_it_signs_in_with_a_second_factor_alone(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    acts = Administration(issuer, HERE)
    enrolled, _ = await _enrol(client, clock)
    mine = await headers(issuer, ME, enrolled.at(clock.now))
    leaders = await headers(issuer, "leader1")
    await acts.require_second_factor(SECADMIN, frozenset({Role.LEADER, Role.LEGAL}))
    assert (await client.get("/me", headers=leaders)).status_code == 401
    assert (await client.get("/me", headers=mine)).status_code == 200
    answer = await token(client, "leader1")
    assert (answer.status_code, problem(answer)) == (403, "second-factor-enrolment-required")
    totp, _ = await _enrol(client, clock, "leader1")
    assert (await token(client, "leader1", code=totp.at(clock.now))).status_code == 200
    loosened = (await acts.require_second_factor(SECADMIN, frozenset())).proposal
    assert loosened is not None
    await Countersigning(issuer, HERE).confirm(SYSADMIN, loosened.id)
    assert (await token(client, "leader1")).status_code == 401


async def test_a_lost_telephone_is_reset_by_the_security_administrator(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    told = issuer.witness = Told()
    await _enrol(client, clock)
    await Administration(issuer, HERE).reset_second_factor(SECADMIN, ME)
    assert (await token(client, ME)).status_code == 200
    assert [act.action.value for act in told.acts] == [
        "begin-second-factor",
        "enrol-second-factor",
        "reset-second-factor",
    ]


async def test_the_secret_is_sealed_for_its_account_with_a_key_of_the_data_folder(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    totp, codes = await _enrol(client, clock)
    async with issuer.engine.connect() as connection:
        row = (await connection.execute(select(second_factor))).one()
    assert totp.secret.encode() not in row.sealed_secret
    assert not any(code.encode() in repr(row).encode() for code in codes)
    assert issuer.seal.open(row.sealed_secret, ME) == totp.secret


async def test_another_key_is_a_problem_and_no_failure_of_the_account(
    client: httpx.AsyncClient,
    issuer: Issuer,
    clock: Clock,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    totp, _ = await _enrol(client, clock)
    moved = another(issuer, seal=Seal(tmp_path_factory.mktemp("another")))
    code = totp.at(clock.now)
    for _ in range(6):
        with pytest.raises(Unavailable):
            await moved.sign_in(Proof(ME, PASSWORD, code), HERE)
    assert (await token(client, ME, code=code)).status_code == 200


async def test_my_sessions_are_mine_to_see_and_end(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    first = await headers(issuer, ME)
    clock.forward(seconds=1)
    second, others = await headers(issuer, ME), await headers(issuer, "leader1")
    live = (await client.get("/me/sessions", headers=first)).json()["sessions"]
    assert [one["current"] for one in live] == [False, True]
    assert {one["address"] for one in live} == {"192.0.2.1"}
    assert (await client.delete("/me/session", headers=first)).json() == {"ended": 1}
    assert (await client.get("/me", headers=first)).status_code == 401
    assert (await client.get("/me", headers=second)).status_code == 200
    third = await headers(issuer, ME)
    assert (await client.delete("/me/sessions", headers=second)).json() == {"ended": 2}
    assert (await client.get("/me", headers=third)).status_code == 401
    assert (await client.get("/me", headers=others)).status_code == 200


async def test_an_idle_session_is_listed_no_more(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    await headers(issuer, ME)
    clock.forward(minutes=30)
    mine = await headers(issuer, ME)
    live = (await client.get("/me/sessions", headers=mine)).json()["sessions"]
    assert [one["current"] for one in live] == [True]
