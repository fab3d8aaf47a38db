"""Articles of law, and how far each one has been verified.

Every rule of the platform is a row or a pure function that carries an `Article`: what
a page, a refusal or a report cites is this, never a string of its own. An article
whose text nobody has read at its source is shown as 须法制科核对 (the legal section
must check it); correcting it means correcting the row.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

CHECK_NOTICE = "须法制科核对"


class Mark(StrEnum):
    """How an article was verified (验证标记)."""

    V = "V"
    V1 = "V1"
    VS = "VS"
    VC = "VC"
    M = "M"
    E = "E"

    @property
    def label(self) -> str:
        """The mark in Chinese, for whoever reads the rule on a page."""
        return _LABELS[self]

    @property
    def needs_check(self) -> bool:
        """Whether the legal section must still read the original text."""
        return self in _UNREAD


_LABELS = {
    Mark.V: "已读条文原文",
    Mark.V1: "仅有一个转载来源",
    Mark.VS: "二手来源证实",
    Mark.VC: "见于公开代码",
    Mark.M: "凭记忆，未见原文",
    Mark.E: "工程约定，不是法律",
}
_UNREAD = frozenset({Mark.V1, Mark.VS, Mark.M})


@dataclass(frozen=True, slots=True)
class Article:
    """One article (条文), such as 行政处罚法60, and the days it is in force.

    Both days are included: a law repealed by another that takes effect on 2026-08-15
    has `effective_to` 2026-08-14. `None` is a law still in force.
    """

    text: str
    mark: Mark
    effective_from: date
    effective_to: date | None = None

    def __post_init__(self) -> None:
        """Refuse an article that ends before it begins."""
        if self.effective_to is not None and self.effective_to < self.effective_from:
            msg = f"{self.text}: effective_to lies before effective_from"
            raise ValueError(msg)

    def at(self, day: date) -> bool:
        """Whether the article is in force on `day`."""
        return self.effective_from <= day and (
            self.effective_to is None or day <= self.effective_to
        )

    @property
    def citation(self) -> str:
        """The article as a reader sees it, with the notice where it is unverified."""
        return f"{self.text}（{CHECK_NOTICE}）" if self.mark.needs_check else self.text

    def as_json(self) -> dict[str, str | bool | None]:
        """Return the article as the API and problem details show it."""
        until = None if self.effective_to is None else self.effective_to.isoformat()
        return {
            "text": self.text,
            "mark": self.mark.value,
            "mark_label": self.mark.label,
            "needs_check": self.mark.needs_check,
            "effective_from": self.effective_from.isoformat(),
            "effective_to": until,
        }
