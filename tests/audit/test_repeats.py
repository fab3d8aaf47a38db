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
        kind=Kind.REFUSAL,
        action=action,
        outcome=Outcome.REFUSED,
        account=account,
        address=more.pop("address", "192.0.2.1"),
        **more,  # type: ignore[arg-type]
    )


def test_the_first_ten_of_a_second_are_admitted_and_the_others_are_one_entry() -> None:
    repeats = Repeats()
    admitted = [repeats.admits(refusal(), AT, 0.01 * number) for number in range(30)]
    assert admitted == [True] * 10 + [False] * 20
    assert repeats.next_end() == 1.0
    assert repeats.ended(0.99) == []
    [(counted, since)] = repeats.ended(1.0)
    assert (counted.count, since) == (20, AT)
    assert repeats.admits(refusal(), AT, 1.0)


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


def test_sources_without_end_are_counted_as_one() -> None:
    repeats = Repeats()
    for number in range(MOST_WINDOWS + 500):
        repeats.admits(refusal(None, address=f"2001:db8::{number:x}"), AT, 0.0)
    assert repeats.admits(refusal(None, address="2001:db8::1"), AT + timedelta(1), 1.0) is False
    found = [counted for counted, _ in repeats.ended(60.0)]
    assert sorted((one.count, one.address) for one in found if one.address is None) == [(499, None)]
