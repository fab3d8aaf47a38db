"""The file of seals: whole lines, synced, private, completed from the table at start."""

from __future__ import annotations

import asyncio
import stat
from typing import TYPE_CHECKING

import pytest

from shared.relay.leadership import Leadership
from shared.relay.log import SETTINGS
from shared.seals.file import SealFile
from shared.seals.seal import NotASealError, Seal, read_line
from shared.seals.sealer import Sealer
from tests.event_history import Story, write
from tests.seals_kept import begin_term
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from shared.postgres.database import Database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "seals" / "cases.jsonl"


def lines(path: Path) -> list[Seal]:
    whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
    return [read_line(line) for line in whole.splitlines()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
async def made(cases: Database, sealer: Sealer) -> list[Seal]:
    """Three seals in the table."""
    story = Story("cases")
    seals = []
    for _ in range(3):
        await write(cases, story.tell("noted"))
        seal = await sealer.seal()
        assert seal is not None
        seals.append(seal)
    return seals


async def started(cases: Database, file: SealFile, path: Path, wanted: list[Seal]) -> None:
    """Run a sealer on the file until it holds what is wanted."""
    session = await cases.connect(SETTINGS)
    leadership = Leadership(session, await begin_term(cases))
    running = asyncio.create_task(Sealer("cases", leadership, file).run())

    async def complete() -> bool:
        return lines(path) == wanted

    await until(complete, "the file is complete")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    session.terminate()


async def test_it_is_private_and_read_back(path: Path, made: list[Seal]) -> None:
    file = SealFile(path)
    assert await file.last() is None
    await file.publish(made[:2])
    await file.publish(made[2:])
    assert lines(path) == made
    assert await file.last() == made[-1]
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700


async def test_missing_lines_are_completed_from_the_table_at_start(
    cases: Database, path: Path, made: list[Seal]
) -> None:
    await started(cases, SealFile(path), path, made)
    write_file(path, made[0].line())
    await started(cases, SealFile(path), path, made)


async def test_a_line_cut_short_by_a_crash_is_written_again(
    cases: Database, path: Path, made: list[Seal]
) -> None:
    write_file(path, made[0].line() + made[1].line()[:40])
    await started(cases, SealFile(path), path, made)


class FullAtFirst(SealFile):
    """Has room for part of a line, then for all."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.whole = path
        self.failed = False

    async def publish(self, seals: Sequence[Seal]) -> None:
        if not self.failed:
            self.failed = True
            write_file(self.whole, b"".join(seal.line() for seal in seals)[:600])
            raise OSError(28, "No space left on device")
        await super().publish(seals)


async def test_lines_that_met_a_full_disk_are_completed_once_there_is_room(
    cases: Database, path: Path, made: list[Seal]
) -> None:
    await started(cases, FullAtFirst(path), path, made)


async def test_a_file_that_the_table_no_longer_agrees_with_is_kept_apart(
    cases: Database, path: Path, made: list[Seal]
) -> None:
    await SealFile(path).publish(made)
    async with cases.connection() as connection:  # an older backup is restored
        await connection.execute("DELETE FROM seal WHERE number = 3")
        await connection.execute("DELETE FROM event WHERE seq > 2")
    following = path.with_name("cases.2.jsonl")
    await started(cases, SealFile(path), following, made[:2])
    assert lines(path) == made
    assert mode(following) == 0o600

    await started(cases, SealFile(path), following, made[:2])  # and goes on there after a restart
    assert not path.with_name("cases.3.jsonl").exists()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"number": 1}',
    ],
)
def test_a_line_that_holds_no_seal_is_refused(line: bytes) -> None:
    with pytest.raises(NotASealError):
        read_line(line)


@pytest.mark.parametrize(
    "old, new",
    [
        (b'"number":1', b'"number":1.0'),
        (b'"events":1', b'"events":"1"'),
        (b'"epoch":1', b'"epoch":true'),
        (b'"service"', b'"more":1,"service"'),
        (b"+00:00", b""),
        (b'"service":"cases"', b'"service":null'),
        (b'"digest":"', b'"digest":"x'),
    ],
)
def test_a_seal_with_a_field_of_another_kind_is_refused(
    made: list[Seal], old: bytes, new: bytes
) -> None:
    line = made[0].line()
    assert old in line
    with pytest.raises(NotASealError):
        read_line(line.replace(old, new))
