"""What the commands of a permit application and of the register of limits take."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from shared.workflow.payload import Code, Day, Party, Payload, Text

Item = Literal[
    "eia_report", "eia_form", "discharge_key", "discharge_simplified", "radiation", "other"
]
"""事项: 环评报告书、环评报告表、排污许可（重点、简化）、辐射安全许可、其他."""

Kind = Literal["new", "renewal", "change", "reissue"]
"""办理类型: 新办、延续、变更、重新申领或补发."""

Channel = Literal["window", "online"]
"""渠道: 窗口, or the city's 渝快办."""

Special = Literal["hearing", "expert_review", "technical_review", "testing", "appraisal"]
"""特别程序: 听证、专家评审、技术评估、检验检测、鉴定."""

RefusalGround = Literal["siting", "area_quality", "measures", "existing_pollution", "flawed_report"]
"""不予批准环评文件的五种情形 (建设项目环境保护管理条例11 = 法典105), (一) to (五)."""


class Receipt(Payload):
    """收件."""

    item: Item = Field(title="事项")
    kind: Kind = Field("new", title="办理类型")
    channel: Channel = Field(title="渠道")
    serial: Code | None = Field(
        None, title="外部申办流水号", description="不透明字符串，同一渠道内不重复"
    )
    party: Party = Field(title="申请人")
    project: Text = Field(title="项目或事项名称")


class Subject(BaseModel):
    """What is applied for and through which channel, repeated where it is counted."""

    item: Item
    kind: Kind
    channel: Channel


class SupplementRequest(Payload):
    """补正告知: everything that is lacking, told once."""

    due_on: Day = Field(title="补正期限")
    lacking: Text = Field(title="需要补正的全部内容")


class Empty(Payload):
    """A step that takes nothing but its time."""

    note: Text | None = Field(None, title="备注")


class Reason(Payload):
    """A step that only needs its reason."""

    reason: Text = Field(title="理由")


class NonAcceptance(Payload):
    """不予受理."""

    ground: Literal["not_required", "not_competent", "incomplete"] = Field(
        title="情形", description="依法不需要许可；不属本机关职权；补正后仍不齐全"
    )
    reason: Text = Field(title="理由")


class FirstNotice(Payload):
    """受理公示."""

    ends_on: Day = Field(title="公示截止日期")
    full_text: bool = Field(title="已公开全文")
    address: Text | None = Field(None, title="公示网址")


class ProposalNotice(Payload):
    """拟审批公示: of the decision intended, whichever it is."""

    intended: Literal["approve", "refuse"] = Field(title="拟作出的决定")
    ends_on: Day = Field(title="公示截止日期")
    address: Text | None = Field(None, title="公示网址")


class Review(Payload):
    """审查."""

    proposal: Literal["approve", "refuse"] = Field(title="审查建议")
    opinion: Text = Field(title="审查意见")


class SpecialProcedure(Payload):
    """特别程序, whose time is not counted where the law says so."""

    procedure: Special = Field(title="特别程序")
    told_applicant: bool = Field(title="已将所需时间书面告知申请人")
    subject: Text = Field(title="事项")


class SpecialResult(Payload):
    """特别程序结果."""

    result: Text = Field(title="结果")


class Extension(Payload):
    """延长期限: by how many working days, and why."""

    days: int = Field(title="延长工作日", ge=1, le=15)
    reason: Text = Field(title="理由")


class Approval(Payload):
    """准予许可决定."""

    number: Code = Field(title="批准文号")
    opinion: Text = Field(title="决定意见")


class Refusal(Payload):
    """不予许可决定, reasoned, with the remedies told."""

    number: Code = Field(title="文号")
    grounds: Annotated[list[RefusalGround], Field(max_length=5)] = Field(
        default_factory=list, title="不予批准的情形", description="环评文件须为法定五种情形之一"
    )
    told_remedies: bool = Field(title="已告知复议和诉讼权利")
    reasons: Text = Field(title="理由")


class Licence(Payload):
    """发证. Validity and authority are for discharge and radiation licences."""

    number: Code = Field(title="证书编号")
    valid_from: Day | None = Field(None, title="有效期起")
    valid_until: Day | None = Field(None, title="有效期止", description="最后一日")
    authority_basis: Literal["entrusted", "delegated"] | None = Field(
        None, title="审批权依据", description="委托或者下放"
    )
    issued_in_name_of: Literal["ministry", "municipal", "district"] | None = Field(
        None, title="以何机关名义", description="部、市局、区局"
    )
    authority_document: Text | None = Field(None, title="委托或下放文件")


class Revocation(Payload):
    """撤销许可."""

    ground: Literal[
        "abuse", "beyond_power", "against_procedure", "unqualified", "fraud", "other"
    ] = Field(title="撤销事由", description="行政许可法69各项")
    reason: Text = Field(title="理由")


class Cancellation(Payload):
    """注销许可."""

    ground: Literal["expired", "terminated", "revoked", "impossible", "other"] = Field(
        title="注销事由", description="行政许可法70各项"
    )
    note: Text | None = Field(None, title="说明")


WorkingDays = Annotated[int, Field(ge=1, le=365)]


class Limit(Payload):
    """办理时限, in working days, of an item and kind."""

    item: Item = Field(title="事项")
    kind: Kind = Field("new", title="办理类型")
    statutory_days: WorkingDays = Field(title="法定时限（工作日）")
    committed_days: WorkingDays = Field(title="承诺时限（工作日）")


class ChangedLimit(Payload):
    """变更办理时限."""

    statutory_days: WorkingDays = Field(title="法定时限（工作日）")
    committed_days: WorkingDays = Field(title="承诺时限（工作日）")


class LimitSubject(BaseModel):
    """Which limit a change concerns."""

    item: Item
    kind: Kind


class WithdrawnLimit(LimitSubject):
    """The limit that is withdrawn, as it last stood, in working days."""

    statutory_days: int
    committed_days: int
