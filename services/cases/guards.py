"""What the law asks of an investigation and its measures, one guard a rule."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from services.cases import articles, rules
from shared.clock import reckoning
from shared.workflow.table import Guard

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
    if s.payload.act_ended_on > s.day:
        return f"违法行为终了日期晚于立案之日{s.day}"
    last = rules.limitation_ends(s.payload.act_ended_on, harmful=s.payload.harmful)
    if date.fromisoformat(clue["discovered_on"]) > last:
        return f"违法行为在{last}之后才被发现，不再给予行政处罚"
    return None


def _discovered_by_now(s: Situation) -> str | None:
    return "发现日期晚于登记之日" if s.payload.discovered_on > s.day else None


def _told_by_now(s: Situation) -> str | None:
    told = s.payload.told_party_on
    return "告知日期晚于办理之日" if told is not None and told > s.day else None


def _not_suspended(s: Situation) -> str | None:
    return "调查已中止，须先恢复" if len(s.all("suspend")) > len(s.all("resume")) else None


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


two_investigators = Guard(
    "两名持证执法人员",
    articles.TWO_OFFICERS,
    _certified_investigators,
    asks_payload=True,
    field="investigators",
)
two_officers = Guard(
    "两名持证执法人员",
    articles.TWO_OFFICERS,
    _certified_officers,
    asks_payload=True,
    field="officers",
)
two_verifiers = Guard(
    "两名以上人员核实",
    articles.TRANSFER,
    _certified_verifiers,
    asks_payload=True,
    field="verified_by",
)
four_conditions = Guard("立案四条件", articles.FOUR_CONDITIONS, _four_conditions, asks_payload=True)
within_limitation = Guard(
    "未过追责时效", articles.LIMITATION, _within_limitation, asks_payload=True, field="act_ended_on"
)
discovered_by_now = Guard(
    "已经发现", articles.FILING_DAYS, _discovered_by_now, asks_payload=True, field="discovered_on"
)
told_by_now = Guard(
    "已经告知", articles.RESULT_TOLD, _told_by_now, asks_payload=True, field="told_party_on"
)
not_suspended = Guard("调查未中止", articles.DECISION_PAUSES, _not_suspended)
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
party_heard = Guard(
    "当事人到场", articles.coercion_law("18"), _party_heard, asks_payload=True, field="party_heard"
)
not_transferred = Guard("未在移送中", articles.TRANSFER_PAUSE, _not_transferred)
transferred = Guard("已移送", articles.TRANSFER, _transferred)
