"""The course of one complaint (投诉举报), from registration to closing or wherever it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any, Literal

from services.complaints import rules
from services.launch.caseload.line import Course, Line
from services.launch.caseload.people import People
from services.launch.caseload.year import Year

Ending = Literal["declined", "transferred", "merged", "withdrawn", "returned"]
Stop = Literal["accepted", "investigating", "investigated", "drafted", "signed", "closed"]
Pace = Literal["brisk", "usual", "long"]

SUBJECTS = {
    "air_odour": "夜间有刺鼻气味",
    "air_dust": "车间粉尘外逸",
    "air_fumes": "餐饮油烟直排",
    "noise_industry": "设备夜间噪声扰民",
    "noise_construction": "工地夜间施工噪声",
    "noise_social": "商铺外放音响噪声",
    "water": "排口有浑浊废水",
    "solid_waste": "空地堆放工业废渣",
    "ecology": "河岸植被被毁",
    "light": "厂区强光照射住户",
}
POLLUTIONS = (*SUBJECTS, "air_odour", "air_odour", "noise_construction", "air_dust", "water")
CHANNELS = (
    "12369", "12369", "12369", "wechat", "wechat", "web", "12345", "12345", "letter", "visit",
    "inspectorate", "media", "transferred",
)  # fmt: skip
HANDED_ON = sorted(rules.TRANSFERRED)
OUTCOMES: tuple[tuple[str, list[str]], ...] = (
    ("founded", ["corrected"]),
    ("founded", ["ordered", "guided"]),
    ("partly", ["guided"]),
    ("partly", ["mediated"]),
    ("unfounded", []),
    ("unverifiable", ["guided"]),
)
GAPS: dict[Pace, dict[str, tuple[int, int]]] = {
    "brisk": {"conclude": (1, 4), "draft": (0, 1), "reply": (0, 1), "call-back": (1, 2)},
    "usual": {"conclude": (3, 15), "draft": (0, 3), "reply": (0, 3), "call-back": (1, 8)},
    "long": {"conclude": (38, 42), "draft": (0, 3), "reply": (0, 3), "call-back": (1, 8)},
}
"""Working days between one step and the next; `long` needs the sixty days extended."""
LONGEST = 53
"""Working days from acceptance to the reply at the most, at the `long` pace."""
LONGEST_BRISK = 10
"""The same at the `brisk` pace."""
EXTENDED_AFTER = 25
EXTENSIONS = (10, 15, 20, 30)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to become of one complaint.

    `day` is that of acceptance, or of the other `ending`. `contact`: the reporter can be reached.
    `stop`: how far the handling has come. `reopened`: unsatisfied the first time.
    """

    day: date
    ending: Ending | None = None
    contact: bool = True
    stop: Stop = "closed"
    pace: Pace = "usual"
    reopened: bool = False
    urgent: bool = False
    corrected: Literal["channel", "time"] | None = None


class Complaint:
    """Writes the commands of one complaint."""

    def __init__(self, ref: str, plan: Plan, year: Year, people: People, random: Random) -> None:
        self.plan, self.year, self.people, self.random = plan, year, people, random
        self.course = Course("complaints", ref, random)
        self.clerk, self.caller = random.sample(("petition1", "petition2"), 2)
        self.leader = random.choice(("leader1", "leader2"))
        self.officers = random.sample(("officer1", "officer2", "officer3"), 2)
        self.pollution = random.choice(POLLUTIONS)
        self.channel = random.choice(HANDED_ON if plan.ending == "returned" else CHANNELS)
        self.day = plan.day
        longest = (year.workday(plan.day, LONGEST_BRISK) - plan.day).days
        fits = plan.pace == "brisk" and longest <= self._allowed("enforcement")
        self.enforcement = fits and random.random() < 1 / 2

    def run(self, merged_into: str) -> Iterator[Line]:
        """Give every command in order; `merged_into` names the complaint a merged one joins."""
        self._register()
        if self.plan.ending is None:
            self._accept()
            self._handle(self.plan.pace)
        else:
            self._end(self.plan.ending, merged_into)
        return iter(self.course)

    def _take(self, command: str, actor: str, least: int = 0, most: int = 0, **data: Any) -> None:
        """Take a step some working days after the last."""
        self.day = self.year.after(self.day, self.random, least, most)
        self.course.take(command, actor, self.day, **data)

    def _register(self) -> None:
        plan, random = self.plan, self.random
        earlier = 0 if plan.urgent else random.randint(0, 6)
        received = max(self.year.before(plan.day, earlier), self._first_day())
        data: dict[str, Any] = {
            "channel": self._entered_channel(),
            "pollution": self.pollution,
            "urgent": plan.urgent,
            "repeat": random.random() < 1 / 10,
            "content": SUBJECTS[self.pollution],
        }
        if (reporter := self._reporter()) is not None:
            data["reporter"] = reporter
        if (target := self._target()) is not None:
            data["target"] = target
        self.course.take("register", self.clerk, received, **data)
        self._object(received)
        if plan.corrected == "channel":
            self._correct("register", {"channel": self.channel}, "举报渠道录入笔误", received)

    def _first_day(self) -> date:
        """The first working day of the year of acceptance: a complaint is not registered before."""
        return self.year.workdays[0] if self.plan.day in self.year else self.plan.day

    def _entered_channel(self) -> str:
        if self.plan.corrected == "channel":
            return "web" if self.channel == "wechat" else "wechat"
        return self.channel

    def _reporter(self) -> dict[str, Any] | None:
        """Who reported: by name or not, and with a phone only where they can be reached."""
        kind = self.random.random()
        if self.plan.contact:
            if kind < 1 / 10:
                return {**self.people.organisation()}
            person = self.people.individual()
            if kind < 3 / 10:
                del person["name"]
            return person
        return self.people.individual(phone=False) if kind < 1 / 10 else None

    def _target(self) -> dict[str, Any] | None:
        kind = self.random.random()
        if kind < 1 / 10:
            return None
        return self.people.organisation() if kind < 9 / 10 else self.people.individual(phone=False)

    def _object(self, received: date) -> None:
        """Object to a transfer within five working days; the complaint stays unless it returns."""
        returned = self.plan.ending == "returned"
        there = self.plan.ending is None and self.plan.corrected is None and not self.plan.urgent
        if not returned and not (
            there and self.channel == "transferred" and self.random.random() < 1 / 2
        ):
            return
        objected = min(self.year.after(received, self.random, 0, 4), self.plan.day)
        self.course.take("object-to-transfer", self.clerk, objected, reason="疑不属本区管辖")
        if not returned:
            reason = "转送机关核实后维持转送"
            self.course.take("dismiss-objection", self.clerk, self.plan.day, reason=reason)

    def _end(self, ending: Ending, merged_into: str) -> None:
        told, clerk, random = self.plan.contact, self.clerk, self.random
        if ending == "declined":
            ground = random.choice(("not_environmental", "statutory_route", "duplicate"))
            self._take("decline", clerk, ground=ground, told=told, reason="不属受理范围")
        elif ending == "transferred":
            to = random.choice(("TN-URBAN-MANAGEMENT", "TN-WATER", "TN-AGRICULTURE"))
            self._take("transfer", clerk, to=to, told=told, reason="属其他部门职责")
        elif ending == "merged":
            self._take("merge", clerk, into=merged_into)
        elif ending == "withdrawn":
            self._take("withdraw", clerk, reason="举报人要求撤回")
        else:
            self._take("uphold-objection", clerk, 0, 2, reason="转送机关同意收回")

    def _accept(self) -> None:
        petition_type = "enforcement" if self.enforcement else "grievance"
        self._take("accept", self.clerk, petition_type=petition_type, told=self.plan.contact)
        if self.plan.corrected == "time":
            signed = self.course.taken[-1].at.replace(second=30)
            changes = {"occurred_at": signed.isoformat()}
            self._correct("accept", changes, "以受理告知书落款时间为准", self.day)
        if self.plan.urgent:
            content = "已赶赴现场处置"
            self._take("report-emergency", self.clerk, to="CQ-ECOLOGY-BUREAU", content=content)

    def _handle(self, pace: Pace) -> None:
        """Assign, investigate and answer, as far as the plan says."""
        stop, accepted, gaps = self.plan.stop, self.day, GAPS[pace]
        most = 1 if pace == "brisk" else 2
        lead, second = self.officers
        if stop == "accepted":
            return
        self._take("assign", self.clerk, 0, most, handlers=[lead, second])
        self._take("investigate", lead, 0, most)
        if self.enforcement and not self._taken("turn-into-clue"):
            self._take("turn-into-clue", lead, facts=SUBJECTS[self.pollution])
        if stop == "investigating":
            return
        if pace == "long":
            self._extend(accepted)
        self._conclude(lead, *gaps["conclude"])
        if stop == "investigated":
            return
        self._take("draft-answer", lead, *gaps["draft"], answer="已依法调查处理")
        if stop == "drafted":
            return
        if pace != "brisk" and self.random.random() < 1 / 12:
            self._take("return-draft", self.leader, reason="请写明整改期限")
            self._take("draft-answer", lead, answer="已责令限期整改")
        self._take("sign-answer", self.leader, 0, 1)
        if stop == "signed":
            return
        if not self.plan.contact:
            self._take("close-unreachable", self.clerk, 0, 2 if pace != "brisk" else 0)
            return
        self._answer(gaps)

    def _extend(self, accepted: date) -> None:
        """Extend the sixty days by enough for the longest handling."""
        decided = self.year.workday(accepted, EXTENDED_AFTER)
        latest = self.year.workday(accepted, LONGEST)
        wanted = (latest - accepted).days - self._allowed("grievance")
        days = self.random.choice([days for days in EXTENSIONS if days >= wanted] or [30])
        told = self.plan.contact
        self.course.take(
            "extend-handling", self.leader, decided, days=days, told=told, reason="需等待监测报告"
        )

    def _conclude(self, lead: str, least: int, most: int) -> None:
        # Counted from the investigation's beginning, also where an extension lies between.
        finding, measures = self.random.choice(OUTCOMES)
        if self.enforcement:
            measures = ["prosecuted"]
        self.day = max(self.year.after(self.day, self.random, least, most), self._last_day())
        self.course.take(
            "conclude-investigation", lead, self.day, finding=finding, measures=measures,
            visited_on=self.day.isoformat(), facts="已现场核查",
        )  # fmt: skip

    def _answer(self, gaps: dict[str, tuple[int, int]]) -> None:
        """Reply and call back; who is unsatisfied gets the matter handled once more."""
        method = self.random.choice(("phone", "written", "online", "in_person"))
        self._take("reply", self.clerk, *gaps["reply"], method=method, told_remedies=True)
        again = self.plan.reopened and not self._taken("reopen")
        outcome = "unsatisfied" if again else self._outcome()
        self._take("call-back", self.caller, *gaps["call-back"], outcome=outcome)
        if again:
            self._take("reopen", self.clerk, 0, 1, reason="举报人反映问题仍未消除")
            self._handle("brisk")
            return
        self._take("close", self.clerk, 0, 1)

    def _outcome(self) -> str:
        """How the last call went; after a second handling it may still be unsatisfied."""
        outcomes = ["satisfied", "satisfied", "satisfied", "satisfied", "unreached"]
        return self.random.choice([*outcomes, "unsatisfied"] if self.plan.reopened else outcomes)

    def _correct(self, target: str, changes: dict[str, Any], reason: str, day: date) -> None:
        course = self.course
        course.take("propose-correction", self.clerk, day, target=target, occurrence=0,
                    changes=changes, reason=reason)  # fmt: skip
        course.take("correct", self.caller, day, opinion="与原始记录一致")

    def _allowed(self, petition_type: str) -> int:
        """The calendar days in which a complaint of this type is to be answered."""
        period = rules.handling_period(petition_type, self.plan.day)
        return rules.PERIODS.at(period, self.plan.day).length

    def _taken(self, command: str) -> bool:
        return any(line.command == command for line in self.course.taken)

    def _last_day(self) -> date:
        return self.course.taken[-1].at.date()
