"""When a command stands in time, where its sender or the machine's clock says something odd."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.clock.law_time import SHANGHAI
from shared.http.problem import ClockBehind, InvalidInput

AHEAD = timedelta(minutes=5)
"""How far a sender's clock may be ahead of ours."""
BEHIND = timedelta(hours=12)
"""How far ours may be behind the last step before we no longer name the time ourselves."""


def refuse_future(at: datetime, now: datetime) -> None:
    """Raise `InvalidInput` where a command is said to lie in the future."""
    if at > now + AHEAD:
        raise InvalidInput(
            f"发生时间不得晚于现在五分钟以上（服务器时间 {_shown(now)}）", field="occurred_at"
        )


def moment(given: datetime | None, now: datetime, earliest: datetime | None) -> datetime:
    """When a command happened: as `given`, else now, and then never before `earliest`.

    A clock that was set back must not have steps refused as out of order, so a step without a
    time of its own takes the last one's; the order is kept by the versions. Raises `ClockBehind`
    where the clock is off by so much that the days of the law would be wrong.
    """
    if given is not None or earliest is None or earliest <= now:
        return given or now
    if earliest - now > BEHIND:
        raise ClockBehind(
            f"服务器时间 {_shown(now)} 早于该事项的上一步骤 {_shown(earliest)}："
            "请系统管理员核对服务器时钟；上一步骤的时间有误的，请先更正"
        )
    return earliest


def _shown(instant: datetime) -> str:
    return instant.astimezone(SHANGHAI).isoformat(sep=" ", timespec="seconds")
