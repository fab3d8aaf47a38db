"""The articles that complaints rest on, each with its mark and dates of effect."""

from __future__ import annotations

from datetime import date, timedelta

from shared.law import Article, Mark

REGULATIONS = date(2022, 5, 1)
"""信访工作条例 in force, in place of the 信访条例 of 2005."""


def petition(number: str, mark: Mark = Mark.V) -> Article:
    """An article of the 信访工作条例 (2022)."""
    return Article(f"信访工作条例{number}", mark, REGULATIONS)


def former_petition(number: str) -> Article:
    """An article of the 信访条例 (2005), which the former repeals."""
    return Article(f"信访条例{number}", Mark.M, date(2005, 5, 1), REGULATIONS - timedelta(days=1))


def hotline(number: str) -> Article:
    """An article of the 环保举报热线工作管理办法 (部令15号); whether it still holds is open."""
    return Article(f"环保举报热线工作管理办法（部令15号）{number}", Mark.VS, date(2011, 3, 1))


REGISTRATION = petition("22、23", Mark.M)
NOTICE = petition("23")
OBJECTION = petition("23")
DECLINING = hotline("8")
URGENT = hotline("8")
ASSIGNMENT = hotline("10")
RECUSAL = petition("关于回避的规定", Mark.M)
STATUTORY_DUTY = petition("31（五）")
HANDLING = petition("34")
EXTENSION = petition("34")
REVIEW = petition("35")
RECONSIDERATION_FIRST = Article("行政复议法23", Mark.V, date(2024, 1, 1))
TWO_OFFICERS = Article("行政处罚法42", Mark.V, date(2021, 7, 15))
CLUE_DAYS = Article("生态环境行政处罚办法（部令30号）18", Mark.VS, date(2023, 7, 1))
SIGNER_APART = Article("答复由承办人以外的负责人签发", Mark.E, date(2005, 5, 1))
CALLER_APART = Article("回访由承办人以外的人进行", Mark.E, date(2005, 5, 1))
REWORK = Article("回访不满意的退回重办一次", Mark.E, date(2005, 5, 1))
FEEDBACK = Article("信访工作条例34；生态环境法典146", Mark.V1, REGULATIONS)
"""Whoever can be reached is answered; since the code a real name must be given feedback."""
MEDIATORS = Article("人民调解法13、14", Mark.M, date(2011, 1, 1))
CROSS_EVENTS = Article("数字重庆多跨事件由承接单位认领", Mark.E, date(2022, 1, 1))
