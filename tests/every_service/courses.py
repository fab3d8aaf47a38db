"""Lawful courses that together take every row of every procedure at least once.

Most come from the synthetic year, as few of its cases as will do. A row that the year does not
take is added at the end of some course where the law allows it, by its example.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

from services.launch.caseload.line import Line
from services.launch.caseload.make import SHIPPED, caseload, read_figures
from services.launch.catalogue import PROCEDURES
from shared.http.problem import RefusedByLaw, WrongState
from tests.every_service.stage import who_may
from tests.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.workflow.table import Procedure

Course = tuple[Line, ...]

ALL_PROCEDURES = tuple(procedure for held in PROCEDURES.values() for procedure in held)


@cache
def courses(procedure: Procedure) -> tuple[Course, ...]:
    """The courses of one procedure."""
    missing = {row.command for row in procedure.rows}
    candidates = list(_of_the_year(procedure))
    chosen: list[Course] = []
    while taken := _most(candidates, missing):
        chosen.append(taken)
        missing -= {line.command for line in taken}
    endings = (_ended_by(procedure, command, candidates) for command in sorted(missing))
    return (*chosen, *endings)


def _of_the_year(procedure: Procedure) -> Iterator[Course]:
    opening = procedure.opening.command
    for (service, _), lines in groupby(_year(), key=lambda line: (line.service, line.ref)):
        course = tuple(lines)
        if service == procedure.service and course[0].command == opening:
            yield course


@cache
def _year() -> tuple[Line, ...]:
    figures = read_figures(SHIPPED.read_text(encoding="utf-8-sig"))
    # A stable sort: every case's own lines keep their order.
    return tuple(sorted(caseload(2024, 1, figures), key=lambda line: (line.service, line.ref)))


def _most(candidates: list[Course], missing: set[str]) -> Course | None:
    """The course that takes most of what is missing, the shortest of equals."""

    def worth(course: Course) -> tuple[int, int]:
        return len(missing & {line.command for line in course}), -len(course)

    best = max(candidates, key=worth)
    return best if worth(best)[0] else None


def _ended_by(procedure: Procedure, command: str, candidates: list[Course]) -> Course:
    """A course with the command at its end, at once or after a proposed 更正."""
    for course in sorted(candidates, key=len):
        for ending in ((command,), ("propose-correction", command)):
            longer = _continued(procedure, course, ending)
            if longer is not None:
                return longer
    msg = f"{procedure.name}: no course of the year can end with {command}"
    raise AssertionError(msg)


def _continued(procedure: Procedure, course: Course, ending: tuple[str, ...]) -> Course | None:
    replay = Replay([procedure])
    for line in course:
        replay.apply(line)
    for command in ending:
        last = course[-1]
        row = procedure.row(command)
        assert row is not None
        for actor in who_may(row):
            line = Line(
                last.service, last.ref, command, actor, last.at + timedelta(days=1),
                procedure.examples[command],
            )  # fmt: skip
            try:
                replay.apply(line)
            except (RefusedByLaw, WrongState):
                continue
            course = (*course, line)
            break
        else:
            return None
    return course
