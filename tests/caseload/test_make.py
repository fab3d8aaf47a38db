"""`ecocase caseload`: the whole file, from whichever figures it is made."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import orjson
import pytest

from services.cases.workflow import PROCEDURES as CASES
from services.complaints.workflow import PROCEDURES as COMPLAINTS
from services.launch.caseload.make import SHIPPED, make, read_figures
from services.permits.workflow import PROCEDURES as PERMITS
from tests.replay import Replay

PROCEDURES = {"cases": CASES, "permits": PERMITS, "complaints": COMPLAINTS}


def test_a_file_is_named_after_its_seed_and_ordered_by_time() -> None:
    first, *lines = [orjson.loads(line) for line in make(2024, 7)]
    assert first == {"caseload": "2024-seed-7"}
    times = [datetime.fromisoformat(line["at"]) for line in lines]
    assert times == sorted(times)
    assert {line["service"] for line in lines} == set(PROCEDURES)


def test_every_line_is_lawful_where_it_stands() -> None:
    replays = {service: Replay(procedures) for service, procedures in PROCEDURES.items()}
    _, *lines = [orjson.loads(line) for line in make(2024, 8)]
    for line in lines:
        replays[line["service"]].take(
            line["ref"],
            line["command"],
            line["actor"],
            datetime.fromisoformat(line["at"]),
            line["data"],
        )
    assert all(replay.cases for replay in replays.values())


def test_the_same_seed_writes_the_same_file_and_another_another() -> None:
    assert list(make(2024, 7)) == list(make(2024, 7))
    assert list(make(2024, 7))[1:] != list(make(2024, 8))[1:]


def test_a_callers_own_figures_are_part_of_the_name(tmp_path: Path) -> None:
    figures = tmp_path / "figures.csv"
    figures.write_text(SHIPPED.read_text("utf-8"), "utf-8-sig")
    name, *lines = make(2024, 7, figures)
    assert orjson.loads(name)["caseload"].startswith("2024-seed-7-")
    assert lines == list(make(2024, 7))[1:]


def test_the_shipped_figures_are_the_eighty_of_the_report() -> None:
    figures = read_figures(SHIPPED.read_text("utf-8"))
    assert len(figures) == 80
    assert figures["cases.penalised"] == 26
    assert str(figures["inspections.monitoring.transmission_rate"]) == "98.41"


@pytest.mark.parametrize(
    "content, reason",
    [
        ("name,number\ncases.penalised,26\n", "须有 id 和 value 两列"),
        ("", "须有 id 和 value 两列"),
        ("id,value\ncases.penalised,二十六\n", "指标 cases.penalised 的值“二十六”不是数字"),
        ("id,value\ncases.penalised,NaN\n", "不是数字"),
        ("id,value\ncases.penalised\n", "不是数字"),
        ("id,value\ncases.penalised,26\n", "缺少指标 cases."),
    ],
)
def test_a_file_that_is_no_figures_file_is_refused_before_the_first_line(
    tmp_path: Path, content: str, reason: str
) -> None:
    figures = tmp_path / "figures.csv"
    figures.write_text(content, "utf-8")
    with pytest.raises(ValueError, match=reason):
        next(make(2024, 1, figures))


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    figures = tmp_path / "figures.csv"
    figures.write_bytes("id,value\n案件,1\n".encode("gb18030"))
    with pytest.raises(ValueError, match="不是 UTF-8 编码"):
        next(make(2024, 1, figures))
