"""Certificates over the years: the day of the act counts, past days included."""

from datetime import UTC, date, datetime

import httpx
import pytest

from shared.http.problem import InvalidInput, NotFound, WrongState
from shared.identity.officers import Certificate
from shared.identity.roles import Role
from shared.issuer.administration import Administration
from shared.issuer.issuer import Issuer
from tests.issuer.conftest import SECADMIN, SYSADMIN, Clock
from tests.issuer.people import BUREAU, HERE, Told, have, headers

OLD = Certificate("officer1", "A-1", date(2019, 1, 1), date(2023, 12, 31))
RENEWED = Certificate("officer1", "A-1", date(2024, 3, 1), date(2028, 12, 31))
OTHER = Certificate("officer1", "B-7", date(2029, 1, 1), date(2033, 12, 31))


@pytest.fixture(autouse=True)
async def people(issuer: Issuer) -> None:
    await have(issuer, ("officer1", Role.INVESTIGATOR), ("officer2", Role.INVESTIGATOR))
    await have(issuer, ("secadmin1", Role.SECURITY_ADMIN))


async def _valid(issuer: Issuer, day: date, name: str = "officer1") -> list[str]:
    held = await issuer.accounts.certificates([name], BUREAU)
    return [one.number for one in held[name] if one.valid_on(day)]


async def test_each_day_has_the_certificate_that_was_valid_on_it(issuer: Issuer) -> None:
    for held in (OTHER, OLD, RENEWED):
        await Administration(issuer, HERE).set_certificate(SECADMIN, held)
    days = {
        date(2018, 12, 31): [],
        date(2019, 1, 1): ["A-1"],
        date(2023, 12, 31): ["A-1"],
        date(2024, 1, 15): [],  # lapsed before it was renewed
        date(2024, 3, 1): ["A-1"],
        date(2029, 6, 1): ["B-7"],
        date(2034, 1, 1): [],
    }
    assert {day: await _valid(issuer, day) for day in days} == days


async def test_a_certificate_withdrawn_gets_an_earlier_last_day(issuer: Issuer) -> None:
    told = issuer.witness = Told()
    acts = Administration(issuer, HERE)
    withdrawn = Certificate("officer1", "A-1", date(2019, 1, 1), date(2021, 6, 30))
    for held in (OLD, OLD, withdrawn):
        await acts.set_certificate(SECADMIN, held)
    assert await _valid(issuer, date(2021, 6, 30)) == ["A-1"]
    assert await _valid(issuer, date(2021, 7, 1)) == []
    assert [(dict(act.before), dict(act.after)) for act in told.acts] == [
        ({"A-1": {}}, {"A-1": {"2019-01-01": "2023-12-31"}}),
        ({"A-1": {"2019-01-01": "2023-12-31"}}, {"A-1": {"2019-01-01": "2021-06-30"}}),
    ]


async def test_a_disabled_officer_keeps_the_days_up_to_the_disabling(
    issuer: Issuer, clock: Clock
) -> None:
    acts = Administration(issuer, HERE)
    await acts.set_certificate(SECADMIN, RENEWED)
    clock.now = datetime(2026, 5, 10, 18, tzinfo=UTC)  # the 11th in Shanghai
    await acts.disable(SYSADMIN, "officer1")
    assert await _valid(issuer, date(2025, 1, 1)) == ["A-1"]
    assert await _valid(issuer, date(2026, 5, 11)) == ["A-1"]
    assert await _valid(issuer, date(2026, 5, 12)) == []
    await acts.enable(SYSADMIN, "officer1")
    assert await _valid(issuer, date(2026, 5, 12)) == ["A-1"]


async def test_one_number_is_never_two_peoples(issuer: Issuer) -> None:
    acts = Administration(issuer, HERE)
    await acts.set_certificate(SECADMIN, OLD)
    same = Certificate("officer2", "A-1", date(2024, 3, 1), date(2028, 12, 31))
    with pytest.raises(WrongState, match="另一账号"):
        await acts.set_certificate(SECADMIN, same)
    assert await _valid(issuer, date(2025, 1, 1), "officer2") == []


async def test_what_was_entered_in_error_is_removed(issuer: Issuer) -> None:
    acts = Administration(issuer, HERE)
    for held in (OLD, RENEWED):
        await acts.set_certificate(SECADMIN, held)
    await acts.remove_certificate(SECADMIN, RENEWED)
    assert await _valid(issuer, date(2025, 1, 1)) == []
    assert await _valid(issuer, date(2020, 1, 1)) == ["A-1"]
    with pytest.raises(NotFound):
        await acts.remove_certificate(SECADMIN, RENEWED)
    await acts.remove_certificate(SECADMIN, OLD)
    await acts.set_certificate(
        SECADMIN, Certificate("officer2", "A-1", OLD.valid_from, OLD.valid_to)
    )
    assert await _valid(issuer, date(2020, 1, 1), "officer2") == ["A-1"]


async def test_days_the_wrong_way_round_are_refused(issuer: Issuer) -> None:
    wrong = Certificate("officer1", "A-1", date(2024, 1, 2), date(2024, 1, 1))
    with pytest.raises(InvalidInput):
        await Administration(issuer, HERE).set_certificate(SECADMIN, wrong)
    same_day = Certificate("officer1", "A-1", date(2024, 1, 1), date(2024, 1, 1))
    await Administration(issuer, HERE).set_certificate(SECADMIN, same_day)


async def test_services_are_answered_with_every_term(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    for held in (OLD, RENEWED):
        await Administration(issuer, HERE).set_certificate(SECADMIN, held)
    answer = await client.get(
        "/officers", params={"accounts": "officer1"}, headers=await headers(issuer, "officer2")
    )
    terms = [(one["valid_from"], one["valid_to"]) for one in answer.json()["certificates"]]
    assert terms == [("2019-01-01", "2023-12-31"), ("2024-03-01", "2028-12-31")]
