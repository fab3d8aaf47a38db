"""What the law asks before a step of a penalty case, one guard a rule."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from services.cases import articles, rules
from shared.clock import reckoning
from shared.workflow.table import Guard

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from services.cases.rules import Bounds, Law
    from shared.workflow.table import Situation

MIN_OFFICERS = 2


def investigators(s: Situation) -> Sequence[str]:
    """The officers who investigate the case."""
    filed = s.last("file")
    return filed["investigators"] if filed else ()


def _certified(s: Situation, accounts: Iterable[str]) -> str | None:
    named = sorted(set(accounts))
    if len(named) < MIN_OFFICERS:
        return "执法人员不得少于两名"
    lacking = [
        account
        for account in named
        if not any(c.valid_on(s.day) for c in s.officers.get(account, ()))
    ]
    if lacking:
        return f"{'、'.join(lacking)}在{s.day}没有有效的行政执法证"
    return None


def _certified_officers(s: Situation) -> str | None:
    return _certified(s, s.payload.officers)


def _certified_investigators(s: Situation) -> str | None:
    return _certified(s, s.payload.investigators)


def _certified_verifiers(s: Situation) -> str | None:
    return _certified(s, s.payload.verified_by)


def _four_conditions(s: Situation) -> str | None:
    p = s.payload
    unmet = [
        text
        for met, text in (
            (p.has_evidence, "有涉嫌违法的证据"),
            (p.punishable, "应当或者可以给予处罚"),
            (p.in_jurisdiction, "属于本机关管辖"),
        )
        if not met
    ]
    return f"不符合立案条件：{'、'.join(unmet)}" if unmet else None


def _within_limitation(s: Situation) -> str | None:
    clue = s.last("register")
    if clue is None:
        return None
    last = rules.limitation_ends(s.payload.act_ended_on, harmful=s.payload.harmful)
    if date.fromisoformat(clue["discovered_on"]) > last:
        return f"违法行为在{last}之后才被发现，不再给予行政处罚"
    return None


def _is_investigator(s: Situation) -> str | None:
    if s.caller.account not in investigators(s):
        return "须由本案执法人员办理"
    return None


def _is_no_investigator(s: Situation) -> str | None:
    if s.caller.account in investigators(s):
        return "本案执法人员不得参与审查、审核"
    return None


def _inspected(s: Situation) -> str | None:
    if not s.all("inspect"):
        return "尚无两名以上执法人员的检查或询问笔录"
    return None


def _appraisal_open(s: Situation) -> str | None:
    if len(s.all("begin-appraisal")) == len(s.all("end-appraisal")):
        return "没有进行中的监测或鉴定"
    return None


def _no_appraisal_open(s: Situation) -> str | None:
    if len(s.all("begin-appraisal")) > len(s.all("end-appraisal")):
        return "监测或鉴定尚未结束"
    return None


def _results_told(s: Situation) -> str | None:
    if any("told_party_on" not in result for result in s.all("end-appraisal")):
        return "监测、鉴定结果没有告知当事人的记录"
    return None


def seizure_open(s: Situation) -> bool:
    """Whether something is seized and not released."""
    return len(s.all("seize")) > len(s.all("release"))


def _nothing_seized(s: Situation) -> str | None:
    return "仍有查封、扣押未解除" if seizure_open(s) else None


def _something_seized(s: Situation) -> str | None:
    return None if seizure_open(s) else "没有未解除的查封、扣押"


def _seizure_in_time(s: Situation) -> str | None:
    clock = s.clocks.get("seizure")
    if clock is None or not seizure_open(s):
        return None
    period = s.periods.at(clock.period, clock.state.started)
    stand = reckoning.reckon(clock.state, period, s.calendar, s.day)
    if stand.overdue:
        return f"查封、扣押已于{stand.due.on}到期，须先解除或者已批准延期"
    return None


def _party_heard(s: Situation) -> str | None:
    return None if s.payload.party_heard else "实施查封、扣押须通知当事人到场并听取陈述申辩"


def _not_transferred(s: Situation) -> str | None:
    if len(s.all("transfer-to-police")) > len(s.all("record-police-reply")):
        return "已移送公安机关，尚未答复"
    return None


def _transferred(s: Situation) -> str | None:
    if len(s.all("transfer-to-police")) == len(s.all("record-police-reply")):
        return "没有等待答复的移送"
    return None


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


def _hearing_over(s: Situation) -> str | None:
    if len(s.all("request-hearing")) > len(s.all("hold-hearing")):
        return "当事人已申请听证，尚未举行"
    return None


def _hearing_requested(s: Situation) -> str | None:
    if len(s.all("request-hearing")) == len(s.all("hold-hearing")):
        return "没有待举行的听证"
    return None


def _hearing_announced(s: Situation) -> str | None:
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
    if not rules.discussion_due(s.payload.amount, grave_kinds=grave):
        return None
    if discussion is None:
        return "情节复杂或者重大，须经负责人集体讨论"
    later = [*s.all("hear-statement"), *s.all("request-hearing")]
    if notice and any(o["at"] > discussion["at"] for o in later):
        return "集体讨论后当事人提出申辩或者听证，须再次集体讨论"
    if s.payload.amount > Decimal(discussion["amount"]):
        return f"罚款超过集体讨论同意的{discussion['amount']}元"
    return None


def _voters_apart(s: Situation) -> str | None:
    voting = sorted(set(s.payload.voters) & set(investigators(s)))
    return f"调查人员{'、'.join(voting)}不得参加表决" if voting else None


def _was_penalised(s: Situation) -> str | None:
    return None if s.last("decide") else "该案没有处罚决定可以撤销"


def _not_above_notice(s: Situation) -> str | None:
    notice = s.last("notify")
    if notice and s.payload.amount > Decimal(notice["proposed_amount"]):
        return f"罚款不得高于告知的{notice['proposed_amount']}元（申辩不加重）"
    return None


def applicable(s: Situation) -> Law | None:
    """The law to apply; None where an act lies before the code and legal review has not chosen."""
    filed = s.last("file")
    assert filed is not None
    ended = date.fromisoformat(filed["act_ended_on"])
    if not rules.laws_cross(ended, s.day):
        return rules.law_at(ended)
    review: Any = s.last("review-legality") or {}
    return review.get("applicable_law")


def case_bounds(s: Situation, law: Law) -> Bounds:
    """The range of the case's fine under a law."""
    filed = s.last("file")
    assert filed is not None
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


two_investigators = Guard("两名持证执法人员", articles.TWO_OFFICERS, _certified_investigators, True, "investigators")
two_officers = Guard("两名持证执法人员", articles.TWO_OFFICERS, _certified_officers, True, "officers")
two_verifiers = Guard("两名以上人员核实", articles.TRANSFER, _certified_verifiers, True, "verified_by")
four_conditions = Guard("立案四条件", articles.FOUR_CONDITIONS, _four_conditions, True)
within_limitation = Guard("未过追责时效", articles.LIMITATION, _within_limitation, True, "act_ended_on")
is_investigator = Guard("本案执法人员", articles.TWO_OFFICERS, _is_investigator)
reviewer_apart = Guard("审查与调查分离", articles.REVIEWERS_APART, _is_no_investigator)
legal_apart = Guard("审核与调查分离", articles.LEGAL_APART, _is_no_investigator)
inspected = Guard("有检查或询问笔录", articles.INVESTIGATION, _inspected)
appraisal_open = Guard("监测、鉴定进行中", articles.DECISION_PAUSES, _appraisal_open)
no_appraisal_open = Guard("监测、鉴定已结束", articles.DECISION_PAUSES, _no_appraisal_open)
results_told = Guard("结果已告知当事人", articles.RESULT_TOLD, _results_told)
nothing_seized = Guard("查封、扣押已解除", articles.SEIZURE_ENDS, _nothing_seized)
something_seized = Guard("有查封、扣押", articles.RELEASE, _something_seized)
seizure_in_time = Guard("查封、扣押未超期", articles.SEIZURE_ENDS, _seizure_in_time)
party_heard = Guard("当事人到场", articles.coercion_law("18"), _party_heard, True, "party_heard")
not_transferred = Guard("未在移送中", articles.TRANSFER_PAUSE, _not_transferred)
transferred = Guard("已移送", articles.TRANSFER, _transferred)
rights_told = Guard("告知权利", articles.HEARING_THRESHOLD, _rights_told, True, "told_hearing_right")
noticed = Guard("已事先告知", articles.NOTICE, _noticed)
window_passed = Guard("申辩期满或放弃", articles.STATEMENT_DAYS, _window_passed)
hearing_over = Guard("听证已举行", articles.HEARING, _hearing_over)
hearing_requested = Guard("已申请听证", articles.HEARING, _hearing_requested)
hearing_announced = Guard("提前七个工作日通知", articles.HEARING_NOTICE, _hearing_announced, True, "notice_served_on")
host_apart = Guard("主持人非调查人员", articles.HEARING_HOST, _host_apart, True, "host")
review_passed = Guard("法制审核通过", articles.LEGAL_REVIEW, _review_passed)
discussed = Guard("重大案件集体讨论", articles.DISCUSSION, _discussed, True, "amount")
voters_apart = Guard("调查人员不表决", articles.VOTERS_APART, _voters_apart, True, "voters")
was_penalised = Guard("有处罚决定", articles.REVOCATION, _was_penalised)
not_above_notice = Guard("申辩不加重", articles.STATEMENT, _not_above_notice, True, "amount")
law_chosen = Guard("从旧兼从轻", articles.LIGHTER_LAW, _law_chosen)
within_range = Guard("在法定幅度内", articles.RANGE, _within_range, True, "amount")
corrected = Guard("已及时改正", articles.EXEMPTION, _corrected, True, "corrected")
consented = Guard("电子送达经同意", articles.SERVICE, _consented, True, "consent")
paid_in_full = Guard("缴足罚款", articles.PAYMENT, _paid_in_full, True, "amount")
surcharge_bounded = Guard("加处不超本金", articles.coercion_law("45"), _surcharge_bounded, True, "surcharge")
