"""The articles that permits rest on, each with its mark and dates of effect."""

from __future__ import annotations

from datetime import date, timedelta

from shared.law import Article, Mark

CODE = date(2026, 8, 15)
"""生态环境法典 in force; the laws it repeals end the day before."""

_BEFORE_CODE = CODE - timedelta(days=1)


def licensing_law(number: str) -> Article:
    """An article of the 行政许可法, whose days are all working days (82)."""
    return Article(f"行政许可法{number}", Mark.V, date(2004, 7, 1))


def discharge_rules(number: str) -> Article:
    """An article of the 排污许可管理条例."""
    return Article(f"排污许可管理条例{number}", Mark.V, date(2021, 3, 1))


def radiation_rules(number: str) -> Article:
    """An article of the 放射性同位素与射线装置安全和防护条例."""
    return Article(f"放射性同位素与射线装置安全和防护条例{number}", Mark.V, date(2005, 12, 1))


def project_rules(number: str) -> Article:
    """An article of the 建设项目环境保护管理条例, as amended in 2017."""
    return Article(f"建设项目环境保护管理条例{number}", Mark.V, date(2017, 10, 1))


def bureau_rule(text: str) -> Article:
    """A rule of the bureau or of this platform, not of law; as old as the 行政许可法."""
    return Article(text, Mark.E, date(2004, 7, 1))


RECEIPT = licensing_law("29、32")
KINDS = bureau_rule("行政许可事项清单：事项与办理类型")
SERIAL = bureau_rule("同一渠道的申办流水号不得重复")
ACCEPTANCE = licensing_law("32（四）、（五）")
ACCEPTANCE_DISCHARGE = discharge_rules("9（四）")
NOT_ACCEPTED = licensing_law("32（一）、（二）")
SUPPLEMENT_PAUSE = bureau_rule("补正期间不计入办理期限")
LAPSE = bureau_rule("告知的补正期限届满未补正，按逾期不补办结")
WITHDRAWAL = bureau_rule("行政许可决定作出前，申请人可以撤回申请")

EIA_FORMER = Article("环境影响评价法22", Mark.V, date(2018, 12, 29), _BEFORE_CODE)
EIA_CODE = Article("生态环境法典102Ⅱ", Mark.V1, CODE)
EIA_RECEIPT = project_rules("9")
EIA_PROCEDURE = Article(
    "建设项目环境影响报告书（表）审批程序规定（部令14号）", Mark.VS, date(2021, 1, 1)
)
EIA_REFUSAL = project_rules("11")
"""不予批准的五种情形, repeated by 法典105."""
NOTICE = Article("渝环〔2014〕1号 受理公示", Mark.VS, date(2014, 1, 1))
PROPOSAL_NOTICE = Article("环办〔2013〕103号 拟审批公示", Mark.M, date(2014, 1, 1))
FULL_TEXT = Article("环境保护法56Ⅱ（2026-08-15起生态环境法典103）", Mark.V, date(2015, 1, 1))

DISCHARGE_NEW = discharge_rules("12")
DISCHARGE_RENEWAL = discharge_rules("14")
DISCHARGE_CHANGE = discharge_rules("14Ⅲ")
RADIATION = radiation_rules("9")
AUTHORITY = Article(
    "排污许可管理条例6；放射性同位素与射线装置安全和防护条例6", Mark.V, date(2021, 3, 1)
)
LICENCE_TERM = Article(
    "排污许可管理条例14；放射性同位素与射线装置安全和防护条例13", Mark.V, date(2021, 3, 1)
)
GENERAL = licensing_law("42")
EXCLUDED = licensing_law("45")
HEARING_OR_REVIEW = licensing_law("45、46、47")
REVIEW = licensing_law("34")
APART = bureau_rule("审查与决定由不同人员办理")
DECISION = licensing_law("38")
CERTIFICATE = licensing_law("39、44")
ENTRUSTED = licensing_law("24")
REVOCATION = licensing_law("69")
CANCELLATION = licensing_law("70")
COMMITTED = bureau_rule("承诺办理时限（法定公示期除外）")
