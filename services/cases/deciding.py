"""What the law asks of a notice, a hearing, a decision and what follows, one guard a rule."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from services.cases import articles, rules
from services.cases.guards import investigators
from shared.workflow.table import Guard

if TYPE_CHECKING:
    from services.cases.rules import Bounds, Law
    from shared.workflow.table import Situation

MIN_VOTERS = 3


def _party_kind(s: Situation) -> str:
    clue = s.last("register")
    return str(clue["party_kind"]) if clue else "organisation"


def _rights_told(s: Situation) -> str | None:
    p = s.payload
    if not p.told_statement_right:
        return "须告知陈述、申辩权"
    if not p.told_hearing_right and rules.hearing_due(
        _party_kind(s), p.proposed_amount, grave_kinds=p.grave_kinds
    ):
        return "拟处罚款达到较大数额或者属于较重处罚，须告知听证权"
    return None


def _noticed(s: Situation) -> str | None:
    notice, returned = s.last("notify"), s.last("return-for-investigation")
    if notice is None:
        return "未经事先告知不得作出处罚决定"
    if returned is not None and returned["at"] > notice["at"]:
        return "告知后退回补充调查，须重新告知"
    return None


def _window_passed(s: Situation) -> str | None:
    notice = s.last("notify")
    waiver = s.last("waive")
    if notice is None or (waiver is not None and waiver["at"] >= notice["at"]):
        return None
    ends = rules.statement_window_ends(date.fromisoformat(notice["on"]), s.calendar)
    if s.day <= ends:
        return f"当事人陈述申辩期至{ends}，期满或者书面放弃后方可决定"
    return None


def _hearing_in_time(s: Situation) -> str | None:
    notice = s.last("notify")
    if notice is None:
        return None
    ends = rules.statement_window_ends(date.fromisoformat(notice["on"]), s.calendar)
    if s.day > ends:
        return f"听证须在{ends}以前申请，逾期视为放弃"
    return None


def _hearing_over(s: Situation) -> str | None:
    if len(s.all("request-hearing")) > len(s.all("hold-hearing")):
        return "当事人已申请听证，尚未举行"
    return None


def _hearing_requested(s: Situation) -> str | None:
    if len(s.all("request-hearing")) == len(s.all("hold-hearing")):
        return "没有待举行的听证"
    return None


def _hearing_announced(s: Situation) -> str | None:
    request = s.last("request-hearing")
    if request and s.payload.notice_served_on < date.fromisoformat(request["on"]):
        return "听证通知书不可能在申请以前送达"
    earliest = s.calendar.add_workdays(s.payload.notice_served_on, rules.HEARING_NOTICE_DAYS).on
    if s.day < earliest:
        return f"听证通知书须在举行七个工作日前送达，最早可在{earliest}举行"
    return None


def _host_apart(s: Situation) -> str | None:
    return "听证主持人不得为本案执法人员" if s.payload.host in investigators(s) else None


def _review_passed(s: Situation) -> str | None:
    review = s.last("review-legality")
    if review is None:
        return "未经法制审核"
    if not (review["competent"] and review["facts_clear"] and review["discretion_proper"]):
        return "法制审核未通过"
    later = [
        *(o for o in s.all("hear-statement") if o["new_evidence"]),
        *(o for o in s.all("hold-hearing") if o["new_evidence"]),
    ]
    if any(o["at"] > review["at"] for o in later):
        return "法制审核后取得新证据，须再次审核"
    return None


def _discussed(s: Situation) -> str | None:
    notice = s.last("notify")
    grave = bool(notice and notice["grave_kinds"])
    discussion = s.last("discuss")
    if discussion is None:
        due = rules.discussion_due(s.payload.amount, grave_kinds=grave)
        return "情节复杂或者重大，须经负责人集体讨论" if due else None
    later = [*s.all("hear-statement"), *s.all("request-hearing")]
    if notice and any(o["at"] > discussion["at"] for o in later):
        return "集体讨论后当事人提出申辩或者听证，须再次集体讨论"
    if s.payload.amount > Decimal(discussion["amount"]):
        return f"罚款超过集体讨论同意的{discussion['amount']}元"
    return None


def _voters_apart(s: Situation) -> str | None:
    if len(set(s.payload.voters)) < MIN_VOTERS:
        return f"表决人员不得少于{MIN_VOTERS}名，同一人只计一次"
    voting = sorted(set(s.payload.voters) & set(investigators(s)))
    return f"调查人员{'、'.join(voting)}不得参加表决" if voting else None


def _was_penalised(s: Situation) -> str | None:
    return None if s.last("decide") else "该案没有处罚决定可以撤销"


def _not_above_notice(s: Situation) -> str | None:
    """No heavier than told: not than the last notice, nor than one that was answered before it."""
    returned = s.last("return-for-investigation")
    since = returned["at"] if returned else ""
    notices = [o for o in s.all("notify") if o["at"] >= since]
    answers = [*s.all("hear-statement"), *s.all("request-hearing")]
    binding = [o for o in notices if any(a["at"] > o["at"] for a in answers)] + notices[-1:]
    if not binding:
        return None
    told = min(Decimal(o["proposed_amount"]) for o in binding)
    if s.payload.amount > told:
        return f"罚款不得高于告知的{told}元（申辩不加重）"
    return None


def applicable(s: Situation) -> Law | None:
    """The law to apply; None where an act lies before the code and legal review has not chosen."""
    filed = s.done("file")
    ended = date.fromisoformat(filed["act_ended_on"])
    if not rules.laws_cross(ended, s.day):
        return rules.law_at(ended)
    review = s.last("review-legality") or {}
    law: Law | None = review.get("applicable_law")
    return law


def chosen_law(s: Situation) -> Law:
    """The law to apply, once the guards have passed."""
    law = applicable(s)
    if law is None:
        raise LookupError("the applicable law has not been chosen")
    return law


def case_bounds(s: Situation, law: Law) -> Bounds:
    """The range of the case's fine under a law."""
    filed = s.done("file")
    base = filed.get("base")
    return rules.bounds(
        filed["cause"],
        law,
        Decimal(base) if base is not None else None,
        licensed=filed["licensed"],
        eia_report=filed["eia_report"],
    )


def _law_chosen(s: Situation) -> str | None:
    if s.last("file") and applicable(s) is None:
        return "行为发生在旧法施行期间，须由法制审核确认从旧兼从轻适用的法律"
    return None


def _within_range(s: Situation) -> str | None:
    law = applicable(s)
    if law is None:
        return None
    try:
        bounds = case_bounds(s, law)
    except rules.NoRangeError as error:
        return str(error)
    amount, p = s.payload.amount, s.payload
    if amount > bounds.maximum:
        return f"罚款高于法定最高{bounds.maximum}元（{bounds.article.text}）"
    if amount < bounds.minimum and not (p.reduced and p.mitigating):
        return f"罚款低于法定最低{bounds.minimum}元（{bounds.article.text}），且无法定减轻情形"
    return None


def _corrected(s: Situation) -> str | None:
    if s.payload.ground in {"minor_no_harm", "first_minor"} and not s.payload.corrected:
        return "轻微、初次违法不予处罚须已及时改正"
    return None


def _consented(s: Situation) -> str | None:
    if s.payload.method == "electronic" and not s.payload.consent:
        return "电子送达须当事人签订确认书"
    return None


def _paid_in_full(s: Situation) -> str | None:
    decision = s.last("decide")
    if decision and s.payload.amount != Decimal(decision["amount"]):
        return f"应缴罚款{decision['amount']}元"
    return None


def _surcharge_bounded(s: Situation) -> str | None:
    surcharge = s.payload.surcharge
    decision = s.last("decide")
    if surcharge is not None and decision and surcharge > Decimal(decision["amount"]):
        return "加处罚款不得超出罚款本金"
    return None


rights_told = Guard(
    "告知权利",
    articles.HEARING_THRESHOLD,
    _rights_told,
    asks_payload=True,
    field="told_hearing_right",
)
noticed = Guard("已事先告知", articles.NOTICE, _noticed)
window_passed = Guard("申辩期满或放弃", articles.STATEMENT_DAYS, _window_passed)
hearing_in_time = Guard("五个工作日内申请", articles.HEARING_DAYS, _hearing_in_time)
hearing_over = Guard("听证已举行", articles.HEARING, _hearing_over)
hearing_requested = Guard("已申请听证", articles.HEARING, _hearing_requested)
hearing_announced = Guard(
    "提前七个工作日通知",
    articles.HEARING_NOTICE,
    _hearing_announced,
    asks_payload=True,
    field="notice_served_on",
)
host_apart = Guard(
    "主持人非调查人员", articles.HEARING_HOST, _host_apart, asks_payload=True, field="host"
)
review_passed = Guard("法制审核通过", articles.LEGAL_REVIEW, _review_passed)
discussed = Guard(
    "重大案件集体讨论", articles.DISCUSSION, _discussed, asks_payload=True, field="amount"
)
voters_apart = Guard(
    "调查人员不表决", articles.VOTERS_APART, _voters_apart, asks_payload=True, field="voters"
)
was_penalised = Guard("有处罚决定", articles.REVOCATION, _was_penalised)
not_above_notice = Guard(
    "申辩不加重", articles.STATEMENT, _not_above_notice, asks_payload=True, field="amount"
)
law_chosen = Guard("从旧兼从轻", articles.LIGHTER_LAW, _law_chosen)
within_range = Guard(
    "在法定幅度内", articles.RANGE, _within_range, asks_payload=True, field="amount"
)
corrected = Guard(
    "已及时改正", articles.EXEMPTION, _corrected, asks_payload=True, field="corrected"
)
consented = Guard(
    "电子送达经同意", articles.SERVICE, _consented, asks_payload=True, field="consent"
)
paid_in_full = Guard("缴足罚款", articles.PAYMENT, _paid_in_full, asks_payload=True, field="amount")
surcharge_bounded = Guard(
    "加处不超本金",
    articles.coercion_law("45"),
    _surcharge_bounded,
    asks_payload=True,
    field="surcharge",
)
