"""One aggregate's chain of events: each link, its record, and its place in the relay's order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from shared.events.hashing import canonical, event_hash
from shared.verification.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    import asyncpg

UNREADABLE = (KeyError, TypeError, ValueError, OverflowError)
"""What reading an event raises that no service of ours could have written."""


def chain_faults(aggregate_id: UUID, chain: Sequence[asyncpg.Record]) -> Iterable[Finding]:
    """Name what is wrong with a chain, its events in the order of versions.

    Each row holds the event's columns, those of the relay included, and `recorded`: whether the
    record of its command (幂等记录) stands and names it.
    """
    expected, previous, place = 1, None, (0, 0, 0)
    for event in chain:
        where: dict[str, Any] = {
            "aggregate_id": aggregate_id,
            "version": event["aggregate_version"],
            "event_id": event["id"],
        }
        if event["aggregate_version"] != expected:
            yield Finding(**where, what="removed", reason=f"缺少第 {expected} 版的事件")
        elif event["previous_hash"] != previous:
            yield Finding(**where, what="reordered", reason="与前一事件的散列不相连")
        if event["hash"] != _rehash(event):
            yield Finding(**where, what="edited", reason="内容与散列不符")
        if not event["recorded"]:
            yield Finding(**where, what="unrecorded", reason="没有办理这一事件的幂等记录")
        here = (event["epoch"], event["xid"], event["seq"])
        if here <= place:
            yield Finding(**where, what="reordered", reason="次序（epoch、xid、seq）先于前一版本")
        expected, previous, place = event["aggregate_version"] + 1, event["hash"], here


def _rehash(event: asyncpg.Record) -> bytes:
    columns = dict(event)
    try:
        columns["data"] = canonical(orjson.loads(event["data"]))
        return event_hash(columns)
    except UNREADABLE:
        return b""  # what no event of ours can hold: a float, an unknown algorithm, an endless time
