"""Measures beside a penalty case's steps: records that may lie anywhere while it is under way."""

from __future__ import annotations

from typing import Any

from services.cases import articles, guards, schemas
from shared.identity.roles import Role
from shared.workflow.table import End, Extend, Resume, Row, Start, Suspend, by, states

_INVESTIGATING = states("filed", "investigating")
_UNDER_WAY = states(
    "filed", "investigating", "investigated", "reviewed", "noticed", "legally_reviewed"
)
_UNTIL_CLOSED = _UNDER_WAY | states("decided", "exempted", "served", "exemption_served", "paid")


def _named_officers(payload: Any) -> list[str]:
    return list(payload.officers)


def _named_verifiers(payload: Any) -> list[str]:
    return list(payload.verified_by)


MEASURES = (
    Row(
        command="inspect", title="检查、询问、采样笔录", article=articles.TWO_OFFICERS,
        roles=by(Role.INVESTIGATOR), source=_INVESTIGATING, target=None,
        event="inspection-recorded", payload=schemas.Inspection, guards=(guards.two_officers,),
        officers=_named_officers, document="现场检查（勘察）笔录",
    ),
    Row(
        command="begin-appraisal", title="开始监测、鉴定", article=articles.DECISION_PAUSES,
        roles=by(Role.INVESTIGATOR), source=_INVESTIGATING, target=None,
        event="appraisal-begun", payload=schemas.Appraisal, guards=(guards.no_appraisal_open,),
        clocks=(Suspend("decision", "APPRAISE"), Suspend("seizure", "APPRAISE")),
    ),
    Row(
        command="end-appraisal", title="监测、鉴定结果", article=articles.RESULT_TOLD,
        roles=by(Role.INVESTIGATOR), source=_INVESTIGATING, target=None,
        event="appraisal-ended", payload=schemas.AppraisalResult,
        guards=(guards.appraisal_open, guards.told_by_now),
        clocks=(Resume("decision", "APPRAISE"), Resume("seizure", "APPRAISE")),
        correctable=frozenset({"told_party_on"}),
    ),
    Row(
        command="suspend", title="中止调查", article=articles.DECISION_PAUSES,
        roles=by(Role.LEADER), source=_INVESTIGATING, target=None, event="investigation-suspended",
        payload=schemas.Reason, clocks=(Suspend("decision", "SUSPEND"),),
    ),
    Row(
        command="resume", title="恢复调查", article=articles.DECISION_PAUSES,
        roles=by(Role.LEADER), source=_UNDER_WAY, target=None, event="investigation-resumed",
        payload=schemas.Reason, clocks=(Resume("decision", "SUSPEND"),),
    ),
    Row(
        command="order-correction", title="责令改正", article=articles.CORRECTION_ORDER,
        roles=by(Role.INVESTIGATOR, Role.LEADER), source=_UNDER_WAY, target=None,
        event="correction-ordered", payload=schemas.CorrectionOrder,
        document="责令改正违法行为决定书",
    ),
    Row(
        command="seize", title="查封、扣押", article=articles.SEIZURE, roles=by(Role.LEADER),
        source=_UNDER_WAY, target=None, event="items-seized", payload=schemas.Seizure,
        guards=(guards.nothing_seized, guards.two_officers, guards.party_heard),
        clocks=(Start("seizure", "seizure"),), officers=_named_officers,
        document="查封（扣押）决定书",
    ),
    Row(
        command="extend-seizure", title="延长查封、扣押", article=articles.SEIZURE_DAYS,
        roles=by(Role.LEADER), source=_UNDER_WAY, target=None, event="seizure-extended",
        payload=schemas.Extension, guards=(guards.something_seized,), clocks=(Extend("seizure"),),
    ),
    Row(
        command="release", title="解除查封、扣押", article=articles.RELEASE,
        roles=by(Role.LEADER), source=_UNTIL_CLOSED, target=None, event="seizure-released",
        payload=schemas.Release, guards=(guards.something_seized,), clocks=(End("seizure"),),
        document="解除查封（扣押）决定书",
    ),
    Row(
        command="transfer-to-police", title="移送公安机关", article=articles.TRANSFER,
        roles=by(Role.LEADER), source=_UNDER_WAY, target=None, event="transferred-to-police",
        payload=schemas.Transfer, guards=(guards.not_transferred, guards.two_verifiers),
        clocks=(Suspend("decision", "TRANSFER_CRIM"),), officers=_named_verifiers,
        document="涉嫌犯罪案件移送书",
    ),
    Row(
        command="record-police-reply", title="公安机关答复", article=articles.TRANSFER,
        roles=by(Role.LEADER, Role.INVESTIGATOR), source=_UNTIL_CLOSED, target=None,
        event="police-replied", payload=schemas.PoliceReply, guards=(guards.transferred,),
        clocks=(Resume("decision", "TRANSFER_CRIM"),),
    ),
)  # fmt: skip
