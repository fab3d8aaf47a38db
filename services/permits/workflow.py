"""The permit application (行政许可申请) as a table: 收件 → 补正 → 受理 → 公示 → 审查 → 拟审批公示 → 决定 → 发证.

An EIA report or form is publicised twice, and its statutory limit runs from receipt; every other
item goes from acceptance to review to decision, and its limit runs from acceptance. A licence
counts as issued (发放) where one is handed out: `licence-issued`, whether for a new permit, a
renewal, a change or a reissue. A change that needs none is concluded (`conclude`) without one. The
events of the receipt, the decision and the issue bear item, kind and channel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.permits import articles, examples, guards, schemas
from services.permits.limits import TIME_LIMIT
from services.permits.rules import PERIODS, acceptance_code, committed_code, statutory_code
from services.permits.special import SPECIAL
from shared.identity.roles import Role
from shared.workflow.correction import correction_rows
from shared.workflow.table import (
    Claim,
    End,
    Procedure,
    Resume,
    Row,
    Start,
    State,
    Suspend,
    by,
    states,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shared.workflow.table import Facts, Situation

WINDOW, APPROVER, LEADER = Role.WINDOW, Role.APPROVER, Role.LEADER

STATES = {
    "received": State("收件"),
    "supplementing": State("补正"),
    "accepted": State("受理"),
    "noticed": State("受理公示"),
    "reviewed": State("审查"),
    "proposed": State("拟审批公示"),
    "approved": State("批准"),
    "issued": State("发证"),
    "concluded": State("办结"),
    "refused": State("不予许可", final=True),
    "not_accepted": State("不予受理", final=True),
    "withdrawn": State("撤回", final=True),
    "lapsed": State("逾期不补", final=True),
    "revoked": State("撤销", final=True),
    "cancelled": State("注销", final=True),
}
_UNDECIDED = states("received", "supplementing", "accepted", "noticed", "reviewed", "proposed")
_ENDS = (End("acceptance"), End("statutory"), End("committed"))


def _subject(s: Situation) -> Mapping[str, Any]:
    receipt = guards.received(s)
    return {name: receipt[name] for name in ("item", "kind", "channel")}


def _serial(s: Situation) -> Iterable[Claim]:
    if s.payload.serial is not None:
        yield Claim("serial", f"{s.payload.channel}/{s.payload.serial}")


def _acceptance_at_receipt(s: Situation) -> str:
    return acceptance_code(s.payload.item)


def _statutory_at_receipt(s: Situation) -> str:
    return statutory_code(s.payload.item, s.payload.kind)


def _acceptance(s: Situation) -> str:
    return acceptance_code(guards.received(s)["item"])


def _statutory(s: Situation) -> str:
    receipt = guards.received(s)
    return statutory_code(receipt["item"], receipt["kind"])


def _committed(s: Situation) -> str:
    receipt = guards.received(s)
    return committed_code(receipt["item"], receipt["kind"])
