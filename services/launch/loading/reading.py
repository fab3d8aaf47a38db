"""Reading a caseload file: JSON Lines, checked line by line before anything is sent."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import TypeAdapter

from services.launch.catalogue import PROCEDURES, find_command, is_command
from shared.clock.law_time import parse_instant
from shared.http.problem import InvalidInput
from shared.http.validation import validate_json
from shared.identity.caller import is_account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from services.launch.catalogue import Command
    from shared.workflow.table import Procedure

FIELDS = ("service", "ref", "command", "actor", "at", "data")
MAX_REF = 200
_NAME = re.compile(r"\S(?:.{0,98}\S)?")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one line."""

    line: int
    field: str
    reason: str


class NotACaseloadError(ValueError):
    """The file does not begin with `{"caseload": NAME}`; the message says so in Chinese."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command of an aggregate; `key` is its idempotency key, the same at every load."""

    line: int
    command: Command
    actor: str
    at: datetime
    data: dict[str, Any]
    key: str


@dataclass(slots=True)
class Caseload:
    """A caseload: the steps of each aggregate in the file's order, and what was wrong."""

    name: str
    aggregates: dict[tuple[str, str], list[Step]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def steps(self) -> int:
        """How many steps can be sent."""
        return sum(map(len, self.aggregates.values()))

    def keep_actors(self, known: Callable[[str], bool]) -> None:
        """Make a fault of each step whose actor is not a known account."""
        for aggregate, steps in self.aggregates.items():
            self.faults += [
                Fault(step.line, "actor", f"没有账号 {step.actor}")
                for step in steps
                if not known(step.actor)
            ]
            self.aggregates[aggregate] = [step for step in steps if known(step.actor)]


class _BadLineError(Exception):
    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(reason)


def read_caseload(lines: Iterable[bytes]) -> Caseload:
    """Read a caseload; bad lines become faults, the good ones steps.

    Raises `NotACaseloadError` where the first line names no caseload.
    """
    numbered = enumerate(lines, start=1)
    caseload = Caseload(_name(numbered))
    counts: Counter[str] = Counter()
    opened: dict[tuple[str, str], Procedure] = {}
    for number, raw in numbered:
        if not raw.strip():
            continue
        try:
            line = _object(raw)
            identity = [line.get(name) for name in ("service", "ref", "command")]
            # Counted whatever else is wrong: a line mended later must not take another's number.
            counts[repr(identity)] += 1
            _check(line)
            service, ref = line["service"], line["ref"]
            command = _command(line, opened)
            step = Step(
                line=number,
                command=command,
                actor=line["actor"],
                at=_instant(line["at"]),
                data=_data(command, line["data"]),
                key=_key(caseload.name, identity, counts[repr(identity)]),
            )
        except _BadLineError as bad:
            caseload.faults.append(Fault(number, bad.field, bad.reason))
            continue
        caseload.aggregates.setdefault((service, ref), []).append(step)
    return caseload


def _name(numbered: Iterable[tuple[int, bytes]]) -> str:
    for number, raw in numbered:
        if not raw.strip():
            continue
        try:
            first = orjson.loads(raw)
        except orjson.JSONDecodeError:
            first = None
        name = first.get("caseload") if isinstance(first, dict) else None
        if not isinstance(name, str) or not _NAME.fullmatch(name) or len(first) != 1:
            raise NotACaseloadError(f'第 {number} 行应为 {{"caseload": 名称}}，名称为 1 至 100 字')
        return name
    raise NotACaseloadError('文件是空的：第一行应为 {"caseload": 名称}')


def _object(raw: bytes) -> dict[str, Any]:
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise _BadLineError("", "不是完整的 JSON") from None
    if not isinstance(line, dict):
        raise _BadLineError("", "应为一个 JSON 对象")
    return line


def _check(line: dict[str, Any]) -> None:
    _check_fields(line)
    if line["service"] not in PROCEDURES:
        raise _BadLineError("service", f"没有这一服务，可选：{'、'.join(PROCEDURES)}")
    if not line["ref"] or len(line["ref"]) > MAX_REF:
        raise _BadLineError("ref", f"应为 1 至 {MAX_REF} 字")
    if not is_account(line["actor"]):
        raise _BadLineError("actor", "应为账号代码")


def _command(line: dict[str, Any], opened: dict[tuple[str, str], Procedure]) -> Command:
    service, ref, name = line["service"], line["ref"], line["command"]
    command = find_command(service, name, opened.get((service, ref)))
    if command is None:
        if not is_command(service, name):
            raise _BadLineError("command", f"{service} 没有这一命令")
        if (service, ref) not in opened:
            raise _BadLineError("ref", "该事项在文件中尚未登记")
        raise _BadLineError("command", f"{opened[service, ref].title}没有这一命令")
    opened.setdefault((service, ref), command.procedure)
    return command


def _check_fields(line: dict[str, Any]) -> None:
    for name in FIELDS:
        if name not in line:
            raise _BadLineError(name, "缺少该字段")
        if name != "data" and not isinstance(line[name], str):
            raise _BadLineError(name, "应为文字")
    for name in line:
        if name not in FIELDS:
            raise _BadLineError(str(name), "没有这个字段")


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise _BadLineError("at", str(error)) from error


def _data(command: Command, data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise _BadLineError("data", "应为一个 JSON 对象")
    try:
        validate_json(TypeAdapter(command.row.payload), orjson.dumps(data))
    except InvalidInput as error:
        first = error.errors[0] if error.errors else {"field": "", "reason": str(error)}
        path = f"data.{first['field']}" if first["field"] else "data"
        raise _BadLineError(path, first["reason"]) from error
    return data


def _key(caseload: str, identity: list[Any], nth: int) -> str:
    return sha256(orjson.dumps([caseload, *identity, nth])).hexdigest()
