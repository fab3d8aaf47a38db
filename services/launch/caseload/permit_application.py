"""The course of one synthetic permit application, from receipt to licence, lawful at every step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, Literal

from services.launch.caseload.line import Course, Line
from services.launch.caseload.people import People
from services.launch.caseload.year import Year
from services.permits import rules

Ending = Literal[
    "issued", "concluded", "approved", "refused", "revoked",
    "withdrawn", "lapsed", "declined", "pending",
]  # fmt: skip
"""How far an application comes; one `pending` is still under way at the year's end."""

Feature = Literal["plain", "supplement", "special", "extended", "deemed"]
Corrected = Literal["channel", "time", "rejected"]

PROJECTS = ("扩建生产线", "污水处理设施", "废气治理设施", "原料仓库", "检测装置", "锅炉改造")
GROUNDS = ("siting", "area_quality", "measures", "existing_pollution", "flawed_report")
NUMBERS = {"eia_report": "HPS", "eia_form": "HPB", "radiation": "FS", "other": "QT"}
RADIATION_NAMES = ("municipal", "ministry")


@dataclass(frozen=True, slots=True)
class Plan:
    """What one application is for, and what happens to it.

    `brisk` leaves nothing to take longer than it must. The outside serial number is left out: it is
    unique, so a year loaded under another name would be refused.
    """

    received: date
    item: str
    kind: str = "new"
    channel: str = "online"
    ending: Ending = "concluded"
    feature: Feature = "plain"
    corrected: Corrected | None = None
    brisk: bool = False


class PermitApplication:
    """Writes the commands of one application."""

    def __init__(self, number: int, plan: Plan, year: Year, people: People, random: Random) -> None:
        self.number = number
        self.plan = plan
        self.year = year
        self.random = random
        self.party = people.organisation()
        self.course = Course("permits", f"permit-{number:04}", random)
        self.window, self.other_window = random.sample(("window1", "window2"), 2)
        self.reviewer, second = random.sample(("approver1", "approver2"), 2)
        self.decider = random.choice((second, "leader1", "leader2"))

    def run(self) -> Iterator[Line]:
        """Take the application as far as its plan says."""
        day = self._receive()
        if self.plan.ending == "declined":
            self._take("decline-acceptance", self.window, self._later(day, 0, 2),
                       ground="not_competent", reason="属上级机关审批权限")  # fmt: skip
        else:
            self._go_on(day)
        yield from self.course

    def _go_on(self, day: date) -> None:
        if self.plan.feature == "supplement" or self.plan.ending == "lapsed":
            day = self._later(day, 0, 2)
            due = self.year.workday(day, 10)
            self._take("request-supplement", self.window, day,
                       due_on=due.isoformat(), lacking="缺监测方案和排放口设置说明")  # fmt: skip
            if self.plan.ending == "lapsed":
                self._take("lapse", self.window, self._later(due, 1, 4))
                return
            day = self._take("supplement", self.window, self._later(day, 2, 8))
        day = self._accept(day)
        if self.plan.ending == "pending":
            return
        if self.plan.ending == "withdrawn":
            self._take("withdraw", self.window, self._later(day, 0, 1), reason="项目调整")
            return
        self._decide(day, self._examine(day))

    def _receive(self) -> date:
        plan = self.plan
        return self._take(
            "receive",
            self.window,
            plan.received,
            item=plan.item,
            kind=plan.kind,
            channel="window" if plan.corrected == "channel" else plan.channel,
            party=self.party,
            project=f"示例{self.random.choice(PROJECTS)}{self.number}号",
        )

    def _accept(self, day: date) -> date:
        if self.plan.feature == "deemed":
            return self._take("deem-accepted", self.window, day)
        command = "accept-eia" if self._is_eia else "accept"
        return self._take(command, self.window, self._later(day, 0, 2))

    def _examine(self, accepted: date) -> date:
        """Publicise what must be, review, and return the day before which nothing is decided."""
        day = accepted
        if self._is_eia:
            day = self._later(day, 0, 1)
            least = rules.NOTICE_DAYS[self.plan.item]
            ends = self._later(day, least, least + 2)
            self._take("publicise", self.window, day, ends_on=ends.isoformat(), full_text=True)
            day = self._take("end-notice", self.window, ends)
        if self.plan.feature == "special":
            procedure = self.random.choice(
                ("expert_review", "technical_review" if self._is_eia else "testing")
            )
            day = self._take("begin-special", self.reviewer, self._later(day, 0, 1),
                             procedure=procedure, told_applicant=True,
                             subject="核实主要污染物排放情况")  # fmt: skip
            day = self._take("end-special", self.reviewer, self._later(day, 5, 10),
                             result="同意修改后的材料")  # fmt: skip
        swift = self.plan.feature == "special" or self.plan.kind == "change"
        proposal = "refuse" if self.plan.ending == "refused" else "approve"
        day = self._take("review", self.reviewer, self._later(day, 1, 1 if swift else 2),
                         proposal=proposal, opinion="经审查，提出办理建议")  # fmt: skip
        if self._is_eia:
            day = self._later(day, 0, 1)
            ends = self._later(day, rules.PROPOSAL_NOTICE_DAYS, rules.PROPOSAL_NOTICE_DAYS + 1)
            self._take("propose", self.reviewer, day,
                       intended=proposal, ends_on=ends.isoformat())  # fmt: skip
            day = self._take("end-proposal", self.window, ends)
        return day

    def _decide(self, accepted: date, ready: date) -> None:
        day = self._later(ready, 1, 1 if self._is_eia else 3)
        if self.plan.feature == "extended":
            day = max(day, self._extend(accepted))
        if self.plan.ending == "refused":
            self._refuse(day)
        else:
            self._approve(day)

    def _extend(self, accepted: date) -> date:
        """Extend the statutory limit before it expires; returns a day within what was added."""
        limit, granted, reason = 20, 10, "案情复杂"
        if self.plan.item == "discharge_key":
            limit, granted, reason = 30, 15, "须现场核查"
        day = self.year.after(accepted, self.random, limit - 4, limit - 1)
        leader = self.random.choice(("leader1", "leader2"))
        self._take("extend", leader, day, days=granted, reason=reason)
        return self.year.after(accepted, self.random, limit + 1, limit + 8)

    def _refuse(self, day: date) -> None:
        grounds = self.random.sample(GROUNDS, self.random.randint(1, 2)) if self._is_eia else []
        self._take("refuse", self.decider, day, number=self._number("BX"), grounds=grounds,
                   told_remedies=True, reasons="不符合法定条件")  # fmt: skip
        self._correct(day)

    def _approve(self, day: date) -> None:
        kind = NUMBERS.get(self.plan.item, "PW")
        self._take("approve", self.decider, day, number=self._number(kind), opinion="准予许可")
        finished = self._correct(day)
        if self.plan.ending == "issued":
            self._issue(self._later(finished, 1, 6))
        elif self.plan.ending == "concluded":
            self._take("conclude", self.window, self._later(finished, 0, 4))
        elif self.plan.ending == "revoked":
            self._take("revoke", "leader1", self._later(finished, 5, 15),
                       ground="fraud", reason="申请材料虚假")  # fmt: skip

    def _issue(self, day: date) -> None:
        plan, data = self.plan, {"number": self._licence_number()}
        if plan.item in rules.LICENSED:
            valid_from = day + timedelta(
                days=self.random.randint(10, 60) * (plan.kind == "renewal")
            )
            ends = rules.term_ends(valid_from)
            if plan.kind in {"change", "reissue"}:
                ends -= timedelta(days=self.random.randint(100, 1200))
            data |= {
                "valid_from": valid_from.isoformat(),
                "valid_until": ends.isoformat(),
                "authority_basis": "entrusted",
                "issued_in_name_of": self.random.choice(RADIATION_NAMES)
                if plan.item == "radiation"
                else "municipal",
                "authority_document": "上级生态环境主管部门委托审批事项清单",
            }
        self._take("issue", self.window, day, **data)

    def _correct(self, decided: date) -> date:
        """Correct what was entered wrongly, the day after the decision; returns the last day."""
        if self.plan.corrected is None:
            return decided
        day = self._later(decided, 1, 1)
        approved = self.course.taken[-1].command
        proposal: dict[str, Any] = {"target": approved, "changes": {"number": self._number("GZ")}}
        if self.plan.corrected == "channel":
            proposal = {"target": "receive", "changes": {"channel": self.plan.channel}}
        elif self.plan.corrected == "time":
            told = self.course.taken[-1].at - timedelta(minutes=30)
            proposal = {"target": approved, "changes": {"occurred_at": told.isoformat()}}
        self._take("propose-correction", self.window, day, occurrence=0, reason="录入笔误",
                   **proposal)  # fmt: skip
        if self.plan.corrected == "rejected":
            return self._take("reject-correction", self.other_window, day, opinion="原录入无误")
        return self._take("correct", self.other_window, day, opinion="与卷内材料一致")

    @property
    def _is_eia(self) -> bool:
        return self.plan.item in rules.EIA

    def _number(self, kind: str) -> str:
        return f"TN-{kind}-{self.plan.received.year}-{self.number:04}"

    def _licence_number(self) -> str:
        if self.plan.item in rules.DISCHARGE:
            return f"{self.party['code']}001{'Q' if self.plan.item == 'discharge_key' else 'X'}"
        return self._number("ZS")

    def _later(self, day: date, least: int, most: int) -> date:
        return self.year.after(day, self.random, least, least if self.plan.brisk else most)

    def _take(self, command: str, actor: str, day: date, **data: Any) -> date:
        return self.course.take(command, actor, day, **data)
