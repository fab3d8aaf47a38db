"""What the law asks before a step of a complaint, one guard a rule."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from services.complaints import articles, rules
from shared.workflow.table import Guard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from shared.workflow.table import Situation


def registration(s: Situation) -> Mapping[str, Any]:
    """What was registered; empty before it is."""
    return s.last("register") or {}


def handlers(s: Situation) -> Sequence[str]:
    """The officers to whom the complaint was last assigned."""
    assigned = s.last("assign")
    return assigned["handlers"] if assigned else ()


def _told(s: Situation) -> str | None:
    if registration(s).get("contact") and not s.payload.told:
        return "举报人留有联系方式，须书面告知"
    return None


def _not_urgent(s: Situation) -> str | None:
    if registration(s).get("urgent"):
        return "突发、群体性等紧急事项须立即受理并报告，不得不予受理"
    return None


def _was_transferred(s: Situation) -> str | None:
    if registration(s).get("channel") not in rules.TRANSFERRED:
        return "不是其他机关转送、交办的事项，没有可以异议的转送"
    return None


def _objection_in_time(s: Situation) -> str | None:
    registered = registration(s)
    if not registered:
        return None
    last = rules.objection_ends(date.fromisoformat(registered["on"]), s.calendar)
    return f"异议须在收到起五个工作日内提出，已于{last}届满" if s.day > last else None


def _not_objected(s: Situation) -> str | None:
    return "对这次转送已提出过异议" if s.all("object-to-transfer") else None


def _certified_handlers(s: Situation) -> str | None:
    named = sorted(set(s.payload.handlers))
    if len(named) < 2:  # noqa: PLR2004 - two officers, as the article says
        return "执法人员不得少于两名"
    lacking = [
        account
        for account in named
        if not any(c.valid_on(s.day) for c in s.officers.get(account, ()))
    ]
    return f"{'、'.join(lacking)}在{s.day}没有有效的行政执法证" if lacking else None


def _handlers_not_reported(s: Situation) -> str | None:
    reported = sorted(set(s.payload.handlers) & set(registration(s).get("staff", ())))
    return f"{'、'.join(reported)}是被举报人，不得承办" if reported else None


def _not_reported(s: Situation) -> str | None:
    if s.caller.account in registration(s).get("staff", ()):
        return "被举报的工作人员应当回避"
    return None


def _is_handler(s: Situation) -> str | None:
    return None if s.caller.account in handlers(s) else "须由本事项承办人办理"


def _is_no_handler(s: Situation) -> str | None:
    return "承办人不得签发答复、回访自己承办的事项" if s.caller.account in handlers(s) else None


def _dealt_with(s: Situation) -> str | None:
    if rules.is_handled(s.payload.finding, s.payload.measures):
        return None
    return "举报属实或者部分属实，须有处理措施方可终结调查"


def _clue_handed_over(s: Situation) -> str | None:
    accepted = s.last("accept")
    if accepted and accepted["petition_type"] == "enforcement" and not s.all("turn-into-clue"):
        return "申请查处违法行为的，须先转为执法线索"
    return None


def _clue_once(s: Situation) -> str | None:
    return "已转为执法线索" if s.all("turn-into-clue") else None


def _no_contact(s: Situation) -> str | None:
    return "举报人留有联系方式，须答复后办结" if registration(s).get("contact") else None


def _remedies_told(s: Situation) -> str | None:
    return None if s.payload.told_remedies else "答复须告知不服时的救济途径"


def _unsatisfied(s: Situation) -> str | None:
    call = s.last("call-back")
    return None if call and call["outcome"] == "unsatisfied" else "回访没有不满意，不得重办"


def _not_reopened(s: Situation) -> str | None:
    return "已重办过一次，仍不服的请求复查" if s.all("reopen") else None


def _settled(s: Situation) -> str | None:
    if _unsatisfied(s) is None and not s.all("reopen"):
        return "回访不满意，须先退回重办"
    return None


not_urgent = Guard("不是紧急事项", articles.URGENT, _not_urgent)
not_reported = Guard("被举报人回避", articles.RECUSAL, _not_reported)
was_transferred = Guard("其他机关转送", articles.OBJECTION, _was_transferred)
objection_in_time = Guard("五个工作日内", articles.OBJECTION, _objection_in_time)
not_objected = Guard("未提出过异议", articles.OBJECTION, _not_objected)
is_handler = Guard("承办人", articles.ASSIGNMENT, _is_handler)
signer_apart = Guard("签发与承办分离", articles.SIGNER_APART, _is_no_handler)
caller_apart = Guard("回访与承办分离", articles.CALLER_APART, _is_no_handler)
clue_handed_over = Guard("申请查处已转线索", articles.STATUTORY_DUTY, _clue_handed_over)
clue_once = Guard("未转过线索", articles.STATUTORY_DUTY, _clue_once)
no_contact = Guard("没有联系方式", articles.FEEDBACK, _no_contact)
unsatisfied = Guard("回访不满意", articles.REWORK, _unsatisfied)
not_reopened = Guard("只重办一次", articles.REVIEW, _not_reopened)
settled = Guard("没有待重办的不满意", articles.REWORK, _settled)

told = Guard("已告知举报人", articles.NOTICE, _told, asks_payload=True, field="told")
extension_told = Guard("已告知延期", articles.EXTENSION, _told, asks_payload=True, field="told")
two_handlers = Guard(
    "两名持证执法人员",
    articles.TWO_OFFICERS,
    _certified_handlers,
    asks_payload=True,
    field="handlers",
)
handlers_not_reported = Guard(
    "承办人回避", articles.RECUSAL, _handlers_not_reported, asks_payload=True, field="handlers"
)
dealt_with = Guard("已有处理", articles.HANDLING, _dealt_with, asks_payload=True, field="measures")
remedies_told = Guard(
    "已告知救济途径", articles.REVIEW, _remedies_told, asks_payload=True, field="told_remedies"
)
