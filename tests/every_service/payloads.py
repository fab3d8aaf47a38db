"""Data for a row's command: its example brought to the day of the walk, then changed at random."""

from __future__ import annotations

import types
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import AfterValidator

from shared.issuer.demo import demo_accounts
from shared.workflow.correction import TIME, CorrectionProposal
from shared.workflow.payload import Person, Private

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from shared.workflow.table import Procedure, Row

Data = dict[str, Any]

ACCOUNTS = [one.account for one in demo_accounts()]
PERSONS: list[Data] = [
    {"kind": "organisation", "name": "示例表面处理一厂", "code": "91500110MAACATRW37"},
    {"kind": "individual", "name": "示例群众甲", "phone": "19900000001"},
    {"kind": "individual", "name": "示例群众乙"},
]
AMOUNTS = ["0.00", "5000.00", "50000.00", "100000.00", "200000.00", "1000000.00"]
JUNK: list[Any] = [
    None,
    "",
    " ",
    -1,
    2**40,
    1.5,
    True,
    [],
    {},
    "〇",
    "x" * 5000,
    ["", ""],
    "1999-02-30",
]
SELDOM: st.SearchStrategy[bool] = st.sampled_from([False] * 15 + [True])


@st.composite
def example(draw: st.DrawFn, procedure: Procedure, row: Row, day: date) -> Data:
    """A command's example with its days brought near a day."""
    data = dict(procedure.examples[row.command])
    for name in data:
        if _innermost(row.payload.model_fields[name].annotation) is date:
            data[name] = draw(_days(day))
    return data


@st.composite
def payload(draw: st.DrawFn, procedure: Procedure, row: Row, day: date) -> Data:
    """Data for a command on a day: mostly well formed, sometimes with something wrong in it."""
    if row.payload is CorrectionProposal:
        return draw(_proposal(procedure, day))
    fields = row.payload.model_fields
    data = draw(example(procedure, row, day))
    if fields:
        for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=2, unique=True)):
            data[name] = draw(_field(fields[name], day))
    if draw(SELDOM):
        name = draw(st.sampled_from([*sorted(fields), "unheard-of"]))
        data[name] = draw(st.sampled_from(JUNK))
    if draw(SELDOM) and data:
        del data[draw(st.sampled_from(sorted(data)))]
    return {name: value for name, value in data.items() if value is not None}


@st.composite
def _proposal(draw: st.DrawFn, procedure: Procedure, day: date) -> Data:
    """A proposal to correct (更正) some field of some row, or when it happened."""
    corrected = draw(st.sampled_from([row for row in procedure.rows if row.correctable]))
    fields = corrected.payload.model_fields
    name = draw(st.sampled_from([*sorted(corrected.correctable), TIME]))
    value = draw(_days(day) if name == TIME else _field(fields[name], day))
    return {
        "target": corrected.command,
        "occurrence": draw(st.sampled_from([0, 0, 0, 1])),
        "changes": {name: draw(st.sampled_from(JUNK)) if value is None else value},
        "reason": "录入笔误",
    }


def _field(field: FieldInfo, day: date) -> st.SearchStrategy[Any]:
    given = _values(field.annotation, field.metadata, day)
    return given if field.is_required() else st.none() | given


def _values(annotation: Any, metadata: list[Any], day: date) -> st.SearchStrategy[Any]:
    """Values of a field's type, as JSON has them."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _values(inner[0], [*inner[1:], *metadata], day)
    if origin in {Union, types.UnionType}:
        [some] = [one for one in inner if one is not type(None)]
        return _values(some, metadata, day)
    if origin is Literal:
        return st.sampled_from(list(inner))
    if origin is list:
        return st.lists(_values(inner[0], [], day), max_size=4)
    if isinstance(annotation, type) and issubclass(annotation, Person):
        return st.sampled_from(PERSONS)
    of_type: dict[Any, st.SearchStrategy[Any]] = {
        bool: st.booleans(),
        int: st.integers(1, 70),
        Decimal: st.sampled_from(AMOUNTS),
        date: _days(day),
        str: _texts(metadata),
    }
    return of_type[annotation]


def _texts(metadata: list[Any]) -> st.SearchStrategy[str]:
    if any(isinstance(one, Private) for one in metadata):
        return st.sampled_from(["属实", "见附件。", "a" * 4000])
    if any(isinstance(one, AfterValidator) for one in metadata):
        return st.sampled_from(ACCOUNTS)
    return st.sampled_from(["TN-1", "TN/2024-0002", "500152100", "Z"])


def _days(day: date) -> st.SearchStrategy[str]:
    """Days about a day, most of them soon after it."""
    near = st.integers(0, 20) | st.integers(-15, 90)
    return near.map(lambda days: (day + timedelta(days=days)).isoformat())


def _innermost(annotation: Any) -> Any:
    """The type within `X | None` and `Annotated[X, …]`."""
    if get_origin(annotation) in {Union, types.UnionType, Annotated}:
        return _innermost(get_args(annotation)[0])
    return annotation
