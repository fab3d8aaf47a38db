"""更正: how every procedure's facts and figures are corrected, by a new event and a second person.

One officer proposes, another confirms. The confirmed event says which command's which occurrence
is corrected and how; the facts follow it, and so do the statistics. Old events stay as they are.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from shared.clock.law_time import law_day, parse_instant
from shared.law import Article, Mark
from shared.workflow.payload import Code, Payload, Text
from shared.workflow.table import Facts, Guard, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.identity.roles import Role
    from shared.workflow.table import Situation

SECOND_PERSON = Article("更正须由另一人确认", Mark.E, date(2020, 1, 1))
TIME = "occurred_at"


def correction_examples(target: str) -> dict[str, dict[str, Any]]:
    """Examples of the rows of 更正, by command, correcting when `target` happened."""
    return {
        "propose-correction": {
            "target": target,
            "occurrence": 0,
            "changes": {TIME: "2024-03-04"},
            "reason": "录入笔误",
        },
        "correct": {"opinion": "与卷内材料一致"},
        "reject-correction": {"opinion": "与卷内材料不符"},
    }


class CorrectionProposal(Payload):
    """更正申请: a command's occurrence (0 the first), and its fields with their new values."""

    target: Code = Field(title="更正的步骤")
    occurrence: int = Field(0, title="第几次（从 0 起）", ge=0, le=9999)
    changes: dict[Code, str | int | bool | list[str]] = Field(
        title="更正内容", min_length=1, max_length=20
    )
    reason: Text = Field(title="更正理由")


class CorrectionConfirmed(BaseModel):
    """What a confirmed correction changes; derived fields included."""

    target: Code
    occurrence: int
    changes: dict[str, Any]


class Confirmation(Payload):
    """更正确认."""

    opinion: Text = Field(title="确认意见")


def correction_rows(
    prefix: str, corrected: tuple[Row, ...], source: frozenset[str], roles: frozenset[Role]
) -> tuple[Row, ...]:
    """Make the rows of 更正 for a procedure whose rows are `corrected`."""
    by_command = {row.command: row for row in corrected if row.correctable}

    def proposable(s: Situation) -> str | None:
        p = s.payload
        row = by_command.get(p.target)
        if row is None:
            return f"可更正的步骤：{'、'.join(sorted(by_command))}"
        if p.occurrence >= len(s.all(p.target)):
            return "该步骤没有这一次办理"
        return _fault(row, p.changes) or _out_of_order(s, corrected, row)

    def pending(s: Situation) -> str | None:
        settled = len(s.all("correct")) + len(s.all("reject-correction"))
        return None if len(s.all("propose-correction")) > settled else "没有待确认的更正"

    def none_pending(s: Situation) -> str | None:
        return None if pending(s) else "已有一项更正待确认"

    def second_person(s: Situation) -> str | None:
        proposal = s.last("propose-correction")
        if proposal and proposal["by"] == s.caller.account:
            return "更正须由申请人以外的人确认"
        return None

    def derive(s: Situation) -> Mapping[str, Any]:
        proposal = s.done("propose-correction")
        row = by_command[proposal["target"]]
        changes = {
            field: value if field == TIME else _normal(row, field, value)
            for field, value in proposal["changes"].items()
        }
        if row.rederive is not None:
            before = s.all(row.command)[proposal["occurrence"]]
            changes |= row.rederive({**before, **changes})
        return {
            "target": proposal["target"],
            "occurrence": proposal["occurrence"],
            "changes": changes,
        }

    confirming = (
        Guard("有待确认的更正", SECOND_PERSON, pending),
        Guard("另一人确认", SECOND_PERSON, second_person),
    )
    return (
        Row(
            command="propose-correction",
            title="申请更正",
            article=SECOND_PERSON,
            roles=roles,
            source=source,
            target=None,
            event=f"{prefix}-correction-proposed",
            payload=CorrectionProposal,
            guards=(
                Guard("没有待确认的更正", SECOND_PERSON, none_pending),
                Guard("可以更正", SECOND_PERSON, proposable, asks_payload=True, field="changes"),
            ),
        ),
        Row(
            command="correct",
            title="更正",
            article=SECOND_PERSON,
            roles=roles,
            source=source,
            target=None,
            event=f"{prefix}-corrected",
            payload=Confirmation,
            guards=confirming,
            derived=CorrectionConfirmed,
            derive=derive,
            revise=revise,
        ),
        Row(
            command="reject-correction",
            title="不予更正",
            article=SECOND_PERSON,
            roles=roles,
            source=source,
            target=None,
            event=f"{prefix}-correction-rejected",
            payload=Confirmation,
            guards=confirming,
        ),
    )


def revise(facts: Facts, data: Mapping[str, Any]) -> Facts:
    """Write a confirmed correction into the facts."""
    occurrences = [dict(o) for o in facts[data["target"]]]
    changed = occurrences[data["occurrence"]]
    for field, value in data["changes"].items():
        if field == TIME:
            instant = parse_instant(value)
            changed |= {"at": instant.isoformat(), "on": law_day(instant).isoformat()}
        else:
            changed[field] = value
    return {**facts, data["target"]: occurrences}


def _fault(row: Row, changes: Mapping[str, Any]) -> str | None:
    for field, value in changes.items():
        if field == TIME:
            try:
                parse_instant(str(value))
            except ValueError as error:
                return str(error)
            continue
        if field not in row.correctable:
            return f"只可更正：{'、'.join(sorted(row.correctable | {TIME}))}"
        try:
            _normal(row, field, value)
        except ValidationError:
            return f"“{field}”的值不合规定"
    return None


def _out_of_order(s: Situation, rows: tuple[Row, ...], row: Row) -> str | None:
    """Say why it cannot have happened then: steps keep their order, records follow the opening."""
    if TIME not in s.payload.changes:
        return None
    instant, occurrence = parse_instant(str(s.payload.changes[TIME])), s.payload.occurrence
    if instant > s.at:
        return "更正后的时间晚于现在"
    if row.is_record:
        opening = next(one.command for one in rows if one.opens)
        opened = datetime.fromisoformat(s.done(opening)["at"])
        return "更正后的时间早于登记时间" if instant < opened else None
    steps = sorted(
        (datetime.fromisoformat(taken["at"]), one.command, number)
        for one in rows
        if not one.is_record
        for number, taken in enumerate(s.all(one.command))
    )
    place = next(n for n, step in enumerate(steps) if step[1:] == (row.command, occurrence))
    if place > 0 and instant < steps[place - 1][0]:
        return "更正后的时间早于上一步骤"
    if place + 1 < len(steps) and instant > steps[place + 1][0]:
        return "更正后的时间晚于下一步骤"
    return None


def _normal(row: Row, field: str, value: Any) -> Any:
    """Bring a value to the form its field has in events; raises pydantic's ValidationError."""
    definition = row.payload.model_fields[field]
    shape: Any = definition.annotation
    if definition.metadata:
        shape = Annotated[shape, *definition.metadata]
    adapter: TypeAdapter[Any] = TypeAdapter(shape)
    return adapter.dump_python(adapter.validate_python(value), mode="json")
