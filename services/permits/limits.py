"""The register of limits (办理时限): what the law gives each item, and what the bureau commits to.

One entry holds the statutory and the committed limit of an item and kind, in working days. Where an
item and kind stand twice, the newest entry in force holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.permits import articles, examples, schemas
from services.permits.guards import kind_fits
from services.permits.rules import PERIODS, statutory_code
from shared.clock.period import UnknownPeriod
from shared.identity.roles import Role
from shared.workflow.correction import correction_rows
from shared.workflow.table import Guard, Procedure, Row, State, by, states

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.workflow.table import Facts, Situation

_REGISTRARS = by(Role.APPROVER, Role.LEADER)
_SUBJECT = ("item", "kind")
_DAYS = ("statutory_days", "committed_days")


def _of(s: Situation) -> tuple[str, str]:
    """The item and kind: the payload's where the entry is made, else the entry's."""
    made = s.last("set-limit")
    if made is None:
        return s.payload.item, s.payload.kind
    return made["item"], made["kind"]


def _as_the_law_says(s: Situation) -> str | None:
    try:
        period = s.periods.at(statutory_code(*_of(s)), s.day)
    except UnknownPeriod:
        return f"{s.day}规定该事项期限的法律尚未施行"
    if s.payload.statutory_days != period.length:
        return f"法定时限为{period.length}个工作日（{period.article.citation}）"
    return None


def _within_the_law(s: Situation) -> str | None:
    if s.payload.committed_days > s.payload.statutory_days:
        return f"承诺时限不得长于法定的{s.payload.statutory_days}个工作日"
    return None


as_the_law_says = Guard(
    "法定时限与法律一致",
    articles.GENERAL,
    _as_the_law_says,
    asks_payload=True,
    field="statutory_days",
)
within_the_law = Guard(
    "承诺不长于法定", articles.COMMITTED, _within_the_law, asks_payload=True, field="committed_days"
)


def _subject(s: Situation) -> Mapping[str, Any]:
    return dict(zip(_SUBJECT, _of(s), strict=True))


def _last_stand(s: Situation) -> Mapping[str, Any]:
    return _stand(s.facts)


def _stand(facts: Facts) -> Mapping[str, Any]:
    """The entry as it stands: its subject as it was made, its days as last changed."""
    made = facts["set-limit"][-1]
    changed = (facts.get("change-limit") or [made])[-1]
    return {name: made[name] for name in _SUBJECT} | {name: changed[name] for name in _DAYS}


_ROWS = (
    Row(
        command="set-limit", title="设定办理时限", article=articles.GENERAL, roles=_REGISTRARS,
        source=states(), target="in_force", event="limit-set", payload=schemas.Limit,
        guards=(kind_fits, as_the_law_says, within_the_law),
        correctable=frozenset({"committed_days"}),
    ),
    Row(
        command="change-limit", title="变更办理时限", article=articles.GENERAL,
        roles=_REGISTRARS, source=states("in_force", "out_of_force"), target="in_force",
        event="limit-changed", payload=schemas.ChangedLimit,
        guards=(as_the_law_says, within_the_law), derived=schemas.LimitSubject,
        derive=_subject, correctable=frozenset({"committed_days"}),
    ),
    Row(
        command="withdraw-limit", title="停用办理时限", article=articles.COMMITTED,
        roles=_REGISTRARS, source=states("in_force"), target="out_of_force",
        event="limit-withdrawn", payload=schemas.Reason, derived=schemas.WithdrawnLimit,
        derive=_last_stand,
    ),
)  # fmt: skip

_STATES = {"in_force": State("生效"), "out_of_force": State("停用")}

TIME_LIMIT = Procedure(
    service="permits",
    name="time-limit",
    path="limits",
    title="办理时限",
    states=_STATES,
    rows=(*_ROWS, *correction_rows("limit", _ROWS, frozenset(_STATES), _REGISTRARS)),
    periods=PERIODS,
    columns=(*_SUBJECT, *_DAYS),
    summarise=_stand,
    examples=examples.TIME_LIMIT,
)
