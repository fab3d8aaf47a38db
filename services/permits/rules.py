"""The law of permits as rows and pure functions: limits by item and kind, notices, terms."""

from __future__ import annotations

from datetime import date, timedelta

from services.permits import articles
from shared.clock.period import (
    Extension,
    PauseGround,
    Period,
    Periods,
    Roll,
    Unit,
    add_months,
)
from shared.law import Article

EIA = frozenset({"eia_report", "eia_form"})
DISCHARGE = frozenset({"discharge_key", "discharge_simplified"})
LICENSED = DISCHARGE | {"radiation"}
"""Items whose licence bears a term of five years, and an authority that is not the district's."""

KINDS = {
    "eia_report": frozenset({"new", "change"}),
    "eia_form": frozenset({"new", "change"}),
    "discharge_key": frozenset({"new", "renewal", "change", "reissue"}),
    "discharge_simplified": frozenset({"new", "renewal", "change", "reissue"}),
    "radiation": frozenset({"new", "renewal", "change", "reissue"}),
    "other": frozenset({"new", "renewal", "change", "reissue"}),
}
"""The kinds of application each item knows."""

NOTICE_DAYS = {"eia_report": 10, "eia_form": 5}
"""受理公示, working days at least (渝环〔2014〕1号)."""

PROPOSAL_NOTICE_DAYS = 5
"""拟审批公示, working days at least (环办〔2013〕103号)."""

LICENCE_MONTHS = 60
"""Five years (排污许可管理条例14, 放射条例13)."""

_STOPS_ANY = frozenset({"hearing", "expert_review", "testing", "appraisal"})
"""What 行政许可法45 leaves out of every limit: 听证、专家评审、检验检测、鉴定."""


def _working(
    code: str,
    title: str,
    length: int,
    article: Article,
    *,
    pauses: tuple[PauseGround, ...] = (),
    extensions: tuple[Extension, ...] = (),
) -> Period:
    return Period(code, title, length, Unit.WORKING, Roll.NONE, article, extensions, pauses)


def _special(article: Article) -> PauseGround:
    return PauseGround("SPECIAL", "特别程序", article)


def _notices(first: Article, second: Article) -> tuple[PauseGround, ...]:
    return (
        PauseGround("NOTICE", "受理公示", first),
        PauseGround("PROPOSAL", "拟审批公示", second),
    )


_SUPPLEMENT = PauseGround("SUPPLEMENT", "补正", articles.SUPPLEMENT_PAUSE)
_EIA_PAUSES = (
    *_notices(articles.NOTICE, articles.PROPOSAL_NOTICE),
    _special(articles.EIA_PROCEDURE),
    _SUPPLEMENT,
)
_LAW_45 = (_special(articles.EXCLUDED), _SUPPLEMENT)
_COMMITTED_PAUSES = (
    *_notices(articles.COMMITTED, articles.COMMITTED),
    _special(articles.COMMITTED),
)
_TEN_MORE = (Extension(10, articles.GENERAL, "局领导"),)
_SITE_CHECK = (Extension(15, articles.DISCHARGE_NEW, "现场核查"),)


def _committed(code: str, title: str, length: int) -> Period:
    return _working(
        code, f"承诺时限（{title}）", length, articles.COMMITTED, pauses=_COMMITTED_PAUSES
    )


PERIODS = Periods(
    [
        _working("acceptance", "受理审查期限", 5, articles.ACCEPTANCE),
        _working("acceptance-discharge", "受理审查期限", 3, articles.ACCEPTANCE_DISCHARGE),
        _working("publication", "受理后公开期限", 1, articles.NOTICE),
        _working(
            "eia-report", "法定时限（环评报告书）", 60, articles.EIA_FORMER, pauses=_EIA_PAUSES
        ),
        _working("eia-report", "法定时限（环评报告书）", 60, articles.EIA_CODE, pauses=_EIA_PAUSES),
        _working("eia-form", "法定时限（环评报告表）", 30, articles.EIA_FORMER, pauses=_EIA_PAUSES),
        _working("eia-form", "法定时限（环评报告表）", 30, articles.EIA_CODE, pauses=_EIA_PAUSES),
        _working(
            "discharge-key",
            "法定时限（排污许可 重点管理）",
            30,
            articles.DISCHARGE_NEW,
            pauses=_LAW_45,
            extensions=_SITE_CHECK,
        ),
        _working(
            "discharge-simplified",
            "法定时限（排污许可 简化管理）",
            20,
            articles.DISCHARGE_NEW,
            pauses=_LAW_45,
        ),
        _working(
            "discharge-renewal",
            "法定时限（排污许可 延续）",
            20,
            articles.DISCHARGE_RENEWAL,
            pauses=_LAW_45,
        ),
        _working(
            "discharge-change",
            "法定时限（排污许可 变更）",
            10,
            articles.DISCHARGE_CHANGE,
            pauses=_LAW_45,
        ),
        _working("radiation", "法定时限（辐射安全许可）", 20, articles.RADIATION, pauses=_LAW_45),
        _working("general", "法定时限", 20, articles.GENERAL, pauses=_LAW_45, extensions=_TEN_MORE),
        _committed("committed-eia", "环评", 5),
        _committed("committed-discharge", "排污许可", 10),
        _committed("committed-discharge-change", "排污许可 变更", 5),
        _committed("committed-radiation", "辐射安全许可", 10),
        _committed("committed-other", "其他事项", 10),
        _working("certificate", "颁证期限", 10, articles.CERTIFICATE),
    ]
)


def acceptance_code(item: str) -> str:
    """The period in which to accept or to ask for a supplement: 5 working days, discharge 3."""
    return "acceptance-discharge" if item in DISCHARGE else "acceptance"


def statutory_code(item: str, kind: str) -> str:
    """The statutory period (法定时限) of an item and kind.

    A radiation licence's change and renewal have no limit in 放射条例11 and 13 but the licence's
    own expiry, so the general one of 行政许可法42 holds.
    """
    if item in EIA:
        return item.replace("_", "-")
    if item in DISCHARGE:
        if kind in {"renewal", "change"}:
            return f"discharge-{kind}"
        return item.replace("_", "-")
    return "radiation" if item == "radiation" and kind == "new" else "general"


def committed_code(item: str, kind: str) -> str:
    """The committed period (承诺时限) of an item and kind, from acceptance."""
    if item in EIA:
        return "committed-eia"
    if item in DISCHARGE:
        return "committed-discharge-change" if kind == "change" else "committed-discharge"
    return f"committed-{item}"


def stops_the_clock(item: str, procedure: str) -> bool:
    """Whether a special procedure is left out of the limits.

    行政许可法45 names hearing, expert review, testing and appraisal. The technical review
    (技术评估) of an EIA is left out by 部令14号, that of any other item by nothing.
    """
    return procedure in _STOPS_ANY or (procedure == "technical_review" and item in EIA)


def term_ends(valid_from: date) -> date:
    """The last day of a licence's five years."""
    return add_months(valid_from, LICENCE_MONTHS) - timedelta(days=1)
