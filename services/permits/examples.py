"""One example of each command's data, as docs/caseload.md and the API's description show it."""

from __future__ import annotations

from typing import Any

from shared.workflow.correction import correction_examples

PERMIT_APPLICATION: dict[str, dict[str, Any]] = {
    "receive": {
        "item": "discharge_key",
        "kind": "new",
        "channel": "online",
        "party": {
            "kind": "organisation",
            "name": "示例表面处理一厂",
            "code": "91500110MAACATRW37",
        },
        "project": "表面处理生产线",
    },
    "request-supplement": {"due_on": "2024-03-29", "lacking": "缺自行监测方案、排污口设置说明"},
    "supplement": {},
    "lapse": {},
    "accept": {},
    "accept-eia": {},
    "deem-accepted": {},
    "decline-acceptance": {"ground": "not_competent", "reason": "属市级审批权限"},
    "withdraw": {"reason": "项目调整，申请人书面撤回"},
    "publicise": {"ends_on": "2024-03-15", "full_text": True},
    "end-notice": {},
    "review": {"proposal": "approve", "opinion": "符合许可条件"},
    "propose": {"intended": "approve", "ends_on": "2024-03-25"},
    "end-proposal": {},
    "begin-special": {
        "procedure": "expert_review",
        "told_applicant": True,
        "subject": "专家评审会",
    },
    "end-special": {"result": "专家组同意修改后通过"},
    "extend": {"days": 10, "reason": "工艺复杂，需补充核算"},
    "approve": {"number": "TN-XK-2024-0001", "opinion": "准予许可"},
    "refuse": {
        "number": "TN-BX-2024-0001",
        "told_remedies": True,
        "reasons": "不具备符合国家标准的污染防治设施",
    },
    "issue": {
        "number": "91500110MAACATRW37001Q",
        "valid_from": "2024-04-01",
        "valid_until": "2029-03-31",
        "authority_basis": "entrusted",
        "issued_in_name_of": "municipal",
        "authority_document": "市生态环境局委托审批事项清单",
    },
    "conclude": {},
    "revoke": {"ground": "fraud", "reason": "以虚假材料取得许可"},
    "cancel": {"ground": "terminated"},
    **correction_examples("receive"),
}

TIME_LIMIT: dict[str, dict[str, Any]] = {
    "set-limit": {"item": "eia_report", "statutory_days": 60, "committed_days": 5},
    "change-limit": {"statutory_days": 60, "committed_days": 10},
    "withdraw-limit": {"reason": "事项取消"},
    **correction_examples("set-limit"),
}
