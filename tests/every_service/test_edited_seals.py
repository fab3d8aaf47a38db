"""Seals that were edited are found; a database written anew is by the copy outside alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from services.launch.seal_copies import CopyUnusableError, Fault, compare, copies, read_copies
from tests.every_service.sealed_service import OF_THE_LAST, each_service, one_service
from tests.seals_kept import seal_everything

if TYPE_CHECKING:
    from pathlib import Path

    from tests.every_service.sealed_service import Sealed


@each_service
@pytest.mark.parametrize(
    "change, what",
    [
        ("epoch = 2", "seal-edited"),
        ("first_xid = '3'", "seal-edited"),
        ("first_seq = -9223372036854775808", "seal-edited"),
        ("last_xid = '3'", "seal-differs"),
        ("last_xid = '18446744073709551615'", "seal-differs"),
        ("last_seq = last_seq + 1000000", "seal-edited"),
        ("events = events + 1", "seal-differs"),
        ("events = -5", "seal-differs"),
        ("events = 9223372036854775807", "seal-differs"),
        ("digest = sha256(digest)", "seal-differs"),
        ("previous_hash = NULL", "seal-forked"),
        ("hash_algorithm = 'md5'", "seal-edited"),
        ("term = 7", "seal-edited"),
        ("sealed_at = 'infinity'", "seal-edited"),
        ("sealed_at = sealed_at - interval '1 day'", "seal-edited"),
        ("hash = sha256(hash)", "seal-edited"),
        ("number = 2000", "seal-removed"),
    ],
)
def test_an_edited_seal_is_found(sealed: Sealed, change: str, what: str) -> None:
    sealed.change(f"UPDATE seal SET {change} WHERE number = 2")
    named = {(one["seal"], one["what"]) for one in sealed.findings()}
    number = 3 if what == "seal-removed" else 2
    assert (number, what) in named
    assert sealed.stage.get("/seals", "auditadmin1").status_code == 200


@each_service
@pytest.mark.parametrize("removed", ["1", "2", "2, 3"])
def test_removed_seals_are_named(sealed: Sealed, removed: str) -> None:
    sealed.change(f"DELETE FROM seal WHERE number IN ({removed})")
    [found] = sealed.findings()
    numbers = removed.replace(",", " 至") if "," in removed else removed
    assert (found["what"], found["reason"]) == ("seal-removed", f"缺少第 {numbers} 号封签")


@one_service
def test_seals_removed_from_the_end_leave_events_that_none_covers(sealed: Sealed) -> None:
    sealed.change(f"DELETE FROM seal WHERE number >= {sealed.seals[-1].number}")
    assert sealed.findings() == []
    assert sealed.unsealed is not None


@each_service
def test_a_database_written_anew_agrees_with_itself_but_not_with_the_copy(
    sealed: Sealed, tmp_path: Path
) -> None:
    copy = tmp_path / f"{sealed.procedure.service}.jsonl"
    copy.write_bytes(b"".join(seal.line() for seal in sealed.seals))
    copied = copies([tmp_path])
    assert compare(sealed.procedure.service, copied, held(sealed)) == []

    versions = len(sealed.events())
    sealed.roll_back_to(versions - 1)
    sealed.change(
        f"DELETE FROM idempotency WHERE {OF_THE_LAST}",
        f"DELETE FROM event WHERE {OF_THE_LAST}",
        "DELETE FROM seal WHERE number > 1",
    )
    sealed.stage.call(seal_everything(sealed.stage.service.database, sealed_events=4))
    assert sealed.findings() == []
    assert sealed.unsealed is None

    faults = compare(sealed.procedure.service, copied, held(sealed))
    last = max(held(sealed))
    assert faults[0] == Fault(sealed.procedure.service, 2, last, "与外部副本不同")
    assert faults[1:] == [
        Fault(
            sealed.procedure.service,
            last + 1,
            sealed.seals[-1].number,
            f"在外部副本中，而数据库中的封签止于第 {last} 号",
        )
    ]


def held(sealed: Sealed) -> dict[int, bytes]:
    return {one["number"]: bytes.fromhex(one["hash"]) for one in sealed.get("/seals", limit=1_000)}


@one_service
def test_a_copy_may_be_older_than_the_table_and_end_in_part_of_a_line(
    sealed: Sealed, tmp_path: Path
) -> None:
    copy = tmp_path / "carried-off.jsonl"
    copy.write_bytes(sealed.seals[1].line() + sealed.seals[2].line() + sealed.seals[3].line()[:50])
    copied = copies([copy])
    assert set(copied.seals["cases"]) == {2, 3}
    assert compare("cases", copied, held(sealed)) == []


@one_service
@pytest.mark.parametrize(
    "content, said",
    [
        (b"no seal\n", "第 1 行不是封签"),
        (b"\n", "第 1 行不是封签"),
    ],
)
def test_a_copy_that_cannot_be_read_is_refused(
    sealed: Sealed, tmp_path: Path, content: bytes, said: str
) -> None:
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(content)
    with pytest.raises(CopyUnusableError, match=said):
        read_copies([copy])
    altered = sealed.seals[0].line().replace(b'"term":1', b'"term":2')
    copy.write_bytes(altered)
    with pytest.raises(CopyUnusableError, match="副本本身已被改动"):
        read_copies([copy])
    with pytest.raises(CopyUnusableError, match="读不到"):
        read_copies([tmp_path / "missing.jsonl"])


@one_service
@pytest.mark.parametrize(
    "after",
    [
        "nonsense",
        "[]",
        "{}",
        '["event"]',
        '["idempotency", 1, 2]',
        '["party", "no id"]',
        '["idempotency", "\\u0000", "k"]',
        '["idempotency", "500152"]',
        "null",
    ],
)
def test_a_cursor_that_is_none_of_ours_is_refused(sealed: Sealed, after: str) -> None:
    answer = sealed.stage.get("/verification/traces", "auditadmin1", after=after)
    assert (answer.status_code, answer.json()["field"]) == (422, "after")


@one_service
@pytest.mark.parametrize("path", ["/seals", "/verification/seals", "/verification/traces"])
def test_only_auditors_may_look(sealed: Sealed, path: str) -> None:
    assert sealed.stage.get(path, "officer1").status_code == 403
    assert sealed.stage.get(path, "supervisor1").status_code == 200
