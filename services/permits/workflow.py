"""The permit application (行政许可申请) as a table: 收件 → 补正 → 受理 → 审查 → 决定 → 发证.

An EIA report or form is publicised twice, and its statutory limit runs from receipt. Every other
item goes from acceptance to review to decision; its limit starts anew with acceptance, and until
then runs from receipt, as it would were the application deemed accepted (行政许可法32). A licence
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
_ENDS = (End("acceptance"), End("statutory"), End("committed"), End("publication"))


def _subject(s: Situation) -> Mapping[str, Any]:
    receipt = guards.received(s)
    return {name: receipt[name] for name in ("item", "kind", "channel")}


def _serial(s: Situation) -> Iterable[Claim]:
    if s.payload.serial is not None:
        yield Claim("serial", f"{s.payload.channel}/{s.payload.serial}")


def _at_receipt_acceptance(s: Situation) -> str:
    return acceptance_code(s.payload.item)


def _at_receipt_statutory(s: Situation) -> str:
    return statutory_code(s.payload.item, s.payload.kind)


def _acceptance(s: Situation) -> str:
    return acceptance_code(guards.received(s)["item"])


def _statutory(s: Situation) -> str:
    receipt = guards.received(s)
    return statutory_code(receipt["item"], receipt["kind"])


def _committed(s: Situation) -> str:
    receipt = guards.received(s)
    return committed_code(receipt["item"], receipt["kind"])


STEPS = (
    Row(
        command="receive", title="收件", article=articles.RECEIPT, roles=by(WINDOW),
        source=states(), target="received", event="application-received",
        payload=schemas.Receipt, guards=(guards.kind_fits, guards.law_in_force),
        clocks=(
            Start(_at_receipt_acceptance, "acceptance"), Start(_at_receipt_statutory, "statutory"),
        ),
        document="收件凭证", claims=_serial,
        correctable=frozenset({"item", "kind", "channel"}),
    ),
    Row(
        command="request-supplement", title="补正告知", article=articles.ACCEPTANCE,
        roles=by(WINDOW), source=states("received"), target="supplementing",
        event="supplement-requested", payload=schemas.SupplementRequest,
        guards=(guards.told_once, guards.acceptance_in_time, guards.supplement_due_later),
        clocks=(End("acceptance"), Suspend("statutory", "SUPPLEMENT")),
        document="补正材料一次性告知书", correctable=frozenset({"due_on"}),
    ),
    Row(
        command="supplement", title="收到补正材料", article=articles.ACCEPTANCE,
        roles=by(WINDOW), source=states("supplementing"), target="received",
        event="supplement-received", payload=schemas.Empty,
        guards=(guards.law_still_in_force,),
        clocks=(Start(_acceptance, "acceptance"), Resume("statutory", "SUPPLEMENT")),
        document="补正材料收件凭证",
    ),
    Row(
        command="lapse", title="逾期不补", article=articles.LAPSE, roles=by(WINDOW),
        source=states("supplementing"), target="lapsed", event="application-lapsed",
        payload=schemas.Empty, guards=(guards.supplement_overdue,), clocks=_ENDS,
    ),
    Row(
        command="accept", title="受理", article=articles.ACCEPTANCE, roles=by(WINDOW),
        source=states("received"), target="accepted", event="application-accepted",
        payload=schemas.Empty,
        guards=(
            guards.law_still_in_force, guards.counted_from_acceptance, guards.acceptance_in_time,
        ),
        clocks=(
            End("acceptance"), Start(_statutory, "statutory"), Start(_committed, "committed"),
        ),
        document="受理通知书",
    ),
    Row(
        command="accept-eia", title="受理环评文件", article=articles.EIA_RECEIPT,
        roles=by(WINDOW), source=states("received"), target="accepted",
        event="assessment-accepted", payload=schemas.Empty,
        guards=(guards.law_still_in_force, guards.eia, guards.acceptance_in_time),
        clocks=(
            End("acceptance"), Start(_committed, "committed"), Start("publication", "publication"),
        ),
        document="受理通知书",
    ),
    Row(
        command="deem-accepted", title="视为受理", article=articles.ACCEPTANCE, roles=by(WINDOW),
        source=states("received"), target="accepted", event="application-deemed-accepted",
        payload=schemas.Empty,
        guards=(guards.law_still_in_force, guards.on_receipt_day),
        clocks=(
            End("acceptance"), Start(_statutory, "statutory"), Start(_committed, "committed"),
        ),
    ),
    Row(
        command="decline-acceptance", title="不予受理", article=articles.NOT_ACCEPTED,
        roles=by(WINDOW), source=states("received"), target="not_accepted",
        event="acceptance-declined", payload=schemas.NonAcceptance,
        guards=(guards.acceptance_in_time, guards.supplement_asked_first), clocks=_ENDS,
        document="不予受理决定书",
    ),
    Row(
        command="withdraw", title="撤回申请", article=articles.WITHDRAWAL, roles=by(WINDOW),
        source=_UNDECIDED, target="withdrawn", event="application-withdrawn",
        payload=schemas.Reason, clocks=_ENDS,
    ),
    Row(
        command="publicise", title="受理公示", article=articles.NOTICE,
        roles=by(WINDOW, APPROVER), source=states("accepted"), target="noticed",
        event="application-publicised", payload=schemas.FirstNotice,
        guards=(guards.eia, guards.notice_long_enough, guards.full_text),
        clocks=(
            End("publication"), Suspend("statutory", "NOTICE"), Suspend("committed", "NOTICE"),
        ),
        document="受理公示", correctable=frozenset({"ends_on"}),
    ),
    Row(
        command="review", title="审查", article=articles.REVIEW, roles=by(APPROVER),
        source=states("accepted", "noticed", "reviewed", "proposed"), target="reviewed",
        event="application-reviewed", payload=schemas.Review,
        guards=(guards.notice_over, guards.no_proposal_open, guards.no_special),
        document="审查意见",
    ),
    Row(
        command="propose", title="拟审批公示", article=articles.PROPOSAL_NOTICE,
        roles=by(APPROVER), source=states("reviewed"), target="proposed",
        event="approval-proposed", payload=schemas.ProposalNotice,
        guards=(guards.eia, guards.proposal_long_enough),
        clocks=(Suspend("statutory", "PROPOSAL"), Suspend("committed", "PROPOSAL")),
        document="拟审批公示", correctable=frozenset({"ends_on"}),
    ),
    Row(
        command="approve", title="准予许可", article=articles.DECISION,
        roles=by(APPROVER, LEADER), source=states("reviewed", "proposed"), target="approved",
        event="application-approved", payload=schemas.Approval,
        guards=(guards.decider_apart, guards.proposal_over, guards.no_special),
        clocks=(End("statutory"), End("committed"), Start("certificate", "certificate")),
        document="准予行政许可决定书", derived=schemas.Subject, derive=_subject,
        correctable=frozenset({"number"}),
    ),
    Row(
        command="refuse", title="不予许可", article=articles.DECISION,
        roles=by(APPROVER, LEADER), source=states("reviewed", "proposed"), target="refused",
        event="application-refused", payload=schemas.Refusal,
        guards=(
            guards.decider_apart, guards.proposal_over, guards.no_special,
            guards.refusal_grounds, guards.remedies_told,
        ),
        clocks=(End("statutory"), End("committed")), document="不予行政许可决定书",
        derived=schemas.Subject, derive=_subject, correctable=frozenset({"number", "grounds"}),
    ),
    Row(
        command="issue", title="发证", article=articles.CERTIFICATE, roles=by(WINDOW, APPROVER),
        source=states("approved"), target="issued", event="licence-issued",
        payload=schemas.Licence,
        guards=(
            guards.licence_due, guards.authority, guards.in_name_of_entrusting, guards.term,
        ),
        clocks=(End("certificate"),), document="许可证", derived=schemas.Subject,
        derive=_subject,
        correctable=frozenset(
            {"number", "valid_from", "valid_until", "authority_basis", "issued_in_name_of"}
        ),
    ),
    Row(
        command="conclude", title="送达批复办结", article=articles.CERTIFICATE,
        roles=by(WINDOW, APPROVER), source=states("approved"), target="concluded",
        event="application-concluded", payload=schemas.Empty, guards=(guards.no_licence_due,),
        clocks=(End("certificate"),), document="送达回证", derived=schemas.Subject,
        derive=_subject,
    ),
    Row(
        command="revoke", title="撤销许可", article=articles.REVOCATION, roles=by(LEADER),
        source=states("approved", "issued", "concluded"), target="revoked",
        event="approval-revoked", payload=schemas.Revocation, clocks=(End("certificate"),),
        document="撤销行政许可决定书", derived=schemas.Subject, derive=_subject,
    ),
    Row(
        command="cancel", title="注销许可", article=articles.CANCELLATION,
        roles=by(APPROVER, LEADER), source=states("issued", "concluded"), target="cancelled",
        event="licence-cancelled", payload=schemas.Cancellation, document="注销决定书",
        derived=schemas.Subject, derive=_subject,
    ),
)  # fmt: skip

_ROWS = STEPS + SPECIAL


def _columns(facts: Facts) -> Mapping[str, Any]:
    receipt = facts["receive"][-1]
    return {name: receipt[name] for name in ("item", "kind", "channel")}


PERMIT_APPLICATION = Procedure(
    service="permits",
    name="permit-application",
    path="applications",
    title="行政许可申请",
    states=STATES,
    rows=(
        *_ROWS,
        *correction_rows("application", _ROWS, frozenset(STATES), by(WINDOW, APPROVER, LEADER)),
    ),
    periods=PERIODS,
    columns=("item", "kind", "channel"),
    summarise=_columns,
    examples=examples.PERMIT_APPLICATION,
)

PROCEDURES = (PERMIT_APPLICATION, TIME_LIMIT)
