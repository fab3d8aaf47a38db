"""Seals outside the database: the platform's own files, and copies carried elsewhere.

Whoever can write the whole database can make events, state rows and seals agree with each other.
The platform's files lie beside it; a line that was carried off before cannot be changed with them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from services.launch.catalogue import PROCEDURES
from shared.seals.file import files_of, newest_file
from shared.seals.seal import NotASealError, Seal, read_line, seal_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


class CopyUnusableError(Exception):
    """An outside copy cannot be read; the message says which line of which file, and why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a service's seals from number `first` to `last`."""

    service: str
    first: int
    last: int
    reason: str


def read_copies(paths: Iterable[Path]) -> dict[str, dict[int, set[bytes]]]:
    """The hashes that files, or folders of `*.jsonl`, hold: by service and number.

    A line without its end was being written when the file was copied, and is left out. Raises
    `CopyUnusableError`.
    """
    held: dict[str, dict[int, set[bytes]]] = defaultdict(lambda: defaultdict(set))
    for path in paths:
        files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        if not files:
            raise CopyUnusableError(f"{path} 中没有 .jsonl 文件")
        for file in files:
            for seal in _seals(file):
                held[seal.service][seal.number].add(seal.hash)
    return {service: dict(numbers) for service, numbers in held.items()}


def _seals(file: Path) -> Iterable[Seal]:
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.endswith(b"\n"):
                    yield _seal(file, number, line)
    except OSError as error:
        raise CopyUnusableError(f"读不到 {file}（{error.strerror}）") from error


def _seal(file: Path, number: int, line: bytes) -> Seal:
    try:
        seal = read_line(line)
    except NotASealError as error:
        raise CopyUnusableError(f"{file} 第 {number} 行不是封签：{error}") from error
    if seal.service not in PROCEDURES:
        raise CopyUnusableError(f"{file} 第 {number} 行：没有服务 {seal.service}")
    if seal_hash(seal) != seal.hash:
        raise CopyUnusableError(f"{file} 第 {number} 行与其散列不符，副本本身已被改动")
    return seal


@dataclass(frozen=True, slots=True)
class Outside:
    """Seals outside the database, by service and number; `name` (Chinese) says where they lie.

    A `whole` one holds every service that has been sealed.
    """

    name: str
    seals: Mapping[str, Mapping[int, set[bytes]]]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Superseded:
    """A file of the platform's own that the table no longer agreed with, and the next one."""

    file: Path
    following: Path


def copies(paths: Sequence[Path]) -> Outside:
    """Copies elsewhere, as `--seal` names them; raises `CopyUnusableError`."""
    return Outside("外部副本", read_copies(paths), whole=any(path.is_dir() for path in paths))


def own_files(folder: Path) -> tuple[Outside, list[Superseded]]:
    """The files that grow in the platform's own folder, and those before them.

    Raises `CopyUnusableError`.
    """
    firsts = [first for service in PROCEDURES if (first := folder / f"{service}.jsonl").exists()]
    newest = {first: newest_file(first) for first in firsts}
    superseded = [
        Superseded(before, after) for first in firsts for before, after in pairwise(files_of(first))
    ]
    return Outside("平台的封签文件", read_copies(newest.values())), superseded


def compare(service: str, outside: Outside, held: Mapping[int, bytes]) -> list[Fault]:
    """Name the seals that the table lacks or has otherwise, runs of them at once.

    `held` is the table's: the hash of each seal by number.
    """
    copied = outside.seals.get(service)
    last = max(held, default=0)
    if copied is None:
        lacks = outside.whole and last
        return [Fault(service, 1, last, f"{outside.name}中没有这一服务的封签")] if lacks else []
    wrong = [
        (number, _fault(outside.name, held.get(number), last, number))
        for number, hashes in sorted(copied.items())
        if hashes != {held.get(number)}
    ]
    faults: list[Fault] = []
    for number, reason in wrong:
        before = faults[-1] if faults else None
        if before and before.reason == reason and before.last == number - 1:
            faults[-1] = Fault(service, before.first, number, reason)
        else:
            faults.append(Fault(service, number, number, reason))
    return faults


def _fault(name: str, found: bytes | None, last: int, number: int) -> str:
    if found is not None:
        return f"与{name}不同"
    if number > last:
        return f"在{name}中，而数据库中的封签止于第 {last} 号"
    return f"在{name}中，而数据库中没有"
