"""What is written at once and what is counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.audit.entry import Entry, Kind, Outcome
from shared.audit.repeats import MOST_WINDOWS, Repeats

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)


def refusal(
    account: str | None = "officer1", action: str = "POST /penalties", **more: str
) -> Entry:
    return Entry(
        kind=Kind(more.pop("kind", "refusal")),
        action=action,
        outcome=Outcome.REFUSED,
        account=account,
        address=more.pop("address", "192.0.2.1"),
        **more,  # type: ignore[arg-type]
    )


def attempt(account: str | None = "officer1", action: str = "登录", **more: str) -> Entry:
    return refusal(account, action, kind="sign-in", **more)


def test_the_first_ten_of_a_second_are_admitted_and_the_others_are_one_entry() -> None:
    repeats = Repeats()
    admitted = [repeats.admits(refusal(), AT, 0.01 * number) for number in range(30)]
    assert admitted == [True] * 10 + [False] * 20
    assert repeats.next_end() == 1.0
    assert repeats.ended(0.99) == []
    [(counted, since)] = repeats.ended(1.0)
    assert (counted.count, since) == (20, AT)
    assert repeats.admits(refusal(), AT, 1.0)


def test_whoever_pauses_begins_anew() -> None:
    repeats = Repeats()
    assert repeats.admits(refusal(), AT, 0.0)
    assert repeats.ended(1.0) == []
    assert repeats.next_end() == 3.0
    assert repeats.ended(3.0) == []
    assert repeats.next_end() is None


def test_other_accounts_routes_and_articles_are_counted_apart() -> None:
    repeats = Repeats()
    for _ in range(11):
        for one in (refusal(), refusal("officer2"), refusal(action="GET /"), refusal(article="1")):
            repeats.admits(one, AT, 0.0)
    assert [counted.count for counted, _ in repeats.ended(1.0)] == [1, 1, 1, 1]


def test_what_differs_between_counted_entries_is_left_out() -> None:
    repeats = Repeats()
    for number in range(13):
        repeats.admits(refusal(object_id=str(number), reason="须由局领导办理"), AT, 0.0)
    [(counted, _)] = repeats.ended(1.0)
    assert (counted.count, counted.object_id, counted.reason) == (3, None, "须由局领导办理")


def test_of_those_not_signed_in_one_a_minute_and_source_is_admitted() -> None:
    repeats = Repeats()
    sources = ["192.0.2.1", "192.0.2.2"]
    for second in range(60):
        for source in sources:
            admitted = repeats.admits(refusal(None, f"GET /{second}", address=source), AT, second)
            assert admitted is (second == 0)
    found = [counted for counted, _ in repeats.ended(60.0)]
    assert [(one.address, one.count, one.action) for one in found] == [
        ("192.0.2.1", 59, "*"),
        ("192.0.2.2", 59, "*"),
    ]


def test_tries_to_sign_in_are_told_apart_by_account_outcome_and_source() -> None:
    repeats = Repeats()
    tries = [
        attempt(),
        attempt("officer2"),
        attempt(action="登录：账号已锁定"),
        attempt(address="192.0.2.2"),
    ]
    for number in range(7):
        for one in tries:
            assert repeats.admits(one, AT, 0.1 * number) is (number < 5)
    assert [(one.account, one.action, one.address, one.count) for one, _ in repeats.ended(60)] == [
        (one.account, one.action, one.address, 2) for one in tries
    ]


def test_the_addresses_of_one_subscriber_are_one_source() -> None:
    repeats = Repeats()
    for number in range(5):
        assert repeats.admits(attempt(address=f"2001:db8::{number}"), AT, 0.0)
    assert not repeats.admits(attempt(address="2001:db8::ffff:1"), AT, 0.0)
    assert repeats.admits(attempt(address="2001:db8:0:1::1"), AT, 0.0)
    assert not repeats.admits(attempt(address="2001:db8::2"), AT, 0.0)
    [(counted, _)] = repeats.counted()
    assert (counted.count, counted.address) == (2, None)


def test_whoever_fails_all_day_leaves_few_entries_however_quick() -> None:
    repeats = Repeats()
    written = told = 0
    day = 24 * 3600
    for moment in range(0, day, 2):
        written += repeats.admits(attempt(), AT, moment)
        for counted, _ in repeats.ended(moment):
            written += 1
            told += counted.count
    admitted = sum(one.count for one, _ in repeats.counted())
    assert written < 200
    assert told + admitted + written > day // 2


def test_sources_without_end_are_counted_as_one() -> None:
    repeats = Repeats()
    for number in range(MOST_WINDOWS + 500):
        repeats.admits(refusal(None, address=f"2001:db8:{number:x}::1"), AT, 0.0)
    again = refusal(None, address="2001:db8:1::2")
    assert repeats.admits(again, AT + timedelta(1), 1.0) is False
    found = [counted for counted, _ in repeats.ended(60.0)]
    assert sorted((one.count, one.address) for one in found if one.address is None) == [(499, None)]


def test_an_account_is_named_however_many_sources_try_it() -> None:
    repeats = Repeats()
    for number in range(MOST_WINDOWS + 500):
        repeats.admits(attempt(address=f"2001:db8:{number:x}::1"), AT, 0.0)
    [(counted, _)] = repeats.counted()
    assert (counted.account, counted.address, counted.count) == ("officer1", None, 495)
