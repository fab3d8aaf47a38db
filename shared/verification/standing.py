"""One aggregate's state row, compared column by column with what its events give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from shared.http.problem import RefusedByLaw
from shared.search import bigrams
from shared.verification.chain import UNREADABLE
from shared.verification.findings import Finding
from shared.workflow.refold import Past, UnknownTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import asyncpg

    from shared.clock.calendar import WorkCalendar
    from shared.workflow.refold import Refold

_JSON = frozenset({"facts", "clocks"})


def standing_faults(
    row: asyncpg.Record,
    chain: Sequence[asyncpg.Record],
    party: asyncpg.Record | None,
    refold: Refold,
    calendar: WorkCalendar,
) -> Iterable[Finding]:
    """Name each column of a state row that does not follow from its events.

    `party` is the person whom the row names, None where erased: its name and words are compared
    with that. The chain must hold by itself and not be empty.
    """
    try:
        expected = refold(map(_past, chain), calendar)
    except UnknownTypeError as unknown:
        reason = f"事件类型 {unknown} 不属于这一程序"
        yield Finding(aggregate_id=row["id"], what="unknown-type", reason=reason)
        return
    except (*UNREADABLE, LookupError, AttributeError, RefusedByLaw):
        reason = "由事件推不出状态行"
        yield Finding(aggregate_id=row["id"], what="state-differs", reason=reason)
        return
    if party is not None:
        words = bigrams(party["name"], party["code"])
        expected |= {"party_name": party["name"], "words": words}
    for column, value in expected.items():
        if not _same(column, row[column], value):
            yield Finding(
                aggregate_id=row["id"],
                version=row["version"],
                what="state-differs",
                reason=f"状态行的 {column} 与事件不符",
            )


def _past(event: asyncpg.Record) -> Past:
    return Past(
        event["type"],
        event["actor"],
        event["bureau"],
        event["occurred_at"],
        orjson.loads(event["data"]),
    )


def _same(column: str, stored: Any, expected: Any) -> bool:
    if column in _JSON:
        return _sorted(orjson.loads(stored)) == _sorted(expected)
    if column == "party_id":
        return str(stored) == str(expected)
    return bool(stored == expected)


def _sorted(value: Any) -> bytes:
    """JSON in one form, in which neither 1 and true nor 1 and 1.0 are the same."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
