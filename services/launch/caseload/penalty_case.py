"""The course of one synthetic penalty case, from its clue to its closing, lawful at every step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from random import Random
from typing import Any, Literal

from services.cases import rules
from services.launch.caseload.line import Course
from services.launch.caseload.people import People
from services.launch.caseload.year import Year
from shared.clock import reckoning

Feature = Literal[
    "plain", "appraisal", "statement", "hearing", "suspended", "returned", "waived",
    "filing_extended", "decision_extended", "late_payment",
]  # fmt: skip
Ending = Literal["penalised", "exempted", "not_filed", "dismissed", "revoked", "criminal"]
Corrected = Literal["cause", "circumstances", "ground", "time", "rejected"]

WINDOW = rules.STATEMENT_DAYS + 1
"""The first working day after a notice on which the party's five days are over."""

REVIEW_TO_DECISION = 10
"""More working days than ever lie between the last step before legal review and the decision."""

OFFICERS = ("officer1", "officer2", "officer3")
TOWNSHIPS = ("500152001", "500152100", "500152101", "500152102", "500152104")
MITIGATING = ("eliminated_harm", "restored", "confessed_unknown", "compensated")
AGGRAVATING = ("repeated", "bad_impact", "during_alert")
REGISTRARS = {"complaint": "petition1", "inspectorate": "supervisor1"}
SOURCES = ("double_random", "complaint", "inspectorate", "monitoring", "assigned", "transferred")
FACTS = {
    "air": "废气排放浓度超过排放标准",
    "water": "废水排放浓度超过排放标准",
    "solid_waste": "擅自倾倒工业固体废物",
    "unapproved_construction": "环评文件未经批准擅自开工建设",
    "three_simultaneities": "配套环保设施未经验收即投入生产",
    "other": "物料堆场未采取有效覆盖措施",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is peculiar to one case; `opened` is the day its clue is registered."""

    opened: date
    cause: str
    ending: Ending = "penalised"
    feature: Feature = "plain"
    minimum: bool = False
    ground: str = "minor_no_harm"
    seized: bool = False
    transferred: bool = False
    corrected: Corrected | None = None


class PenaltyCase:
    """Writes one case's commands; `day` is the day of the last one."""

    def __init__(self, ref: str, plan: Plan, year: Year, people: People, random: Random) -> None:
        self.plan, self.year, self.people, self.random = plan, year, people, random
        self.course = Course("cases", ref, random)
        self.day = plan.opened
        self.team = random.sample(OFFICERS, 2)
        self.leader = random.choice(("leader1", "leader2"))
        self.legal = random.choice(("legal1", "legal2"))
        self.committee = random.choice(("committee1", "committee2"))
        self.licensed = plan.cause in {"air", "water"} and self._chance(0.5)
        self.base = self._base()
        self.acted = plan.opened - timedelta(days=random.randint(0, 20))

    def run(self) -> Course:
        """Write the whole case."""
        ending = self.plan.ending
        self._register()
        if ending == "not_filed":
            self._step("decline-filing", self.leader, 1, 4, reason="经核查，违法行为不成立")
            return self.course
        self._file()
        self._investigate()
        if ending == "dismissed":
            self._step("dismiss", self.leader, 2, 9, reason="经查证，当事人主体已灭失")
        elif ending == "criminal":
            self._step(
                "dismiss", self.leader, 20, 40,
                reason="人民法院已判处罚金，依照行政处罚法第三十五条不再给予罚款",
            )  # fmt: skip
        else:
            self._conclude()
            if ending == "exempted":
                self._exempt()
            else:
                self._penalise()
        return self.course

    def _step(self, command: str, actor: str, least: int, most: int, **data: Any) -> date:
        """Take a command `least` to `most` working days after the last one."""
        self.day = self.year.after(self.day, self.random, least, most)
        return self.course.take(command, actor, self.day, **data)

    def _chance(self, part: float) -> bool:
        return self.random.random() < part

    def _register(self) -> None:
        source = self.random.choice(SOURCES)
        individual = self.plan.cause == "solid_waste" and self._chance(0.5)
        clue: dict[str, Any] = {
            "source": source,
            "party": self.people.individual() if individual else self.people.organisation(),
            "discovered_on": self.day.isoformat(),
            "description": f"发现涉嫌{FACTS[self.plan.cause]}",
        }
        if self._chance(0.8):
            clue["township"] = self.random.choice(TOWNSHIPS)
        self.individual = individual
        self._step("register", REGISTRARS.get(source, self.team[0]), 0, 0, **clue)
        self._step("examine", self.team[0], 1, 4, opinion="有初步证据，请审批")

    def _file(self) -> None:
        entered = self.plan.cause
        if self.plan.corrected == "cause":
            entered = "water" if entered == "air" else "air"
        if self.plan.feature == "filing_extended":
            self._step("extend-filing", self.leader, 0, 1, days=15, reason="需等待监测报告")
            self._step("file", self.leader, 7, 10, **self._filing(entered))
        else:
            self._step("file", self.leader, 1, 4, **self._filing(entered))
        if entered != self.plan.cause:
            self._correct("file", {"cause": self.plan.cause}, "案由录入笔误")

    def _filing(self, cause: str) -> dict[str, Any]:
        filing: dict[str, Any] = {
            "cause": cause,
            "investigators": self.team,
            "act_ended_on": self.acted.isoformat(),
            "has_evidence": True,
            "punishable": True,
            "in_jurisdiction": True,
            "licensed": self.licensed,
        }
        if self.base is not None:
            filing["base"] = f"{self.base:.2f}"
        return filing

    def _investigate(self) -> None:
        lead, second = self.team
        self._step("investigate", lead, 0, 2)
        self._step("inspect", lead, 0, 1, kind="site", officers=self.team,
                   findings=f"现场检查时{FACTS[self.plan.cause]}")  # fmt: skip
        if self.plan.seized:
            self._seize()
        if self.plan.cause in {"air", "water"}:
            self._step("inspect", second, 0, 1, kind="sampling", officers=self.team,
                       findings="在排放口采样三次")  # fmt: skip
        self._step("inspect", second, 0, 2, kind="interview", officers=self.team,
                   findings="当事人对现场情况无异议")  # fmt: skip
        self._step("order-correction", lead, 0, 1, requirement="立即改正违法行为",
                   due_on=(self.day + timedelta(days=30)).isoformat())  # fmt: skip
        if self.plan.feature == "appraisal":
            self._appraise()
        elif self.plan.feature == "suspended":
            self._step("suspend", self.leader, 1, 2, reason="等待有权机关作出解释")
            self._step("resume", self.leader, 5, 12, reason="解释已作出")
        if self.plan.transferred or self.plan.ending == "criminal":
            self._transfer()

    def _appraise(self) -> None:
        self._step("begin-appraisal", self.team[0], 0, 1, kind="MONITOR", subject="主要污染物浓度")
        self._step("end-appraisal", self.team[0], 6, 15, result="监测结果超过排放标准",
                   told_party_on=self.day.isoformat())  # fmt: skip

    def _seize(self) -> None:
        """Thirty days at most, and thirty more where the leader allows it (行政强制法25)."""
        self._step("seize", self.leader, 0, 1, officers=self.team, party_heard=True,
                   items="产生污染物的生产设施一套")  # fmt: skip
        if self._chance(0.5):
            self._step("extend-seizure", self.leader, 9, 12, days=30, reason="案情复杂")
        self._step("release", self.leader, 6, 12, ground="other", note="违法状态已消除")

    def _transfer(self) -> None:
        self._step("transfer-to-police", self.leader, 1, 3, verified_by=self.team,
                   grounds="涉嫌构成污染环境罪",
                   offence="hazardous_waste" if self.plan.cause == "solid_waste" else "pollution",
                   )  # fmt: skip
        self._step("record-police-reply", self.team[0], 2, 6,
                   filed=self.plan.ending == "criminal")  # fmt: skip

    def _conclude(self) -> None:
        lead, proposal = self.team[0], self.plan.ending
        review = {
            "proposal": "exemption" if proposal == "exempted" else "penalty",
            "opinion": "事实清楚，证据充分，程序合法",
        }
        if self.plan.feature == "decision_extended":
            self._step("extend-decision", self.leader, 28, 32, days=30, reason="案情复杂")
        self._step("conclude-investigation", lead, 6, 14, opinion="事实清楚，移送审查")
        self._step("review", self.committee, 2, 4, **review)
        if self.plan.feature == "returned":
            self._step("return-for-investigation", self.committee, 0, 2, reason="请补充询问笔录")
            self._step("inspect", lead, 1, 3, kind="interview", officers=self.team,
                       findings="补充询问生产负责人")  # fmt: skip
            self._step("conclude-investigation", lead, 0, 2, opinion="已补充，移送审查")
            self._step("review", self.committee, 1, 3, **review)

    def _exempt(self) -> None:
        self._step("review-legality", self.legal, 1, 3, **self._legal_opinion)
        correcting = self.plan.corrected == "ground"
        self._step("exempt", self.leader, 1, 3, corrected=True,
                   ground="no_fault" if correcting else self.plan.ground,
                   education="已当面宣讲相关法律要求，当事人承诺不再违法")  # fmt: skip
        if correcting:
            self._correct("exempt", {"ground": self.plan.ground}, "不予处罚情形录入笔误")
        self._step("serve-exemption", self.team[0], 0, 4, **self._delivery())
        self._step("close", self.leader, 1, 6)

    def _penalise(self) -> None:
        amount = self._amount()
        self._notify(amount)
        self._step("review-legality", self.legal, 1, 3, **self._legal_opinion)
        if rules.discussion_due(amount, grave_kinds=False):
            self._step("discuss", self.committee, 0, 2, amount=f"{amount:.2f}",
                       voters=["committee1", "committee2", self.leader],
                       minutes="与会人员一致同意")  # fmt: skip
        self._decide(amount)
        self._step("serve", self.team[1], 0, 4, **self._delivery())
        served = self.day
        if self.plan.ending == "revoked":
            self._step("revoke", self.leader, 3, 9, ground="self_correction",
                       reason="发现适用依据不当，自行纠正")  # fmt: skip
            return
        self._pay(amount, served)
        self._step("close", self.leader, 1, 8)

    def _notify(self, amount: Decimal) -> None:
        """Serve the prior notice (事先告知) and see the party's days through."""
        heard = self.plan.feature == "statement" and self._chance(0.5)
        proposed = min(amount * 6 // 5, self._bounds.maximum) if heard else amount
        hearing_right = rules.hearing_due(
            "individual" if self.individual else "organisation", proposed, grave_kinds=False
        )
        noticed = self._step(
            "notify", self.leader, 2, 4, proposed_amount=f"{proposed:.2f}",
            told_statement_right=True, told_hearing_right=hearing_right,
            facts=f"{FACTS[self.plan.cause]}，拟处罚款{proposed:.2f}元",
        )  # fmt: skip
        if self.plan.feature == "waived":
            self._step("waive", self.team[1], 1, 3)
            return
        if self.plan.feature == "hearing" and hearing_right:
            self._step("request-hearing", self.legal, 1, 5)
            told = self.year.after(self.day, self.random, 1, 2)
            self.day = self.year.workday(told, rules.HEARING_NOTICE_DAYS)
            self._step("hold-hearing", self.legal, 0, 3, notice_served_on=told.isoformat(),
                       host="legal2" if self.legal == "legal1" else "legal1",
                       report="听证程序合法，事实清楚")  # fmt: skip
        elif self.plan.feature in {"statement", "hearing"}:
            self._step("hear-statement", self.legal, 1, 4, adopted=heard,
                       statement="请求从轻处罚",
                       opinion="部分理由成立" if heard else "理由不成立")  # fmt: skip
        self.day = max(self.day, self.year.workday(noticed, WINDOW))

    def _decide(self, amount: Decimal) -> None:
        mitigating = self.random.sample(MITIGATING, 2) if self.plan.minimum else []
        aggravating: list[str] = []
        correcting = self.plan.corrected
        if not self.plan.minimum and self._grave:
            aggravating = [self.random.choice(AGGRAVATING)]
        reviewed = self.day
        self._step(
            "decide", self.leader, 2, 3, amount=f"{amount:.2f}", aggravating=aggravating,
            mitigating=mitigating[:1] if correcting == "circumstances" else mitigating,
            reasons="按照裁量基准综合考虑违法情节决定",
        )  # fmt: skip
        if correcting == "circumstances" and self.plan.minimum:
            self._correct("decide", {"mitigating": mitigating}, "漏录一项从轻情节")
        elif correcting == "time":
            signed = max(self.year.before(self.day, 1), reviewed)
            if signed in self.year:
                self._correct("decide", {"occurred_at": signed.isoformat()}, "以文书落款日期为准")
        elif correcting == "rejected":
            self._correct("decide", {"aggravating": ["malicious"]}, "疑似漏录", agreed=False)

    def _pay(self, amount: Decimal, served: date) -> None:
        """Pay within fifteen days; after them three per cent a day, never more than the fine."""
        late = self.plan.feature == "late_payment"
        self.day = self.year.after(self.day, self.random, *((14, 20) if late else (1, 8)))
        payment = {"amount": f"{amount:.2f}"}
        period = rules.PERIODS.at("payment", served)
        stand = reckoning.reckon(reckoning.start(served), period, self.year.calendar, self.day)
        if (days := (self.day - stand.due.on).days) > 0:
            payment["surcharge"] = f"{min(amount, amount * 3 * days / 100):.2f}"
        self.course.take("pay", self.random.choice(("window1", "window2")), self.day, **payment)

    def _correct(
        self, target: str, changes: dict[str, Any], reason: str, *, agreed: bool = True
    ) -> None:
        """Correct (更正) a step: an officer proposes, another person confirms or refuses."""
        self._step("propose-correction", self.team[0], 0, 1, target=target, occurrence=0,
                   changes=changes, reason=reason)  # fmt: skip
        if agreed:
            self._step("correct", self.legal, 0, 1, opinion="与卷内材料一致")
        else:
            self._step("reject-correction", self.legal, 0, 1, opinion="与卷内材料不符")

    @cached_property
    def _legal_opinion(self) -> dict[str, Any]:
        opinion: dict[str, Any] = {
            "competent": True,
            "facts_clear": True,
            "discretion_proper": True,
            "opinion": "同意",
        }
        if self._law_open:
            opinion["applicable_law"] = "former"
        return opinion

    @property
    def _law_open(self) -> bool:
        """Whether the decision may fall under the code while the act lies before it."""
        return rules.laws_cross(self.acted, self.year.workday(self.day, REVIEW_TO_DECISION))

    @cached_property
    def _bounds(self) -> rules.Bounds:
        return rules.bounds(
            self.plan.cause, rules.law_at(self.acted), self.base,
            licensed=self.licensed, eia_report=False,
        )  # fmt: skip

    @cached_property
    def _grave(self) -> bool:
        """About one case in five lies in the upper half of its range."""
        return self._chance(0.2)

    def _amount(self) -> Decimal:
        """The minimum, or a round sum above it, within the range."""
        low, high = self._bounds.minimum, self._bounds.maximum
        if self.plan.minimum:
            return low
        percent = self.random.randint(45, 75) if self._grave else self.random.randint(5, 40)
        return low + (high - low) * percent // 100

    def _base(self) -> Decimal | None:
        """The sum that a fine is a multiple of: 处置费用 or 总投资额."""
        if self.plan.cause == "solid_waste":
            return Decimal(self.random.randrange(60_000, 200_000, 10_000))
        if self.plan.cause == "unapproved_construction":
            return Decimal(self.random.randrange(1_500_000, 12_000_000, 500_000))
        return None

    def _delivery(self) -> dict[str, Any]:
        method = self.random.choice(("direct", "direct", "left", "post", "electronic"))
        return {"method": method, "consent": method == "electronic"}
