"""What chains alone cannot show, the seals do: removed tails and aggregates, moved, forged events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from uuid_utils.compat import uuid7

from tests.every_service.sealed_service import OF_THE_LAST, each_service, one_service, tables

if TYPE_CHECKING:
    from shared.seals.seal import Seal
    from tests.every_service.sealed_service import Sealed


@each_service
def test_what_nobody_touched_is_clean(sealed: Sealed) -> None:
    assert sealed.findings() == []
    assert sealed.unsealed is None
    listed = sealed.get("/seals", after=1, limit=2)
    assert [one["number"] for one in listed] == [2, 3]
    assert listed[0] == sealed.seals[1].as_json() | {
        "sealed_at": listed[0]["sealed_at"],
    }


EVERY_TRACE = (
    "DELETE FROM idempotency WHERE aggregate_id = '{id}'",
    "DELETE FROM particulars WHERE aggregate_id = '{id}'",
    "DELETE FROM claim WHERE aggregate_id = '{id}'",
    "DELETE FROM {table} WHERE id = '{id}'",
)


@each_service
def test_a_tail_removed_with_its_state_row_rolled_back_is_found(sealed: Sealed) -> None:
    versions = len(sealed.events())
    sealed.roll_back_to(versions - 1)
    sealed.change(
        f"DELETE FROM idempotency WHERE {OF_THE_LAST}", f"DELETE FROM event WHERE {OF_THE_LAST}"
    )
    assert {(one["what"], one["seal"]) for one in sealed.findings()} == {
        ("seal-differs", sealed.seals[-1].number)
    }


@each_service
def test_a_removed_tail_is_named_by_the_record_that_was_left(sealed: Sealed) -> None:
    versions = len(sealed.events())
    sealed.roll_back_to(versions - 1)
    sealed.change(f"DELETE FROM event WHERE {OF_THE_LAST}")
    [left] = [one for one in sealed.findings() if one["seal"] is None]
    assert (left["aggregate_id"], left["version"], left["what"]) == (sealed.id, versions, "removed")


@each_service
def test_a_whole_aggregate_removed_with_all_its_rows_is_found(sealed: Sealed) -> None:
    persons = [name for name in tables(sealed.procedure) if name in {"party", "reporter", "staff"}]
    sealed.change(
        *EVERY_TRACE,
        *(f"DELETE FROM {name} WHERE aggregate_id = '{{id}}'" for name in persons),
        "DELETE FROM event WHERE aggregate_id = '{id}'",
    )
    found = sealed.findings()
    assert {one["what"] for one in found} == {"seal-differs"}
    assert {one["seal"] for one in found} == {one.number for one in sealed.seals[1:]}


@each_service
@pytest.mark.parametrize("left", ["idempotency", "particulars", "party", "claim"])
def test_a_removed_aggregate_is_named_by_whatever_was_left_of_it(sealed: Sealed, left: str) -> None:
    if left == "claim":
        bureau = sealed.events()[0]["bureau"]
        sealed.change(f"INSERT INTO claim VALUES ('{bureau}', 'number', 'left', '{{id}}')")
    assert sealed.stage.fetch(f"SELECT FROM {left} WHERE aggregate_id = $1::uuid", sealed.id), (
        "there is something to leave"
    )
    sealed.change(
        *(one for one in EVERY_TRACE if f"FROM {left} " not in one),
        *(() if left == "party" else ["DELETE FROM party WHERE aggregate_id = '{id}'"]),
        "DELETE FROM event WHERE aggregate_id = '{id}'",
    )
    named = [one for one in sealed.findings() if one["what"] == "removed"]
    assert {one["aggregate_id"] for one in named} == {sealed.id}


@each_service
@pytest.mark.parametrize(
    "change",
    [
        "xid = (xid::text::bigint - 1)::text::xid8",
        "xid = (xid::text::bigint + 1)::text::xid8",
        "seq = seq + 1000",
        "seq = -seq",
        "epoch = 0",
        "epoch = 2",
        "xid = '3'",
        "xid = '4000000000'",
    ],
)
def test_a_column_of_the_relay_edited_is_found(sealed: Sealed, change: str) -> None:
    sealed.change(
        f"UPDATE event SET {change} WHERE aggregate_id = '{{id}}' AND aggregate_version = 2"
    )
    where = [one for one in sealed.seals if 6 in range_of(sealed.seals, one)]
    assert where[0].number in sealed.seal_named(what="seal-differs")


def range_of(seals: list[Seal], seal: Seal) -> range:
    """The places in the order (from 1) that a seal holds."""
    before = sum(one.events for one in seals[: seal.number - 1])
    return range(before + 1, before + seal.events + 1)


SWAPPED = (
    "UPDATE event AS e SET {what} = o.{what} FROM event AS o"
    " WHERE (e.id, o.id) IN (('{a}', '{b}'), ('{b}', '{a}'))"
)


@each_service
@pytest.mark.parametrize("what", ["seq", "xid"])
def test_two_events_of_an_aggregate_that_changed_places_are_named(
    sealed: Sealed, what: str
) -> None:
    second, third = sealed.events()[1:3]
    sealed.change(SWAPPED.format(what=what, a=second["id"], b=third["id"]))
    found = sealed.findings()
    assert "seal-differs" in {one["what"] for one in found}
    if what == "xid":
        assert (sealed.id, "reordered", 3) in {
            (one["aggregate_id"], one["what"], one["version"]) for one in found
        }


@each_service
def test_events_of_two_aggregates_that_changed_places_are_found(sealed: Sealed) -> None:
    mine, other = sealed.events()[0], sealed.events(sealed.bystander)[-1]
    sealed.change(
        SWAPPED.format(what="seq", a=mine["id"], b=other["id"]),
        SWAPPED.format(what="xid", a=mine["id"], b=other["id"]),
    )
    assert {one["what"] for one in sealed.findings()} == {"seal-differs"}


@one_service
def test_versions_exchanged_between_two_events_are_found(sealed: Sealed) -> None:
    sealed.change(
        "UPDATE event SET aggregate_version = -2 WHERE aggregate_id = '{id}' AND aggregate_version = 2",
        "UPDATE event SET aggregate_version = 2 WHERE aggregate_id = '{id}' AND aggregate_version = 3",
        "UPDATE event SET aggregate_version = 3 WHERE aggregate_id = '{id}' AND aggregate_version = -2",
    )
    found = {(one["aggregate_id"], one["what"]) for one in sealed.findings()}
    assert {(sealed.id, "reordered"), (sealed.id, "edited")} <= found


@each_service
@pytest.mark.parametrize("place", ["before all", "within a seal", "between seals", "another epoch"])
def test_a_well_hashed_event_put_where_the_seals_are_is_found(sealed: Sealed, place: str) -> None:
    """It opens an aggregate of its own, so that no chain is hurt; only its record is missing."""
    first, second = sealed.seals[0], sealed.seals[1]
    stranger = uuid7()
    event = sealed.forged(aggregate_id=stranger, aggregate_version=1, previous_hash=None)
    where = {
        "before all": {"epoch": 1, "xid": 3, "seq": 0},
        "within a seal": {"epoch": 1, "xid": first.last_xid, "seq": first.last_seq - 5000},
        "between seals": {"epoch": 1, "xid": first.last_xid, "seq": first.last_seq + 5000},
        "another epoch": {"epoch": -7, "xid": 3, "seq": 0},
    }[place]
    sealed.insert(event, **where)
    found = sealed.findings()
    number = second.number if place == "between seals" else first.number
    assert (number, "seal-differs") in {(one["seal"], one["what"]) for one in found}
    assert (str(stranger), "unrecorded") in {(one["aggregate_id"], one["what"]) for one in found}


@each_service
@pytest.mark.parametrize(
    "where", [{"epoch": 1, "xid": 4_000_000_000, "seq": 1}, {"epoch": 9, "xid": 3, "seq": 1}]
)
def test_an_event_written_into_the_future_is_named(sealed: Sealed, where: dict[str, int]) -> None:
    """The relay would come to it some day, and seal it as any other."""
    event = sealed.forged()
    sealed.insert(event, **where)
    assert (sealed.id, str(event["id"]), "not-yet-drawn") in {
        (one["aggregate_id"], one["event_id"], one["what"]) for one in sealed.findings()
    }


@one_service
def test_an_event_that_no_seal_covers_is_said(sealed: Sealed) -> None:
    event = sealed.forged()
    sealed.insert(event)
    sealed.findings()
    assert sealed.unsealed == str(event["id"])
