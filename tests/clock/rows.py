"""Periods the clock's tests count with, as a service would write them."""

from datetime import date

from shared.clock.period import Extension, PauseGround, Period, Roll, Unit
from shared.law import Article, Mark

PENALTY_60 = Article("行政处罚法60", Mark.V, date(2021, 7, 15))
ORDER_30_57 = Article("生态环境部令30号57", Mark.VS, date(2023, 7, 1))
ORDER_30_ANNEX = Article("生态环境部令30号附则", Mark.M, date(2023, 7, 1))
COERCION_25 = Article("行政强制法25", Mark.V, date(2012, 1, 1))
DISCLOSURE_33 = Article("政府信息公开条例33", Mark.V, date(2019, 5, 15))
DISCLOSURE_32 = Article("政府信息公开条例32", Mark.V, date(2019, 5, 15))
LIMITS_15 = Article("环境保护部令30号(2014)15", Mark.V, date(2015, 1, 1))
PAYMENT_66 = Article("行政处罚法66", Mark.V, date(2021, 7, 15))

NINETY_DAYS = Period(
    code="decision",
    title="作出处罚决定的期限",
    length=90,
    unit=Unit.CALENDAR,
    roll=Roll.FORWARD,
    article=PENALTY_60,
    extensions=(
        Extension(30, ORDER_30_57, "负责人"),
        Extension(30, ORDER_30_57, "集体讨论"),
    ),
    pauses=(
        PauseGround("HEARING", "听证", ORDER_30_57),
        PauseGround("MONITOR", "监测", ORDER_30_57),
    ),
    roll_article=ORDER_30_ANNEX,
)
SEIZURE = Period(
    code="seizure",
    title="查封期限",
    length=30,
    unit=Unit.CALENDAR,
    roll=Roll.NONE,
    article=COERCION_25,
    extensions=(Extension(30, COERCION_25, "负责人"),),
    pauses=(PauseGround("APPRAISE", "检测鉴定", COERCION_25),),
)
PAYMENT = Period("payment", "缴纳罚款的期限", 15, Unit.CALENDAR, Roll.FORWARD, PAYMENT_66)
REPLY = Period(
    code="reply",
    title="答复公开申请的期限",
    length=20,
    unit=Unit.WORKING,
    roll=Roll.NONE,
    article=DISCLOSURE_33,
    extensions=(Extension(20, DISCLOSURE_33, "公开工作机构负责人"),),
    pauses=(PauseGround("THIRD_PARTY", "征求第三方意见", DISCLOSURE_32),),
)
THREE_MONTHS = Period(
    code="limited-production",
    title="限制生产的期限",
    length=3,
    unit=Unit.MONTH,
    roll=Roll.NONE,
    article=LIMITS_15,
    extensions=(Extension(3, LIMITS_15, "负责人"),),
    pauses=(PauseGround("COURT", "诉讼停止执行", LIMITS_15),),
)
