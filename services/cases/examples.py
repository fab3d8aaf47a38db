"""One example of each command's data, as docs/caseload.md and the API's description show it."""

from __future__ import annotations

from typing import Any

from shared.workflow.correction import correction_examples

PENALTY_CASE: dict[str, dict[str, Any]] = {
    "register": {
        "source": "monitoring",
        "party": {
            "kind": "organisation",
            "name": "示例表面处理一厂",
            "code": "91500110MAACATRW37",
        },
        "discovered_on": "2024-03-01",
        "description": "在线监控显示颗粒物浓度超标",
    },
    "examine": {"opinion": "建议立案"},
    "extend-filing": {"days": 15, "reason": "需等待监测报告"},
    "file": {
        "cause": "air",
        "investigators": ["officer1", "officer2"],
        "act_ended_on": "2024-03-01",
        "has_evidence": True,
        "punishable": True,
        "in_jurisdiction": True,
    },
    "decline-filing": {"reason": "违法行为不成立"},
    "investigate": {},
    "conclude-investigation": {"opinion": "事实清楚，建议处罚"},
    "review": {"proposal": "penalty", "opinion": "事实清楚，证据充分"},
    "return-for-investigation": {"reason": "请补充采样记录"},
    "notify": {
        "proposed_amount": "200000.00",
        "told_statement_right": True,
        "told_hearing_right": True,
        "facts": "废气颗粒物浓度超过排放标准",
    },
    "hear-statement": {"adopted": False, "statement": "请求从轻", "opinion": "理由不成立"},
    "waive": {},
    "request-hearing": {},
    "hold-hearing": {
        "host": "legal2",
        "notice_served_on": "2024-02-20",
        "report": "听证程序合法，事实清楚",
    },
    "review-legality": {
        "competent": True,
        "facts_clear": True,
        "discretion_proper": True,
        "opinion": "同意",
    },
    "discuss": {
        "voters": ["committee1", "committee2", "leader1"],
        "amount": "200000.00",
        "minutes": "一致同意",
    },
    "extend-decision": {"days": 30, "reason": "案情复杂"},
    "decide": {
        "amount": "100000.00",
        "mitigating": ["eliminated_harm", "restored"],
        "reasons": "两个从轻情节且无从重情节，按法定最低处罚",
    },
    "exempt": {
        "ground": "minor_no_harm",
        "corrected": True,
        "education": "已当面宣讲大气污染防治要求",
    },
    "serve": {"method": "direct"},
    "serve-exemption": {"method": "electronic", "consent": True},
    "pay": {"amount": "100000.00"},
    "close": {},
    "dismiss": {"reason": "当事人主体灭失"},
    "revoke": {"ground": "reconsideration", "reason": "复议决定撤销"},
    "revoke-closed": {"ground": "judgment", "reason": "判决撤销"},
    "inspect": {
        "kind": "site",
        "officers": ["officer1", "officer2"],
        "findings": "二号排气筒出口颗粒物采样三次",
    },
    "begin-appraisal": {"kind": "MONITOR", "subject": "颗粒物浓度"},
    "end-appraisal": {"told_party_on": "2024-03-01", "result": "超标 0.6 倍"},
    "suspend": {"reason": "等待有权机关解释"},
    "resume": {"reason": "解释已作出"},
    "order-correction": {"due_on": "2024-03-31", "requirement": "检修除尘设施"},
    "seize": {
        "officers": ["officer1", "officer2"],
        "party_heard": True,
        "items": "一号熔炼炉",
    },
    "extend-seizure": {"days": 30, "reason": "案情复杂"},
    "release": {"ground": "decided"},
    "transfer-to-police": {
        "offence": "hazardous_waste",
        "verified_by": ["officer1", "officer2"],
        "grounds": "非法倾倒危险废物三吨以上",
    },
    "record-police-reply": {"filed": True},
    **correction_examples("decide"),
}

CATALOGUE_ITEM: dict[str, dict[str, Any]] = {
    "claim-item": {"kind": "penalty", "code": "CF-0001", "title": "对超标排放大气污染物的处罚"},
    "withdraw-item": {"reason": "事项取消"},
    **correction_examples("claim-item"),
}
