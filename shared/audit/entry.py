"""One entry of the audit trail: who did, or was refused, what, on which object, from where.

No entry names a person but by account. What was written freely (a reason, a refusal's words) is
withheld where it holds a mobile or identity number. The source address is kept whole, as
GB/T 22239-2019 8.1.4.3 wants it of an audit record, for as long as the trail is kept and no longer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from shared.personal import names_a_person
from shared.search import bigrams

WITHHELD = "（含个人信息，未记录）"


class Kind(StrEnum):
    """What an entry is about; `title` is what a person reads."""

    SIGN_IN = "sign-in"
    REFUSAL = "refusal"
    READ = "read"
    EXPORT = "export"
    ADMINISTRATION = "administration"
    TRAIL = "trail"

    @property
    def title(self) -> str:  # type: ignore[override]  # a kind's title, not str.title()
        """The kind's Chinese name."""
        return _TITLES[self]


_TITLES: Mapping[str, str] = {
    "sign-in": "登录",
    "refusal": "拒绝",
    "read": "查阅个人信息",
    "export": "导出",
    "administration": "管理操作",
    "trail": "日志自身",
}


class Outcome(StrEnum):
    """Whether it was let be."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is recorded; the log adds id, time and chain.

    `action` is a route's template with its method, or what the platform did of itself; `reason` is
    what the caller gave as such, or the refusal's words; `count` how often the same happened;
    `details` hold no floats.
    """

    kind: Kind
    action: str
    outcome: Outcome = Outcome.ACCEPTED
    bureau: str | None = None
    account: str | None = None
    on_behalf_of: str | None = None
    object_type: str | None = None
    object_id: str | None = None
    status: int | None = None
    problem: str | None = None
    article: str | None = None
    reason: str | None = None
    address: str | None = None
    request_id: str | None = None
    trace_id: str | None = None
    count: int = 1
    details: Mapping[str, Any] = field(default_factory=dict)


def impersonal(entry: Entry) -> Entry:
    """The entry without what names a person by a number."""
    return replace(
        entry,
        object_id=_without_numbers(entry.object_id),
        reason=_without_numbers(entry.reason),
        details=_without_numbers(entry.details),
    )


def words_of(entry: Mapping[str, Any]) -> list[str]:
    """What a search by text finds an entry by: bigrams of action, article and reason."""
    return bigrams(entry["action"], entry["article"], entry["reason"])


def _without_numbers(value: Any) -> Any:
    if isinstance(value, str):
        return WITHHELD if names_a_person(value) else value
    if isinstance(value, Mapping):
        return {_without_numbers(name): _without_numbers(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_numbers(inner) for inner in value]
    return value
