"""Articles: when they are in force, and what is shown as unverified."""

from datetime import date, timedelta

import pytest

from shared.law import Article, Mark

REPEALED = Article("环境影响评价法31", Mark.V, date(2018, 12, 29), date(2026, 8, 14))
CODE = Article("生态环境法典1095", Mark.V1, date(2026, 8, 15))


@pytest.mark.parametrize("mark", [Mark.V1, Mark.VS, Mark.M])
def test_an_article_nobody_read_at_its_source_is_shown_as_unverified(mark: Mark) -> None:
    article = Article("部令30号57", mark, date(2023, 7, 1))
    assert article.citation == "部令30号57（须法制科核对）"
    assert article.as_json()["needs_check"] is True


@pytest.mark.parametrize("mark", [Mark.V, Mark.VC, Mark.E])
def test_a_verified_article_is_cited_bare(mark: Mark) -> None:
    assert Article("行政处罚法60", mark, date(2021, 7, 15)).citation == "行政处罚法60"
    assert not mark.needs_check


def test_every_mark_has_its_own_chinese_label() -> None:
    labels = {mark.label for mark in Mark}
    assert len(labels) == len(Mark)


def test_the_old_law_ends_on_the_day_before_the_code_begins() -> None:
    last, first = date(2026, 8, 14), date(2026, 8, 15)
    assert (REPEALED.at(last), CODE.at(last)) == (True, False)
    assert (REPEALED.at(first), CODE.at(first)) == (False, True)
    assert not REPEALED.at(date(2018, 12, 28))


def test_an_article_is_shown_with_its_dates() -> None:
    assert REPEALED.as_json() == {
        "text": "环境影响评价法31",
        "mark": "V",
        "mark_label": "已读条文原文",
        "needs_check": False,
        "effective_from": "2018-12-29",
        "effective_to": "2026-08-14",
    }
    assert CODE.as_json()["effective_to"] is None


def test_an_article_cannot_end_before_it_begins() -> None:
    begins = date(2026, 8, 15)
    with pytest.raises(ValueError, match="effective_to"):
        Article("生态环境法典1095", Mark.V1, begins, begins - timedelta(days=1))
