"""One example of each command's data, as docs/caseload.md and the API's description show it."""

from __future__ import annotations

from typing import Any

from shared.workflow.correction import correction_examples

COMPLAINT: dict[str, dict[str, Any]] = {
    "register": {
        "channel": "12369",
        "pollution": "air_odour",
        "reporter": {"kind": "individual", "name": "示例群众甲", "phone": "19900000001"},
        "target": {
            "kind": "organisation",
            "name": "示例表面处理一厂",
            "code": "91500110MAACATRW37",
        },
        "place": "示例工业园一号",
        "content": "夜间有刺鼻气味",
    },
    "accept": {"petition_type": "grievance", "told": True},
    "decline": {"ground": "statutory_route", "told": True, "reason": "已就同一事项提起诉讼"},
    "transfer": {"to": "TN-URBAN-MANAGEMENT", "told": True, "reason": "属城市管理部门职责"},
    "merge": {"into": "0190a5b0-0000-7000-8000-000000000001"},
    "withdraw": {"reason": "举报人书面撤回"},
    "object-to-transfer": {"reason": "事发地不在本区"},
    "uphold-objection": {"reason": "转送机关同意收回"},
    "dismiss-objection": {"reason": "转送机关维持转送"},
    "report-emergency": {"to": "CQ-ECOLOGY-BUREAU", "content": "河面大面积油污，已赴现场"},
    "assign": {"handlers": ["officer1", "officer2"], "instruction": "五日内赴现场"},
    "investigate": {},
    "turn-into-clue": {"facts": "未经处理设施排放废气"},
    "extend-handling": {"days": 30, "told": True, "reason": "需等待监测报告"},
    "conclude-investigation": {
        "finding": "founded",
        "measures": ["ordered"],
        "visited_on": "2024-03-01",
        "facts": "处理设施未开启",
    },
    "draft-answer": {"answer": "经查属实，已责令改正"},
    "return-draft": {"reason": "请补充整改期限"},
    "sign-answer": {},
    "reply": {"method": "phone", "told_remedies": True},
    "call-back": {"outcome": "satisfied"},
    "reopen": {"reason": "气味仍未消除"},
    "close": {},
    "close-unreachable": {},
    **correction_examples("accept"),
}

MEDIATOR: dict[str, dict[str, Any]] = {
    "appoint-mediator": {
        "account": "mediator1",
        "person": {"kind": "individual", "name": "示例调解员甲"},
    },
    "dismiss-mediator": {"reason": "聘期届满"},
    **correction_examples("appoint-mediator"),
}

CROSS_EVENT: dict[str, dict[str, Any]] = {
    "take-on-event": {"code": "WATER-QUALITY", "title": "地表水水质监测异常问题处置"},
    "give-up-event": {"reason": "改由水利部门承接"},
    **correction_examples("take-on-event"),
}
