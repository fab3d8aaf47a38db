"""Parties that do not exist: synthetic names, with numbers whose check digits are right."""

from __future__ import annotations

from typing import Any

from stdnum.cn import ric, uscc

REGION = "500152"
"""行政区划代码 of 重庆市潼南区."""

TRADES = ("表面处理", "铸造", "建材", "食品", "家具", "塑料", "印刷", "养殖", "化工", "机械")


class People:
    """Makes parties one after another, each with its own number, the same in every run."""

    def __init__(self) -> None:
        self._organisations = 0
        self._individuals = 0

    def organisation(self) -> dict[str, Any]:
        """The next enterprise, as a `Person`: 统一社会信用代码 by GB 32100."""
        self._organisations += 1
        number = self._organisations
        trade = TRADES[number % len(TRADES)]
        body = f"91{REGION}MA{number:07}"
        return {
            "kind": "organisation",
            "name": f"示例{trade}厂-{number:04}",
            "code": body + uscc.calc_check_digit(body),
            "address": f"重庆市潼南区示例工业园{number}号",
        }

    def individual(self, *, id_number: bool = False, phone: bool = True) -> dict[str, Any]:
        """The next natural person, as a `Person`; 公民身份号码 (GB 11643) where asked.

        Birth dates lie in 2099 and mobile numbers in 199 0000, so that neither is anybody's.
        """
        self._individuals += 1
        number = self._individuals
        person: dict[str, Any] = {"kind": "individual", "name": f"示例群众{number:04}"}
        if phone:
            person["phone"] = f"1990000{number % 10_000:04}"
        if id_number:
            month, order = number // 1000 % 12 + 1, number % 1000
            body = f"{REGION}2099{month:02}01{order:03}"
            person["id_number"] = body + ric.calc_check_digit(f"{body}0")
        return person
