"""What the law asks before a step of a permit application, one guard a rule."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from services.permits import articles, rules
from shared.clock import reckoning
from shared.clock.period import UnknownPeriod
from shared.workflow.table import Guard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.workflow.table import Situation

_INCOMPLETE = "incomplete"


def received(s: Situation) -> Mapping[str, Any]:
    """The receipt of the application: item, kind, channel."""
    return s.facts["receive"][-1]


def _is_eia(s: Situation) -> bool:
    return received(s)["item"] in rules.EIA


def _kind_fits(s: Situation) -> str | None:
    if s.payload.kind not in rules.KINDS[s.payload.item]:
        return "该事项没有这一办理类型"
    return None


def _law_in_force(s: Situation) -> str | None:
    return _periods_known(s, s.payload.item, s.payload.kind)


def _law_still_in_force(s: Situation) -> str | None:
    receipt = received(s)
    return _periods_known(s, receipt["item"], receipt["kind"])


def _periods_known(s: Situation, item: str, kind: str) -> str | None:
    for code in (rules.acceptance_code(item), rules.statutory_code(item, kind)):
        try:
            s.periods.at(code, s.day)
        except UnknownPeriod:
            return f"{s.day}规定该事项期限的法律尚未施行"
    return None


def _told_once(s: Situation) -> str | None:
    return "补正须一次告知全部内容，不得再次要求补正" if s.all("request-supplement") else None


def _acceptance_in_time(s: Situation) -> str | None:
    clock = s.clocks["acceptance"]
    period = s.periods.at(clock.period, clock.state.started)
    if reckoning.reckon(clock.state, period, s.calendar, s.day).overdue:
        return (
            f"超过{period.length}个工作日未告知，自收到申请材料之日{clock.state.started}起即为受理"
        )
    return None


def _on_receipt_day(s: Situation) -> str | None:
    started = s.clocks["acceptance"].state.started
    if s.day != started:
        return f"视为受理自收到申请材料之日起，发生时间须在{started}"
    return None


def _supplement_due_later(s: Situation) -> str | None:
    return None if s.payload.due_on > s.day else "补正期限须晚于告知之日"


def _supplement_overdue(s: Situation) -> str | None:
    request = s.last("request-supplement")
    if request and s.day <= date.fromisoformat(request["due_on"]):
        return f"补正期限至{request['due_on']}，尚未届满"
    return None


def _supplement_asked_first(s: Situation) -> str | None:
    if s.payload.ground == _INCOMPLETE and not s.all("request-supplement"):
        return "材料不全的须先一次告知补正，不得径行不予受理"
    return None


def _counted_from_acceptance(s: Situation) -> str | None:
    return "环评文件的期限自收到之日起算，请办理“受理环评文件”" if _is_eia(s) else None


def _eia(s: Situation) -> str | None:
    return None if _is_eia(s) else "仅环评报告书、报告表适用"


def _notice_long_enough(s: Situation) -> str | None:
    least = rules.NOTICE_DAYS.get(received(s)["item"])
    return None if least is None else _too_short(s, least)


def _proposal_long_enough(s: Situation) -> str | None:
    return _too_short(s, rules.PROPOSAL_NOTICE_DAYS)


def _too_short(s: Situation, least: int) -> str | None:
    days = s.calendar.workdays_between(s.day, s.payload.ends_on)
    if days < least:
        earliest = s.calendar.add_workdays(s.day, least).on
        return f"公示不得少于{least}个工作日，最早至{earliest}，现为{days}个工作日"
    return None


def _full_text(s: Situation) -> str | None:
    if received(s)["item"] == "eia_report" and not s.payload.full_text:
        return "收到的环境影响报告书须全文公开"
    return None


def _ends_today(s: Situation, notice: str, end: str) -> str | None:
    publicised = s.all(notice)
    if len(publicised) == len(s.all(end)):
        return "没有进行中的公示"
    if publicised[-1]["ends_on"] != s.day.isoformat():
        return f"公示至{publicised[-1]['ends_on']}，期满之日为发生时间"
    return None


def _notice_ends(s: Situation) -> str | None:
    return _ends_today(s, "publicise", "end-notice")


def _proposal_ends(s: Situation) -> str | None:
    return _ends_today(s, "propose", "end-proposal")


def _notice_over(s: Situation) -> str | None:
    if not _is_eia(s):
        return None
    if not s.all("publicise"):
        return "环评文件须先受理公示"
    return "受理公示尚未期满" if len(s.all("publicise")) > len(s.all("end-notice")) else None


def _proposal_over(s: Situation) -> str | None:
    if not _is_eia(s):
        return None
    if s.state != "proposed":
        return "环评文件作出决定前须公示拟审批意见"
    return "拟审批公示尚未期满" if len(s.all("propose")) > len(s.all("end-proposal")) else None


def _no_proposal_open(s: Situation) -> str | None:
    return "拟审批公示尚未期满" if len(s.all("propose")) > len(s.all("end-proposal")) else None


def _special_open(s: Situation) -> bool:
    return len(s.all("begin-special")) > len(s.all("end-special"))


def _no_special(s: Situation) -> str | None:
    return "特别程序尚未结束" if _special_open(s) else None


def _some_special(s: Situation) -> str | None:
    return None if _special_open(s) else "没有进行中的特别程序"


def _stops_the_clock(s: Situation) -> str | None:
    if not rules.stops_the_clock(received(s)["item"], s.payload.procedure):
        return "技术评估不在行政许可法45所列，该事项不因此停止计算期限"
    return None


def _applicant_told(s: Situation) -> str | None:
    return None if s.payload.told_applicant else "须将特别程序所需时间书面告知申请人"


def _decider_apart(s: Situation) -> str | None:
    if s.caller.account in {review["by"] for review in s.all("review")}:
        return "审查人员不得作出决定"
    return None


def _refusal_grounds(s: Situation) -> str | None:
    if _is_eia(s) and not s.payload.grounds:
        return "不予批准环评文件须有法定五种情形之一"
    if not _is_eia(s) and s.payload.grounds:
        return "法定五种情形仅适用于环评文件，其他事项在理由中说明"
    return None


def _remedies_told(s: Situation) -> str | None:
    return None if s.payload.told_remedies else "须告知申请人复议和诉讼的权利"


def _licence_due(s: Situation) -> str | None:
    return "环评文件以批复办结，不另发证" if _is_eia(s) else None


def _no_licence_due(s: Situation) -> str | None:
    receipt = received(s)
    if receipt["item"] in rules.LICENSED and receipt["kind"] != "change":
        return "该事项须颁发许可证"
    return None


def _authority(s: Situation) -> str | None:
    p = s.payload
    if received(s)["item"] not in rules.LICENSED:
        return None
    if p.authority_basis is None or p.issued_in_name_of is None:
        return "区局不具本级审批权，须注明审批权依据和以何机关名义颁发"
    return None


def _in_name_of_entrusting(s: Situation) -> str | None:
    p = s.payload
    if p.authority_basis == "entrusted" and p.issued_in_name_of == "district":
        return "受委托实施许可的，以委托机关名义颁发"
    return None


def _term(s: Situation) -> str | None:
    receipt, p = received(s), s.payload
    if receipt["item"] not in rules.LICENSED:
        return None
    if p.valid_from is None or p.valid_until is None:
        return "须注明有效期起止"
    ends = rules.term_ends(p.valid_from)
    if receipt["kind"] in {"new", "renewal"} and p.valid_until != ends:
        return f"有效期为五年，至{ends}"
    if not p.valid_from <= p.valid_until <= ends:
        return f"有效期不得超过五年，至多至{ends}"
    return None


kind_fits = Guard("事项有此办理类型", articles.KINDS, _kind_fits, asks_payload=True, field="kind")
law_in_force = Guard("法律已施行", articles.RECEIPT, _law_in_force, asks_payload=True, field="item")
law_still_in_force = Guard("更正后的事项法律已施行", articles.RECEIPT, _law_still_in_force)
told_once = Guard("一次告知补正", articles.ACCEPTANCE, _told_once)
acceptance_in_time = Guard("未视为受理", articles.ACCEPTANCE, _acceptance_in_time)
on_receipt_day = Guard("自收到之日受理", articles.ACCEPTANCE, _on_receipt_day)
supplement_due_later = Guard(
    "给予补正期限", articles.ACCEPTANCE, _supplement_due_later, asks_payload=True, field="due_on"
)
supplement_overdue = Guard("补正期限已过", articles.LAPSE, _supplement_overdue)
supplement_asked_first = Guard(
    "先告知补正", articles.ACCEPTANCE, _supplement_asked_first, asks_payload=True, field="ground"
)
counted_from_acceptance = Guard("期限自受理起算", articles.EIA_RECEIPT, _counted_from_acceptance)
eia = Guard("环评文件", articles.EIA_RECEIPT, _eia)
notice_long_enough = Guard(
    "受理公示时长", articles.NOTICE, _notice_long_enough, asks_payload=True, field="ends_on"
)
full_text = Guard(
    "报告书全文公开", articles.FULL_TEXT, _full_text, asks_payload=True, field="full_text"
)
notice_ends = Guard("受理公示期满", articles.NOTICE, _notice_ends)
notice_over = Guard("已受理公示", articles.NOTICE, _notice_over)
proposal_long_enough = Guard(
    "拟审批公示时长",
    articles.PROPOSAL_NOTICE,
    _proposal_long_enough,
    asks_payload=True,
    field="ends_on",
)
proposal_ends = Guard("拟审批公示期满", articles.PROPOSAL_NOTICE, _proposal_ends)
proposal_over = Guard("已公示拟审批意见", articles.PROPOSAL_NOTICE, _proposal_over)
no_proposal_open = Guard("无进行中的拟审批公示", articles.PROPOSAL_NOTICE, _no_proposal_open)
no_special = Guard("特别程序已结束", articles.HEARING_OR_REVIEW, _no_special)
some_special = Guard("特别程序进行中", articles.HEARING_OR_REVIEW, _some_special)
stops_the_clock = Guard(
    "依法不计入期限", articles.EXCLUDED, _stops_the_clock, asks_payload=True, field="procedure"
)
applicant_told = Guard(
    "书面告知所需时间",
    articles.EXCLUDED,
    _applicant_told,
    asks_payload=True,
    field="told_applicant",
)
decider_apart = Guard("审查与决定分离", articles.APART, _decider_apart)
refusal_grounds = Guard(
    "不予批准的法定情形", articles.EIA_REFUSAL, _refusal_grounds, asks_payload=True, field="grounds"
)
remedies_told = Guard(
    "告知救济权利", articles.DECISION, _remedies_told, asks_payload=True, field="told_remedies"
)
licence_due = Guard("应当发证", articles.CERTIFICATE, _licence_due)
no_licence_due = Guard("无需发证", articles.CERTIFICATE, _no_licence_due)
authority = Guard(
    "审批权依据", articles.AUTHORITY, _authority, asks_payload=True, field="authority_basis"
)
in_name_of_entrusting = Guard(
    "以委托机关名义",
    articles.ENTRUSTED,
    _in_name_of_entrusting,
    asks_payload=True,
    field="issued_in_name_of",
)
term = Guard("有效期五年", articles.LICENCE_TERM, _term, asks_payload=True, field="valid_until")
