"""What is counted, and by what it is told apart: the columns of the rollups.

A *flow* is counted on its day; a *stock* (what is in force) goes up and down, and stands at the
sum of all days so far.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """One column of the rollups; `unit` in Chinese."""

    name: str
    title: str
    unit: str
    stock: bool = False


@dataclass(frozen=True, slots=True)
class Dimension:
    """One column of the combinations."""

    name: str
    title: str


MEASURES: tuple[Measure, ...] = (
    Measure("clues", "线索登记", "条"),
    Measure("filed", "立案", "件"),
    Measure("penalised", "行政处罚(不含已撤销)", "件"),
    Measure("minimum_penalty", "法定最低处罚", "件"),
    Measure("fined_fen", "罚款金额", "分"),
    Measure("exempted", "轻微违法不予处罚", "件"),
    Measure("seizures", "查封扣押案件", "件"),
    Measure("transferred", "移送公安机关案件", "件"),
    Measure("cases_closed", "结案", "件"),
    Measure("catalogue_items", "认领的执法事项", "项", stock=True),
    Measure("applications", "许可收件", "件"),
    Measure("approved", "准予许可", "件"),
    Measure("refused", "不予许可", "件"),
    Measure("issued", "发放许可证", "件"),
    Measure("complaints", "投诉举报登记", "件"),
    Measure("accepted", "投诉举报受理", "件"),
    Measure("handled", "已调查处理(按受理日)", "件"),
    Measure("reachable", "留有联系方式(按受理日)", "件"),
    Measure("replied", "已答复(按受理日)", "件"),
    Measure("mediators", "专职人民调解员", "人", stock=True),
    Measure("cross_events", "多跨事件", "个", stock=True),
)
BY_NAME = {measure.name: measure for measure in MEASURES}

DIMENSIONS: tuple[Dimension, ...] = (
    Dimension("service", "服务"),
    Dimension("procedure", "程序"),
    Dimension("kind", "类别(案由、事项、污染类型)"),
    Dimension("channel", "渠道(线索来源、申请渠道、举报渠道)"),
)
"""Beside the bureau, by which every query is scoped."""
