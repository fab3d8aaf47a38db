"""The penalty case (行政处罚案件) as a table.

线索 → 立案 → 调查 → 事先告知 → 法制审核 → 决定 → 送达 → 缴款 → 结案.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from services.cases import articles, deciding, examples, guards, schemas
from services.cases.measures import MEASURES
from services.cases.rules import PERIODS, is_minimum
from shared.identity.roles import Role
from shared.workflow.correction import correction_rows
from shared.workflow.table import (
    End,
    Extend,
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
    from collections.abc import Mapping

    from shared.workflow.table import Facts, Situation

OFFICER, LEGAL, COMMITTEE, LEADER, WINDOW = (
    Role.INVESTIGATOR,
    Role.LEGAL,
    Role.COMMITTEE,
    Role.LEADER,
    Role.WINDOW,
)

STATES = {
    "clue": State("线索"),
    "preliminary": State("初步审查"),
    "not_filed": State("不予立案", final=True),
    "filed": State("立案"),
    "investigating": State("调查"),
    "investigated": State("调查终结"),
    "reviewed": State("案件审查"),
    "noticed": State("事先告知"),
    "legally_reviewed": State("法制审核"),
    "decided": State("处罚决定"),
    "exempted": State("不予处罚决定"),
    "served": State("送达"),
    "exemption_served": State("不予处罚送达"),
    "paid": State("缴款"),
    "closed": State("结案", final=True),
    "dismissed": State("撤销立案", final=True),
    "revoked": State("撤销处罚", final=True),
}
_UNDER_WAY = states("investigating", "investigated", "reviewed", "noticed", "legally_reviewed")


def _range(s: Situation) -> Mapping[str, Any]:
    law, filed = deciding.chosen_law(s), s.done("file")
    bounds = deciding.case_bounds(s, law)
    return {
        "cause": filed["cause"],
        "law": law,
        "range_minimum": f"{bounds.minimum:.2f}",
        "range_maximum": f"{bounds.maximum:.2f}",
        "at_minimum": is_minimum(
            s.payload.amount, bounds.minimum, s.payload.mitigating, s.payload.aggravating
        ),
    }


def _minimum_again(decision: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "at_minimum": is_minimum(
            Decimal(decision["amount"]),
            Decimal(decision["range_minimum"]),
            decision["mitigating"],
            decision["aggravating"],
        )
    }


def _exempt(s: Situation) -> Mapping[str, Any]:
    filed = s.done("file")
    return {"cause": filed["cause"], "minor": s.payload.ground in {"minor_no_harm", "first_minor"}}


def _minor_again(exemption: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"minor": exemption["ground"] in {"minor_no_harm", "first_minor"}}


def _named_investigators(payload: Any) -> list[str]:
    return list(payload.investigators)


STEPS = (
    Row(
        command="register", title="登记线索", article=articles.FILING_DAYS,
        roles=by(OFFICER, Role.PETITIONS, Role.SUPERVISOR), source=states(), target="clue",
        event="clue-registered", payload=schemas.Clue, guards=(guards.discovered_by_now,),
        clocks=(Start("filing", "filing"),), document="线索登记表",
        correctable=frozenset({"source", "township"}),
    ),
    Row(
        command="examine", title="初步审查", article=articles.FILING_DAYS, roles=by(OFFICER),
        source=states("clue"), target="preliminary", event="clue-examined",
        payload=schemas.Examination,
    ),
    Row(
        command="extend-filing", title="延长立案审查", article=articles.FILING_DAYS,
        roles=by(LEADER), source=states("clue", "preliminary"), target=None,
        event="filing-extended", payload=schemas.Extension, clocks=(Extend("filing"),),
    ),
    Row(
        command="file", title="立案", article=articles.FOUR_CONDITIONS, roles=by(LEADER),
        source=states("preliminary"), target="filed", event="case-filed", payload=schemas.Filing,
        guards=(guards.four_conditions, guards.two_investigators, guards.within_limitation),
        clocks=(End("filing"), Start("decision", "decision")), document="立案审批表",
        officers=_named_investigators, correctable=frozenset({"cause"}),
    ),
    Row(
        command="decline-filing", title="不予立案", article=articles.FOUR_CONDITIONS,
        roles=by(LEADER), source=states("clue", "preliminary"), target="not_filed",
        event="case-not-filed", payload=schemas.Reason, clocks=(End("filing"),),
        document="不予立案审批表",
    ),
    Row(
        command="investigate", title="开展调查", article=articles.INVESTIGATION,
        roles=by(OFFICER), source=states("filed"), target="investigating",
        event="investigation-started", payload=schemas.Empty,
        guards=(guards.is_investigator, guards.not_suspended),
    ),
    Row(
        command="conclude-investigation", title="调查终结", article=articles.INVESTIGATION,
        roles=by(OFFICER), source=states("investigating"), target="investigated",
        event="investigation-concluded", payload=schemas.Examination,
        guards=(
            guards.is_investigator, guards.not_suspended, guards.inspected,
            guards.no_appraisal_open, guards.results_told,
        ),
        document="调查报告",
    ),
    Row(
        command="review", title="案件审查", article=articles.REVIEWERS_APART,
        roles=by(LEGAL, COMMITTEE), source=states("investigated"), target="reviewed",
        event="case-reviewed", payload=schemas.Review, guards=(guards.reviewer_apart,),
        document="案件审查表",
    ),
    Row(
        command="return-for-investigation", title="退回补充调查", article=articles.INVESTIGATION,
        roles=by(LEGAL, COMMITTEE),
        source=states("investigated", "reviewed", "noticed", "legally_reviewed"),
        target="investigating", event="case-returned", payload=schemas.Reason,
        guards=(guards.reviewer_apart,),
    ),
    Row(
        command="notify", title="事先（听证）告知", article=articles.NOTICE, roles=by(LEADER),
        source=states("reviewed", "noticed", "legally_reviewed"), target="noticed",
        event="notice-served", payload=schemas.Notice, guards=(deciding.rights_told,),
        document="行政处罚事先（听证）告知书",
    ),
    Row(
        command="hear-statement", title="陈述申辩", article=articles.STATEMENT,
        roles=by(LEGAL, COMMITTEE), source=states("noticed", "legally_reviewed"), target=None,
        event="statement-heard", payload=schemas.Statement,
        guards=(guards.reviewer_apart, deciding.noticed), document="陈述申辩笔录",
    ),
    Row(
        command="waive", title="放弃陈述申辩和听证", article=articles.STATEMENT,
        roles=by(LEGAL, COMMITTEE, OFFICER), source=states("noticed", "legally_reviewed"),
        target=None, event="statement-waived", payload=schemas.Empty, guards=(deciding.noticed,),
    ),
    Row(
        command="request-hearing", title="申请听证", article=articles.HEARING,
        roles=by(LEGAL, COMMITTEE), source=states("noticed", "legally_reviewed"), target=None,
        event="hearing-requested", payload=schemas.Empty,
        guards=(deciding.noticed, deciding.hearing_in_time, deciding.hearing_over),
        clocks=(Suspend("decision", "HEARING"),),
    ),
    Row(
        command="hold-hearing", title="举行听证", article=articles.HEARING,
        roles=by(LEGAL, COMMITTEE), source=states("noticed", "legally_reviewed"), target=None,
        event="hearing-held", payload=schemas.HearingHeld,
        guards=(deciding.hearing_requested, deciding.hearing_announced, deciding.host_apart),
        clocks=(Resume("decision", "HEARING"),), document="听证笔录",
    ),
    Row(
        command="review-legality", title="法制审核", article=articles.LEGAL_REVIEW,
        roles=by(LEGAL), source=states("reviewed", "noticed", "legally_reviewed"),
        target="legally_reviewed", event="legality-reviewed", payload=schemas.LegalReview,
        guards=(guards.legal_apart, deciding.hearing_over), document="法制审核意见书",
    ),
    Row(
        command="discuss", title="集体讨论", article=articles.DISCUSSION,
        roles=by(COMMITTEE, LEADER), source=states("noticed", "legally_reviewed"), target=None,
        event="case-discussed", payload=schemas.Discussion, guards=(deciding.voters_apart,),
        document="集体讨论笔录",
    ),
    Row(
        command="extend-decision", title="延长办案期限", article=articles.DECISION_PAUSES,
        roles=by(LEADER), source=_UNDER_WAY | states("filed"), target=None,
        event="decision-extended", payload=schemas.Extension, clocks=(Extend("decision"),),
    ),
    Row(
        command="decide", title="作出处罚决定", article=articles.DECISION, roles=by(LEADER),
        source=states("legally_reviewed"), target="decided", event="penalty-decided",
        payload=schemas.Decision,
        guards=(
            deciding.noticed, deciding.window_passed, deciding.hearing_over, deciding.review_passed,
            deciding.law_chosen, deciding.discussed, deciding.not_above_notice,
            deciding.within_range,
            guards.seizure_in_time,
        ),
        clocks=(End("decision"),), document="行政处罚决定书",
        derived=schemas.DecisionOutcome, derive=_range,
        correctable=frozenset({"mitigating", "aggravating"}), rederive=_minimum_again,
    ),
    Row(
        command="exempt", title="作出不予处罚决定", article=articles.EXEMPTION, roles=by(LEADER),
        source=states("legally_reviewed"), target="exempted", event="penalty-exempted",
        payload=schemas.Exemption,
        guards=(deciding.review_passed, deciding.corrected, guards.seizure_in_time),
        clocks=(End("decision"),), document="不予行政处罚决定书",
        derived=schemas.ExemptionOutcome, derive=_exempt, correctable=frozenset({"ground"}),
        rederive=_minor_again,
    ),
    Row(
        command="serve", title="送达处罚决定", article=articles.SERVICE, roles=by(OFFICER),
        source=states("decided"), target="served", event="decision-served",
        payload=schemas.Service, guards=(deciding.consented,),
        clocks=(Start("payment", "payment"),),
        document="送达回证",
    ),
    Row(
        command="serve-exemption", title="送达不予处罚决定", article=articles.SERVICE,
        roles=by(OFFICER), source=states("exempted"), target="exemption_served",
        event="exemption-served", payload=schemas.Service, guards=(deciding.consented,),
        document="送达回证",
    ),
    Row(
        command="pay", title="缴款", article=articles.PAYMENT, roles=by(WINDOW),
        source=states("served"), target="paid", event="fine-paid", payload=schemas.Payment,
        guards=(deciding.paid_in_full, deciding.surcharge_bounded), clocks=(End("payment"),),
        document="缴款凭证",
    ),
    Row(
        command="close", title="结案", article=articles.CLOSING, roles=by(LEADER),
        source=states("paid", "exemption_served"), target="closed", event="case-closed",
        payload=schemas.Empty, guards=(guards.nothing_seized, guards.not_transferred),
        document="结案审批表",
    ),
    Row(
        command="dismiss", title="撤销立案", article=articles.DISMISSAL, roles=by(LEADER),
        source=states("filed") | _UNDER_WAY, target="dismissed", event="case-dismissed",
        payload=schemas.Reason, guards=(guards.nothing_seized,), clocks=(End("decision"),),
    ),
    Row(
        command="revoke", title="撤销处罚决定", article=articles.REVOCATION, roles=by(LEADER),
        source=states("decided", "served", "paid"), target="revoked", event="penalty-revoked",
        payload=schemas.Revocation, clocks=(End("payment"),),
    ),
    Row(
        command="revoke-closed", title="撤销已结案的处罚决定", article=articles.REVOCATION,
        roles=by(LEADER), source=states("closed"), target="revoked",
        event="closed-penalty-revoked", payload=schemas.Revocation,
        guards=(deciding.was_penalised,),
    ),
)  # fmt: skip

_ROWS = STEPS + MEASURES


def _columns(facts: Facts) -> Mapping[str, Any]:
    filed = (facts.get("file") or [{}])[-1]
    decided = (facts.get("decide") or [{}])[-1]
    amount = decided.get("amount")
    return {
        "cause": filed.get("cause"),
        "amount_fen": None if amount is None else int(Decimal(amount) * 100),
    }


PENALTY_CASE = Procedure(
    service="cases",
    name="penalty-case",
    path="penalties",
    title="行政处罚案件",
    states=STATES,
    rows=(
        *_ROWS,
        *correction_rows("case", _ROWS, frozenset(STATES), by(OFFICER, LEGAL, LEADER)),
    ),
    periods=PERIODS,
    columns=("cause", "amount_fen"),
    summarise=_columns,
    examples=examples.PENALTY_CASE,
)

_CATALOGUE_ROWS = (
    Row(
        command="claim-item", title="认领执法事项", article=articles.CATALOGUE,
        roles=by(LEGAL), source=states(), target="in_force", event="catalogue-item-claimed",
        payload=schemas.CatalogueClaim, correctable=frozenset({"kind"}),
    ),
    Row(
        command="withdraw-item", title="退出执法事项", article=articles.CATALOGUE,
        roles=by(LEGAL), source=states("in_force"), target="withdrawn",
        event="catalogue-item-withdrawn", payload=schemas.Reason,
    ),
)  # fmt: skip

CATALOGUE_ITEM = Procedure(
    service="cases",
    name="catalogue-item",
    path="catalogue-items",
    title="执法事项清单",
    states={"in_force": State("已认领"), "withdrawn": State("已退出", final=True)},
    rows=(
        *_CATALOGUE_ROWS,
        *correction_rows(
            "catalogue-item", _CATALOGUE_ROWS, states("in_force", "withdrawn"), by(LEGAL, LEADER)
        ),
    ),
    periods=PERIODS,
    columns=("kind", "code"),
    summarise=lambda facts: {
        "kind": facts["claim-item"][-1]["kind"],
        "code": facts["claim-item"][-1]["code"],
    },
    examples=examples.CATALOGUE_ITEM,
)

PROCEDURES = (PENALTY_CASE, CATALOGUE_ITEM)
