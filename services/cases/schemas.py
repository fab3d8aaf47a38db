"""What the commands of a penalty case take."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from shared.workflow.payload import Account, Code, Day, Party, Payload, Text, Yuan

Cause = Literal[
    "solid_waste", "air", "water", "unapproved_construction", "three_simultaneities", "other"
]
"""案由: the main cause, under which a case is counted once."""

Source = Literal[
    "double_random", "complaint", "inspectorate", "monitoring", "assigned", "transferred"
]
"""线索来源."""

Mitigating = Literal[
    "eliminated_harm", "coerced", "confessed_unknown", "meritorious", "restored", "compensated"
]
"""从轻情节, 行政处罚法32 and 法典1056Ⅱ."""

Aggravating = Literal[
    "repeated", "during_alert", "threatened_officers", "cross_region", "bad_impact", "malicious"
]
"""从重情节, 环执法〔2019〕42号 and 法典1056Ⅰ."""

ExemptionGround = Literal["minor_no_harm", "first_minor", "no_fault"]
"""不予处罚的情形, 行政处罚法33."""

Officers = Annotated[list[Account], Field(min_length=2, max_length=10)]
"""两名以上执法人员."""


class Clue(Payload):
    """线索登记."""

    source: Source = Field(title="线索来源")
    party: Party = Field(title="当事人")
    discovered_on: Day = Field(title="发现日期")
    description: Text = Field(title="线索内容")
    township: Code | None = Field(None, title="镇街代码")


class Examination(Payload):
    """初步审查."""

    opinion: Text = Field(title="初步审查意见")


class Filing(Payload):
    """立案: the four conditions, the cause, and who investigates."""

    cause: Cause = Field(title="案由")
    investigators: Officers = Field(title="执法人员")
    act_ended_on: Day = Field(title="违法行为终了日期")
    harmful: bool = Field(False, title="涉及生命健康安全且有危害后果", description="追责时效为五年")
    has_evidence: bool = Field(title="有涉嫌违法的证据")
    punishable: bool = Field(title="应当或者可以给予行政处罚")
    in_jurisdiction: bool = Field(title="属于本机关管辖")
    base: Yuan | None = Field(None, title="总投资额或处置费用（元）")
    licensed: bool = Field(False, title="持有排污许可证")
    eia_report: bool = Field(False, title="应编制环评报告书（否则为报告表）")


class Reason(Payload):
    """A decision that only needs its reason."""

    reason: Text = Field(title="理由")


class Extension(Payload):
    """延长期限: by how many days, and why."""

    days: int = Field(title="延长天数", ge=1, le=60)
    reason: Text = Field(title="理由")


class Empty(Payload):
    """A step that takes nothing but its time."""

    note: Text | None = Field(None, title="备注")


class Inspection(Payload):
    """现场检查（勘察）、询问笔录: two certified officers at least."""

    kind: Literal["site", "interview", "sampling"] = Field(title="笔录种类")
    officers: Officers = Field(title="执法人员")
    findings: Text = Field(title="记录内容")


class Appraisal(Payload):
    """监测、评估、鉴定、认定: stops the ninety days while it lasts."""

    kind: Literal["MONITOR", "ASSESS", "APPRAISE", "IDENTIFY"] = Field(title="种类")
    subject: Text = Field(title="事项")


class AppraisalResult(Payload):
    """Its result, which the party must have been told."""

    told_party_on: Day | None = Field(None, title="告知当事人日期")
    result: Text = Field(title="结果")


class CorrectionOrder(Payload):
    """责令改正."""

    due_on: Day = Field(title="改正期限")
    requirement: Text = Field(title="改正要求")


class Seizure(Payload):
    """查封、扣押."""

    officers: Officers = Field(title="执法人员")
    party_heard: bool = Field(title="已通知当事人到场并听取陈述申辩")
    items: Text = Field(title="设施、设备、场所、物品清单")


class Release(Payload):
    """解除查封、扣押."""

    ground: Literal["no_violation", "unrelated", "decided", "expired", "other"] = Field(
        title="解除事由"
    )
    note: Text | None = Field(None, title="说明")


class Transfer(Payload):
    """移送公安机关."""

    offence: Literal["pollution", "hazardous_waste", "false_data", "other"] = Field(
        title="涉嫌罪名类别"
    )
    verified_by: Officers = Field(title="核实人员")
    grounds: Text = Field(title="移送理由")


class PoliceReply(Payload):
    """公安机关的答复."""

    filed: bool = Field(title="是否立案")
    note: Text | None = Field(None, title="说明")


class Review(Payload):
    """案件审查."""

    proposal: Literal["penalty", "exemption"] = Field(title="处理建议")
    opinion: Text = Field(title="审查意见")


class Notice(Payload):
    """行政处罚事先（听证）告知书, from its service on the party."""

    proposed_amount: Yuan = Field(title="拟处罚款（元）")
    grave_kinds: bool = Field(False, title="含停产停业、吊销等较重处罚")
    told_statement_right: bool = Field(title="已告知陈述申辩权")
    told_hearing_right: bool = Field(title="已告知听证权")
    facts: Text = Field(title="拟处罚的事实、理由和依据")


class Statement(Payload):
    """陈述申辩与复核意见."""

    adopted: bool = Field(title="是否采纳")
    new_evidence: bool = Field(False, title="有新证据")
    statement: Text = Field(title="陈述申辩内容")
    opinion: Text = Field(title="复核意见")


class HearingHeld(Payload):
    """听证."""

    host: Account = Field(title="主持人")
    notice_served_on: Day = Field(title="听证通知书送达日期")
    new_evidence: bool = Field(False, title="有新证据")
    report: Text = Field(title="听证报告")


class LegalReview(Payload):
    """法制审核: the four questions, and which law applies where an act lies before a new one."""

    competent: bool = Field(title="执法主体合法，未越权")
    facts_clear: bool = Field(title="事实清楚，证据充分")
    discretion_proper: bool = Field(title="裁量基准运用适当")
    applicable_law: Literal["former", "code"] | None = Field(None, title="从旧兼从轻确认适用的法律")
    opinion: Text = Field(title="审核意见")


class Discussion(Payload):
    """集体讨论: who voted, and for what amount at most."""

    voters: list[Account] = Field(title="表决人员", min_length=3, max_length=30)
    amount: Yuan = Field(title="讨论同意的罚款（元）")
    minutes: Text = Field(title="讨论记录")


class Decision(Payload):
    """行政处罚决定."""

    amount: Yuan = Field(title="罚款（元）")
    mitigating: list[Mitigating] = Field(default_factory=list, title="从轻情节", max_length=6)
    aggravating: list[Aggravating] = Field(default_factory=list, title="从重情节", max_length=6)
    reduced: bool = Field(False, title="减轻处罚（在最低限以下）")
    reasons: Text = Field(title="裁量理由")


class DecisionOutcome(BaseModel):
    """What follows from a decision: its cause and range, and whether it is the minimum."""

    cause: Cause
    law: Literal["former", "code"]
    range_minimum: Yuan
    range_maximum: Yuan
    at_minimum: bool = Field(description="法定最低，有两个以上从轻情节且无从重情节")


class Exemption(Payload):
    """不予行政处罚决定."""

    ground: ExemptionGround = Field(title="不予处罚的情形")
    corrected: bool = Field(title="已及时改正")
    education: Text = Field(title="教育内容")


class ExemptionOutcome(BaseModel):
    """Whether the exemption counts as one of a minor violation (轻微免罚)."""

    cause: Cause
    minor: bool


class Service(Payload):
    """送达."""

    method: Literal["direct", "left", "post", "electronic", "announced"] = Field(title="送达方式")
    consent: bool = Field(False, title="当事人签有电子送达确认书")


class Payment(Payload):
    """缴款."""

    amount: Yuan = Field(title="缴纳金额（元）")
    surcharge: Yuan | None = Field(None, title="加处罚款（元）")


class Revocation(Payload):
    """撤销处罚决定."""

    ground: Literal["reconsideration", "judgment", "self_correction"] = Field(title="撤销事由")
    reason: Text = Field(title="理由")


class CatalogueClaim(Payload):
    """认领执法事项."""

    kind: Literal["penalty", "coercion"] = Field(title="事项类别")
    code: Code = Field(title="事项编码")
    title: Text = Field(title="事项名称")
