"""What a command takes, and which of it may enter an event.

Events cannot be erased, so none carries a natural person's name, number, phone or address, nor
free text, in which anything may stand. A field marked `Private` goes to the service's erasable
`particulars` table; one marked `Stored` describes a person and goes to a table of persons. The
event carries their ids instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    create_model,
    model_validator,
)
from stdnum.cn import uscc

from shared.identifiers import new_id
from shared.identity.caller import is_account
from shared.personal import is_identity_number, names_a_person


@dataclass(frozen=True, slots=True)
class Private:
    """Marks free text, which stays out of events."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Marks a `Person`, kept in the service's table of that name."""

    table: str


class Payload(BaseModel):
    """What a command takes; unknown fields are refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, ser_json_inf_nan="null"
    )


def _fen(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))


def _decimal(value: Any) -> Any:
    """Read a sum from a JSON string or number, by its digits and not by its binary value."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            return Decimal(str(value))
        except InvalidOperation:
            msg = "应为数字"
            raise ValueError(msg) from None
    return value


_TWO_DECIMALS = Annotated[str, StringConstraints(pattern=r"^\d{1,15}\.\d{2}$")]

Yuan = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    Field(ge=0, max_digits=15, decimal_places=2),
    AfterValidator(_fen),
    PlainSerializer(str, return_type=_TWO_DECIMALS, when_used="json"),
]
"""Yuan with two decimals; a string in events, fen in columns."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=4000), Private()]
"""Free text: facts, reasons, opinions. Never in an event."""


def _impersonal(text: str) -> str:
    if names_a_person(text):
        msg = "此处应为编号，不得为手机号或身份证号"
        raise ValueError(msg)
    return text


Code = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z][0-9A-Za-z._/-]*$"),
    AfterValidator(_impersonal),
]
"""A code of a table or register."""


def _account(text: str) -> str:
    if not is_account(text):
        msg = "应为账号代码，不得为姓名、手机号或身份证号"
        raise ValueError(msg)
    return text


Account = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]*$"),
    AfterValidator(_account),
]
"""The account of an officer: a code, since it enters events."""

Day = Annotated[date, Field(ge=date(1990, 1, 1), le=date(2199, 12, 31))]
"""A day of the law's calendar, Asia/Shanghai."""

Bureau = Annotated[str, StringConstraints(pattern=r"^\d{6}$")]
"""行政区划代码, six digits."""


def _is_credit_code(text: str) -> bool:
    """Whether it is a 统一社会信用代码 by form and check character (GB 32100)."""
    return _CREDIT_CODE.fullmatch(text) is not None and uscc.calc_check_digit(text) == text[-1]


_CREDIT_CODE = re.compile(r"[0-9A-HJ-NP-RT-UW-Y]{2}[0-9]{6}[0-9A-HJ-NP-RT-UW-Y]{10}")


class Person(Payload):
    """A party or a complainant; `code` is a 统一社会信用代码 (GB 32100), `id_number` GB 11643."""

    kind: Literal["organisation", "individual"] = Field(title="类别")
    name: str = Field(title="名称或姓名", min_length=1, max_length=200)
    code: str | None = Field(None, title="统一社会信用代码", max_length=18)
    id_number: str | None = Field(None, title="公民身份号码", max_length=18)
    phone: str | None = Field(None, title="电话", max_length=32)
    address: str | None = Field(None, title="地址", max_length=300)

    @model_validator(mode="after")
    def _numbers(self) -> Self:
        if self.code is not None and not _is_credit_code(self.code):
            msg = "统一社会信用代码校验位不符 (GB 32100)"
            raise ValueError(msg)
        if self.id_number is not None and not is_identity_number(self.id_number):
            msg = "公民身份号码校验位不符 (GB 11643)"
            raise ValueError(msg)
        return self


Party = Annotated[Person, Stored("party")]
"""当事人、申请人: the one a case is about."""


class Split(NamedTuple):
    """A payload taken apart: what the event says, and what is kept beside it."""

    public: dict[str, Any]
    particulars: dict[str, Any]
    persons: dict[str, tuple[str, str, dict[str, Any]]]
    """Field → (table, new id, the person)."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Which fields of a payload type go where."""

    public: frozenset[str]
    private: frozenset[str]
    stored: tuple[tuple[str, str], ...]


@cache
def fields_of(payload: type[Payload]) -> Fields:
    """Sort the fields of a payload type by their marks."""
    public: set[str] = set()
    private: set[str] = set()
    stored: list[tuple[str, str]] = []
    for name, field in payload.model_fields.items():
        store = next((m.table for m in field.metadata if isinstance(m, Stored)), None)
        if store is not None:
            stored.append((name, store))
        elif any(isinstance(m, Private) for m in _marks(field.annotation, field.metadata)):
            private.add(name)
        else:
            public.add(name)
    return Fields(frozenset(public), frozenset(private), tuple(stored))


def _marks(annotation: Any, metadata: list[Any]) -> list[Any]:
    """Collect marks, also those inside `X | None` and `list[X]`."""
    found = list(metadata)
    for inner in getattr(annotation, "__args__", ()):
        found.extend(_marks(inner, []))
    found.extend(getattr(annotation, "__metadata__", ()))
    return found


def split(payload: Payload) -> Split:
    """Take a payload apart for writing.

    Empty fields are left out. Persons get a new id each.
    """
    sorted_fields = fields_of(type(payload))
    dumped = payload.model_dump(mode="json", exclude_none=True)
    public = {name: dumped[name] for name in sorted_fields.public if name in dumped}
    particulars = {name: dumped[name] for name in sorted_fields.private if name in dumped}
    persons = {
        name: (table, new_id(), dumped[name])
        for name, table in sorted_fields.stored
        if name in dumped
    }
    for name, (_, person_id, person) in persons.items():
        public[f"{name}_id"] = person_id
        public[f"{name}_kind"] = person["kind"]
    return Split(public, particulars, persons)


@cache
def event_model(payload: type[Payload], derived: type[BaseModel] | None) -> type[BaseModel]:
    """Describe an event's data: the payload's public fields, ids for the rest, what was derived."""
    sorted_fields = fields_of(payload)
    fields: dict[str, Any] = {}
    for name in payload.model_fields:
        if name in sorted_fields.public:
            field = payload.model_fields[name]
            fields[name] = (field.annotation, field)
    for name, _ in sorted_fields.stored:
        fields[f"{name}_id"] = (str | None, Field(None, json_schema_extra={"format": "uuid"}))
        fields[f"{name}_kind"] = (Literal["organisation", "individual"] | None, None)
    if sorted_fields.private:
        fields["particulars_id"] = (str | None, Field(None, json_schema_extra={"format": "uuid"}))
    if derived is not None:
        for name, field in derived.model_fields.items():
            fields[name] = (field.annotation, field)
    return create_model(f"{payload.__name__}Event", __base__=BaseModel, **fields)
