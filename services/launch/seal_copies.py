"""Outside copies of the seals: what shows that the whole database was written anew.

Whoever can write everything can make events, state rows and seals agree with each other. A line
that was carried off before cannot be changed with them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.launch.catalogue import PROCEDURES
from shared.seals.seal import NotASealError, Seal, read_line, seal_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
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


def compare(
    service: str, copied: Mapping[int, set[bytes]], held: Mapping[int, bytes]
) -> list[Fault]:
    """Name the seals of a copy that the table lacks or has otherwise, runs of them at once.

    `held` is the table's: the hash of each seal by number.
    """
    last = max(held, default=0)
    wrong = [
        (number, _fault(held.get(number), last, number))
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


def _fault(found: bytes | None, last: int, number: int) -> str:
    if found is not None:
        return "与外部副本不同"
    if number > last:
        return f"在外部副本中，而数据库中的封签止于第 {last} 号"
    return "在外部副本中，而数据库中没有"
