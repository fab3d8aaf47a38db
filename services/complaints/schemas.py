"""What the commands of a complaint take, and those of the two registers beside it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from shared.workflow.payload import Account, Code, Day, Payload, Person, Stored, Text

Channel = Literal[
    "12369", "wechat", "web", "12345", "letter", "visit", "inspectorate", "media", "transferred"
]
"""举报渠道: the hotline with its WeChat and web forms, 12345, letters, visits, transfers."""

Pollution = Literal[
    "water",
    "air_odour",
    "air_dust",
    "air_fumes",
    "noise_industry",
    "noise_construction",
    "noise_social",
    "noise_traffic",
    "solid_waste",
    "radiation",
    "ecology",
    "light",
    "other",
]
"""污染类型: 水、大气（异味、烟粉尘、油烟等）、噪声（工业、施工、社会、交通）、固废、辐射、生态、光.

The Chinese terms stand in the order of the codes.
"""

PetitionType = Literal["grievance", "enforcement"]
"""诉求类型: 普通信访, or 申请查处 (a request to punish a violation, 信访工作条例31（五）)."""

DeclineGround = Literal["not_environmental", "statutory_route", "duplicate", "answered_before"]
"""不予受理的情形: 非环保职责, 应走法定途径, 重复, 对答复不服而事实理由相同 (复查、复核)."""

Finding = Literal["founded", "partly", "unfounded", "unverifiable"]
"""调查结论: 属实, 部分属实, 不属实, 无法查实."""

Measure = Literal["corrected", "ordered", "prosecuted", "mediated", "guided", "passed_on"]
"""处理措施: 当场整改, 责令改正, 立案查处, 调解, 督促指导, 移交其他部门."""

Satisfaction = Literal["satisfied", "unsatisfied", "unreached"]
"""回访结果."""

ANONYMOUS = "匿名"


class Reporter(Person):
    """举报人: who gives no name may still leave a phone; kept secret (法典146)."""

    name: str = Field(ANONYMOUS, title="姓名或名称", min_length=1, max_length=200)


class Registration(Payload):
    """登记: what was reported, through which channel, about whom, and by whom if they say so."""

    channel: Channel = Field(title="举报渠道")
    pollution: Pollution = Field(title="污染类型")
    urgent: bool = Field(default=False, title="紧急", description="突发、群体性，立即受理并报告")
    repeat: bool = Field(default=False, title="重复举报")
    township: Code | None = Field(None, title="镇街代码")
    reporter: Annotated[Reporter | None, Stored("reporter")] = Field(None, title="举报人")
    target: Annotated[Person | None, Stored("party")] = Field(None, title="被举报对象")
    staff: list[Account] = Field(default_factory=list, title="被举报的工作人员", max_length=10)
    place: Text | None = Field(None, title="地点")
    content: Text = Field(title="举报内容")


class Reachability(BaseModel):
    """Whether the reporter gave no name, and left any way to be reached."""

    anonymous: bool = Field(description="未留姓名")
    contact: bool = Field(description="留有电话或地址，计入回复率的分母")


class Acceptance(Payload):
    """受理."""

    petition_type: PetitionType = Field(title="诉求类型")
    told: bool = Field(title="已书面告知举报人")


class Declining(Payload):
    """不予受理."""

    ground: DeclineGround = Field(title="不予受理的情形")
    told: bool = Field(title="已书面告知举报人理由和途径")
    reason: Text = Field(title="理由")


class Transfer(Payload):
    """转办: to whom it belongs."""

    to: Code = Field(title="转往单位代码")
    told: bool = Field(title="已告知举报人去向")
    reason: Text = Field(title="理由")


class Merging(Payload):
    """并案: into an accepted complaint about the same facts."""

    into: Code = Field(title="并入的举报事项编号")


class Reason(Payload):
    """A decision that only needs its reason."""

    reason: Text = Field(title="理由")


class Assignment(Payload):
    """交办: who investigates; they are given the complaint, never its reporter."""

    handlers: list[Account] = Field(title="承办人", min_length=2, max_length=10)
    instruction: Text | None = Field(None, title="办理要求")


class EmergencyReport(Payload):
    """紧急事项上报."""

    to: Code = Field(title="上报单位代码")
    content: Text = Field(title="上报内容")


class Handover(Payload):
    """转为执法线索: the clue is registered with the penalty cases by whoever takes it."""

    clue: Code | None = Field(None, title="线索编号")
    facts: Text = Field(title="涉嫌违法的事实")


class Extension(Payload):
    """延长办理期限: by how many calendar days, and why."""

    days: int = Field(title="延长天数", ge=1, le=30)
    told: bool = Field(title="已告知举报人延期理由")
    reason: Text = Field(title="理由")


class Investigation(Payload):
    """调查终结."""

    finding: Finding = Field(title="调查结论")
    measures: list[Measure] = Field(default_factory=list, title="处理措施", max_length=6)
    visited_on: Day | None = Field(None, title="现场核查日期")
    facts: Text = Field(title="调查情况")


class Handled(BaseModel):
    """Whether the complaint counts as investigated and dealt with (调查处理)."""

    handled: bool


class Draft(Payload):
    """答复意见."""

    answer: Text = Field(title="答复内容")


class Reply(Payload):
    """答复."""

    method: Literal["phone", "written", "online", "in_person"] = Field(title="答复方式")
    told_remedies: bool = Field(title="已告知救济途径", description="复查；申请查处的先行复议")


class Replied(BaseModel):
    """That the reporter has a reply, and whether in time."""

    replied: bool
    due_on: Day = Field(description="办理期限届满之日")
    in_time: bool


class CallBack(Payload):
    """回访."""

    outcome: Satisfaction = Field(title="回访结果")
    note: Text | None = Field(None, title="回访记录")


class Empty(Payload):
    """A step that takes nothing but its time."""

    note: Text | None = Field(None, title="备注")


class MediatorAppointment(Payload):
    """聘任专职人民调解员."""

    account: Account = Field(title="账号代码")
    person: Annotated[Person, Stored("staff")] = Field(title="调解员")


class CrossEvent(Payload):
    """承接多跨事件: a kind of event that several departments handle together."""

    code: Code = Field(title="事件编码")
    title: Text = Field(title="事件名称")
