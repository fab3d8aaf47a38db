"""The articles that penalty cases rest on, each with its mark and dates of effect."""

from __future__ import annotations

from datetime import date

from shared.law import Article, Mark

CODE = date(2026, 8, 15)
"""生态环境法典 in force; the laws it repeals end the day before."""


def penalty_law(number: str) -> Article:
    """An article of the 行政处罚法 (2021), as read in the original."""
    return Article(f"行政处罚法{number}", Mark.V, date(2021, 7, 15))


def measure_30(number: str, mark: Mark = Mark.M) -> Article:
    """An article of the 生态环境行政处罚办法 (部令30号, 2023)."""
    return Article(f"生态环境行政处罚办法（部令30号）{number}", mark, date(2023, 7, 1))


def coercion_law(number: str) -> Article:
    """An article of the 行政强制法."""
    return Article(f"行政强制法{number}", Mark.V, date(2012, 1, 1))


FOUR_CONDITIONS = measure_30("19")
TWO_OFFICERS = penalty_law("42")
LIMITATION = penalty_law("36")
FILING_DAYS = measure_30("18", Mark.VS)
DECISION_DAYS = penalty_law("60")
DECISION_PAUSES = measure_30("57", Mark.VS)
INVESTIGATION = penalty_law("54、55")
REVIEWERS_APART = Article("环执法发〔2024〕4号 案卷评查细则 重大问题21", Mark.V, date(2024, 1, 1))
RESULT_TOLD = Article("环执法发〔2024〕4号 案卷评查细则 14", Mark.V, date(2024, 1, 1))
VOTERS_APART = Article("环执法发〔2024〕4号 案卷评查细则 18", Mark.V, date(2024, 1, 1))
AGAIN_DISCUSSED = Article("环执法发〔2024〕4号 案卷评查细则 错误21", Mark.V, date(2024, 1, 1))
AGAIN_REVIEWED = Article("环执法发〔2024〕4号 案卷评查细则 错误23", Mark.V, date(2024, 1, 1))
SEIZURE_ENDS = Article("环执法发〔2024〕4号 案卷评查细则 重大问题25", Mark.V, date(2024, 1, 1))
NOTICE = penalty_law("44、62")
STATEMENT = penalty_law("45")
STATEMENT_DAYS = measure_30("44", Mark.V1)
HEARING = penalty_law("63、64")
HEARING_THRESHOLD = Article("重庆市行政处罚听证程序规定（渝府令354号）", Mark.VS, date(2023, 3, 1))
HEARING_DAYS = penalty_law("64（一）")
HEARING_NOTICE = penalty_law("64（二）")
HEARING_HOST = penalty_law("64（四）")
LEGAL_REVIEW = penalty_law("58")
LEGAL_APART = Article("法制审核人员不得为本案调查人员", Mark.E, date(2021, 7, 15))
DISCUSSION = penalty_law("57Ⅱ")
DISCUSSION_SUM = measure_30("52")
DECISION = penalty_law("57、59")
RANGE = penalty_law("5、34")
REDUCTION = penalty_law("32")
EXEMPTION = penalty_law("33")
LIGHTER_LAW = penalty_law("37")
SERVICE = penalty_law("61")
PAYMENT = penalty_law("66、67")
PAYMENT_APART = penalty_law("67")
CLOSING = measure_30("结案")
REVOCATION = penalty_law("75")
DISMISSAL = measure_30("20")
CORRECTION_ORDER = penalty_law("28")
SEIZURE = coercion_law("18、24、25")
SEIZURE_DAYS = coercion_law("25")
RELEASE = coercion_law("28")
TRANSFER = Article("行政处罚法27；行政执法机关移送涉嫌犯罪案件的规定5", Mark.V, date(2021, 7, 15))
TRANSFER_PAUSE = Article("环境保护行政执法与刑事司法衔接工作办法16", Mark.V, date(2017, 1, 25))
CATALOGUE = Article("渝环函〔2021〕674号 综合行政执法事项清单", Mark.VS, date(2022, 1, 1))
