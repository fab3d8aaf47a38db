"""Records beside the steps of an application: ends of notices, special procedures, extensions."""

from __future__ import annotations

from services.permits import articles, guards, schemas
from shared.identity.roles import Role
from shared.workflow.table import Extend, Resume, Row, Suspend, by, states

_UNDER_REVIEW = states("accepted", "noticed", "reviewed", "proposed")

SPECIAL = (
    Row(
        command="end-notice", title="受理公示期满", article=articles.NOTICE,
        roles=by(Role.WINDOW, Role.APPROVER), source=states("noticed"), target=None,
        event="publicity-ended", payload=schemas.Empty, guards=(guards.notice_ends,),
        clocks=(Resume("statutory", "NOTICE"), Resume("committed", "NOTICE")),
    ),
    Row(
        command="end-proposal", title="拟审批公示期满", article=articles.PROPOSAL_NOTICE,
        roles=by(Role.WINDOW, Role.APPROVER), source=states("proposed"), target=None,
        event="proposal-publicity-ended", payload=schemas.Empty,
        guards=(guards.proposal_ends,),
        clocks=(Resume("statutory", "PROPOSAL"), Resume("committed", "PROPOSAL")),
    ),
    Row(
        command="begin-special", title="开始特别程序", article=articles.EXCLUDED,
        roles=by(Role.APPROVER), source=_UNDER_REVIEW, target=None,
        event="special-procedure-begun", payload=schemas.SpecialProcedure,
        guards=(guards.no_special, guards.stops_the_clock, guards.applicant_told),
        clocks=(Suspend("statutory", "SPECIAL"), Suspend("committed", "SPECIAL")),
        document="特别程序告知书",
    ),
    Row(
        command="end-special", title="特别程序结束", article=articles.EXCLUDED,
        roles=by(Role.APPROVER), source=_UNDER_REVIEW, target=None,
        event="special-procedure-ended", payload=schemas.SpecialResult,
        guards=(guards.some_special,),
        clocks=(Resume("statutory", "SPECIAL"), Resume("committed", "SPECIAL")),
    ),
    Row(
        command="extend", title="延长办理期限", article=articles.GENERAL, roles=by(Role.LEADER),
        source=_UNDER_REVIEW, target=None, event="time-extended", payload=schemas.Extension,
        clocks=(Extend("statutory"),), document="延长期限告知书",
    ),
)  # fmt: skip
