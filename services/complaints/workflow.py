"""The complaint (投诉举报) as a table: 登记 → 受理 → 交办 → 调查 → 答复 → 回访 → 办结.

Beside it stand two registers: full-time mediators, and the cross-department events taken on.
"""

from __future__ import annotations

from services.complaints import articles, examples, guards, outcomes, schemas
from services.complaints.rules import PERIODS
from shared.identity.roles import Role
from shared.workflow.correction import correction_rows
from shared.workflow.table import End, Extend, Procedure, Row, Start, State, by, states

PETITIONS, OFFICER, LEADER = Role.PETITIONS, Role.INVESTIGATOR, Role.LEADER

STATES = {
    "registered": State("登记"),
    "objected": State("转送异议"),
    "returned": State("退回转送机关", final=True),
    "declined": State("不予受理", final=True),
    "transferred": State("转办", final=True),
    "merged": State("并案", final=True),
    "withdrawn": State("撤回", final=True),
    "accepted": State("受理"),
    "assigned": State("交办"),
    "investigating": State("调查"),
    "investigated": State("调查终结"),
    "drafted": State("答复拟稿"),
    "signed": State("答复签发"),
    "replied": State("答复"),
    "called_back": State("回访"),
    "closed": State("办结", final=True),
}
_UNDER_WAY = states("accepted", "assigned", "investigating", "investigated", "drafted", "signed")

INTAKE = (
    Row(
        command="register", title="登记", article=articles.REGISTRATION, roles=by(PETITIONS),
        source=states(), target="registered", event="complaint-registered",
        payload=schemas.Registration,
        clocks=(Start(outcomes.acceptance_period, "acceptance"),),
        derived=schemas.Reachability, derive=outcomes.reachability, document="举报登记表",
        correctable=frozenset({"channel", "pollution", "urgent", "repeat", "township"}),
    ),
    Row(
        command="accept", title="受理", article=articles.NOTICE, roles=by(PETITIONS),
        source=states("registered"), target="accepted", event="complaint-accepted",
        payload=schemas.Acceptance, guards=(guards.not_reported, guards.told),
        clocks=(End("acceptance"), Start(outcomes.handling_period, "handling")),
        document="受理告知书", correctable=frozenset({"petition_type"}),
    ),
    Row(
        command="decline", title="不予受理", article=articles.DECLINING, roles=by(PETITIONS),
        source=states("registered"), target="declined", event="complaint-declined",
        payload=schemas.Declining, clocks=(End("acceptance"),), document="不予受理告知书",
        guards=(guards.not_reported, guards.not_urgent, guards.told),
        correctable=frozenset({"ground"}),
    ),
    Row(
        command="transfer", title="转办", article=articles.NOTICE, roles=by(PETITIONS),
        source=states("registered"), target="transferred", event="complaint-transferred",
        payload=schemas.Transfer, clocks=(End("acceptance"),), document="转办函",
        guards=(guards.not_reported, guards.told),
        correctable=frozenset({"to"}),
    ),
    Row(
        command="merge", title="并案", article=articles.DECLINING, roles=by(PETITIONS),
        source=states("registered"), target="merged", event="complaint-merged",
        payload=schemas.Merging, guards=(guards.not_reported,), clocks=(End("acceptance"),),
        correctable=frozenset({"into"}),
    ),
    Row(
        command="withdraw", title="撤回", article=articles.REGISTRATION, roles=by(PETITIONS),
        source=states("registered"), target="withdrawn", event="complaint-withdrawn",
        payload=schemas.Reason, guards=(guards.not_reported,), clocks=(End("acceptance"),),
    ),
    Row(
        command="object-to-transfer", title="对转送提出异议", article=articles.OBJECTION,
        roles=by(PETITIONS), source=states("registered"), target="objected",
        event="transfer-objected", payload=schemas.Reason, document="异议函",
        guards=(guards.was_transferred, guards.not_objected, guards.objection_in_time),
    ),
    Row(
        command="uphold-objection", title="异议成立", article=articles.OBJECTION,
        roles=by(PETITIONS), source=states("objected"), target="returned",
        event="objection-upheld", payload=schemas.Reason, clocks=(End("acceptance"),),
    ),
    Row(
        command="dismiss-objection", title="异议不成立", article=articles.OBJECTION,
        roles=by(PETITIONS), source=states("objected"), target="registered",
        event="objection-dismissed", payload=schemas.Reason,
    ),
)  # fmt: skip

HANDLING = (
    Row(
        command="report-emergency", title="紧急事项上报", article=articles.URGENT,
        roles=by(PETITIONS, LEADER), source=_UNDER_WAY | states("registered"), target=None,
        event="emergency-reported", payload=schemas.EmergencyReport,
    ),
    Row(
        command="assign", title="交办", article=articles.ASSIGNMENT, roles=by(PETITIONS, LEADER),
        source=states("accepted", "assigned", "investigating"), target="assigned",
        event="complaint-assigned", payload=schemas.Assignment, document="交办单",
        guards=(guards.not_reported, guards.two_handlers, guards.handlers_not_reported),
        officers=lambda payload: list(payload.handlers),
    ),
    Row(
        command="investigate", title="开展调查", article=articles.HANDLING, roles=by(OFFICER),
        source=states("assigned"), target="investigating", event="complaint-investigated",
        payload=schemas.Empty, guards=(guards.is_handler,),
    ),
    Row(
        command="turn-into-clue", title="转为执法线索", article=articles.STATUTORY_DUTY,
        roles=by(OFFICER, PETITIONS), source=_UNDER_WAY, target=None,
        event="clue-handed-over", payload=schemas.Handover, guards=(guards.clue_once,),
        document="线索移送单",
    ),
    Row(
        command="extend-handling", title="延长办理期限", article=articles.EXTENSION,
        roles=by(LEADER), source=_UNDER_WAY, target=None, event="handling-extended",
        payload=schemas.Extension, guards=(guards.extension_told,), clocks=(Extend("handling"),),
        document="延期告知书",
    ),
    Row(
        command="conclude-investigation", title="调查终结", article=articles.HANDLING,
        roles=by(OFFICER), source=states("investigating"), target="investigated",
        event="complaint-handled", payload=schemas.Investigation,
        guards=(guards.is_handler, guards.dealt_with), document="调查报告",
        derived=schemas.Handled, derive=outcomes.handled, rederive=outcomes.handled_again,
        correctable=frozenset({"finding", "measures", "visited_on"}),
    ),
    Row(
        command="draft-answer", title="答复拟稿", article=articles.HANDLING, roles=by(OFFICER),
        source=states("investigated"), target="drafted", event="answer-drafted",
        payload=schemas.Draft, guards=(guards.is_handler, guards.clue_handed_over),
    ),
    Row(
        command="return-draft", title="退回答复稿", article=articles.HANDLING, roles=by(LEADER),
        source=states("drafted"), target="investigated", event="answer-returned",
        payload=schemas.Reason, guards=(guards.not_reported, guards.signer_apart),
    ),
    Row(
        command="sign-answer", title="答复签发", article=articles.SIGNER_APART, roles=by(LEADER),
        source=states("drafted"), target="signed", event="answer-signed", payload=schemas.Empty,
        guards=(guards.not_reported, guards.signer_apart), document="答复意见书",
    ),
)  # fmt: skip

OUTCOME = (
    Row(
        command="reply", title="答复", article=articles.FEEDBACK, roles=by(PETITIONS),
        source=states("signed"), target="replied", event="complaint-replied",
        payload=schemas.Reply, document="送达回证",
        guards=(guards.not_reported, guards.remedies_told),
        clocks=(End("handling"),), derived=schemas.Replied, derive=outcomes.replied,
        correctable=frozenset({"method"}), rederive=outcomes.replied_again,
    ),
    Row(
        command="call-back", title="回访", article=articles.CALLER_APART, roles=by(PETITIONS),
        source=states("replied"), target="called_back", event="reporter-called-back",
        payload=schemas.CallBack, guards=(guards.not_reported, guards.caller_apart),
        correctable=frozenset({"outcome"}),
    ),
    Row(
        command="reopen", title="退回重办", article=articles.REWORK, roles=by(PETITIONS),
        source=states("called_back"), target="accepted", event="complaint-reopened",
        payload=schemas.Reason, guards=(guards.unsatisfied, guards.not_reopened),
        clocks=(Start("rework", "handling"),),
    ),
    Row(
        command="close", title="办结", article=articles.HANDLING, roles=by(PETITIONS),
        source=states("called_back"), target="closed", event="complaint-closed",
        payload=schemas.Empty, guards=(guards.settled,), document="办结单",
    ),
    Row(
        command="close-unreachable", title="无从答复而办结", article=articles.HANDLING,
        roles=by(PETITIONS), source=states("signed"), target="closed",
        event="unreachable-complaint-closed", payload=schemas.Empty,
        guards=(guards.no_contact,), clocks=(End("handling"),), document="办结单",
    ),
)  # fmt: skip

_ROWS = INTAKE + HANDLING + OUTCOME

COMPLAINT = Procedure(
    service="complaints",
    name="complaint",
    path="complaints",
    title="投诉举报",
    states=STATES,
    rows=(
        *_ROWS,
        *correction_rows("complaint", _ROWS, frozenset(STATES), by(PETITIONS, OFFICER, LEADER)),
    ),
    periods=PERIODS,
    columns=("channel", "pollution", "urgent"),
    summarise=outcomes.columns,
    confidential={"reporter": frozenset({PETITIONS})},
    examples=examples.COMPLAINT,
)

_MEDIATOR_ROWS = (
    Row(
        command="appoint-mediator", title="聘任专职人民调解员", article=articles.MEDIATORS,
        roles=by(LEADER), source=states(), target="appointed", event="mediator-appointed",
        payload=schemas.MediatorAppointment, correctable=frozenset({"account"}),
    ),
    Row(
        command="dismiss-mediator", title="解聘专职人民调解员", article=articles.MEDIATORS,
        roles=by(LEADER), source=states("appointed"), target="dismissed",
        event="mediator-dismissed", payload=schemas.Reason,
    ),
)  # fmt: skip

MEDIATOR = Procedure(
    service="complaints",
    name="mediator",
    path="mediators",
    title="专职人民调解员",
    states={"appointed": State("在聘"), "dismissed": State("解聘", final=True)},
    rows=(
        *_MEDIATOR_ROWS,
        *correction_rows(
            "mediator", _MEDIATOR_ROWS, states("appointed", "dismissed"), by(LEADER, PETITIONS)
        ),
    ),
    periods=PERIODS,
    columns=("account",),
    summarise=outcomes.registered_account,
    examples=examples.MEDIATOR,
)

_CROSS_EVENT_ROWS = (
    Row(
        command="take-on-event", title="承接多跨事件", article=articles.CROSS_EVENTS,
        roles=by(LEADER), source=states(), target="taken_on", event="cross-event-taken-on",
        payload=schemas.CrossEvent, correctable=frozenset({"code"}),
    ),
    Row(
        command="give-up-event", title="退出多跨事件", article=articles.CROSS_EVENTS,
        roles=by(LEADER), source=states("taken_on"), target="given_up",
        event="cross-event-given-up", payload=schemas.Reason,
    ),
)  # fmt: skip

CROSS_EVENT = Procedure(
    service="complaints",
    name="cross-event",
    path="cross-events",
    title="多跨事件",
    states={"taken_on": State("已承接"), "given_up": State("已退出", final=True)},
    rows=(
        *_CROSS_EVENT_ROWS,
        *correction_rows(
            "cross-event", _CROSS_EVENT_ROWS, states("taken_on", "given_up"), by(LEADER, PETITIONS)
        ),
    ),
    periods=PERIODS,
    columns=("code",),
    summarise=outcomes.registered_event,
    examples=examples.CROSS_EVENT,
)

PROCEDURES = (COMPLAINT, MEDIATOR, CROSS_EVENT)
