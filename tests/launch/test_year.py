"""A synthetic year: its figures come out of the events, whatever happens on the way."""

from __future__ import annotations

import csv
import random
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from services.launch.caseload.make import SHIPPED
from tests.platform_process import ECOCASE, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.platform_process import Platform

pytestmark = pytest.mark.slow
OWNERS = ("--owner", "cases", "--owner", "permits", "--owner", "complaints")
OTHER = {
    "cases.penalised": "9",
    "cases.penalised.solid_waste": "0",
    "cases.penalised.air": "4",
    "cases.penalised.water": "0",
    "cases.penalised.unapproved_construction": "5",
    "cases.penalised.three_simultaneities": "0",
    "cases.minimum_penalty": "2",
    "cases.exempted": "0",
    "cases.transferred_to_police": "0",
    "cases.seizures": "3",
    "cases.catalogue.penalties": "12",
    "cases.catalogue.coercions": "0",
    "permits.eia.approved": "3",
    "permits.discharge.issued": "0",
    "permits.radiation.issued": "2",
    "permits.online.concluded": "11",
    "complaints.accepted": "40",
    "complaints.handled_rate": "97.5",
    "complaints.mediators": "5",
    "complaints.cross_events": "1",
}


def made(platform: Platform, folder: Path, seed: int, figures: Path | None = None) -> Path:
    path = folder / f"year-{seed}.jsonl"
    extra = () if figures is None else ("--figures", str(figures))
    done = platform.run("caseload", "2024", "--seed", str(seed), *extra)
    assert done.returncode == 0, done.stderr
    path.write_text(done.stdout)
    return path


def other_figures(folder: Path) -> Path:
    """Another bureau's year: zeros, other splits, a rate below a hundred."""
    path = folder / "other.csv"
    with SHIPPED.open(encoding="utf-8", newline="") as shipped:
        values = {row["id"]: row["value"] for row in csv.DictReader(shipped)} | OTHER
    path.write_text(
        "".join(f"{name},{value}\n" for name, value in [("id", "value"), *values.items()])
    )
    return path


@pytest.fixture(scope="module")
def loaded(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    year = made(platform, tmp_path_factory.mktemp("year"), 3)
    done = platform.run("load", str(year))
    assert done.returncode == 0, done.stderr
    return platform


def test_the_figures_are_those_of_the_report(loaded: Platform) -> None:
    checked = loaded.run("figures", "2024", "--check", str(SHIPPED), *OWNERS)
    assert checked.returncode == 0, checked.stdout
    assert "核对 24 项，0 项不同" in checked.stdout


def test_each_figure_that_differs_is_printed(loaded: Platform, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(
        SHIPPED.read_text()
        .replace("cases.penalised.air,16,", "cases.penalised.air,17,")
        .replace("complaints.handled_rate,100,", "complaints.handled_rate,99.5,")
    )
    checked = loaded.run("figures", "2024", "--check", str(wrong), *OWNERS)
    assert checked.returncode == 1
    air, rate, total = checked.stdout.splitlines()
    assert air.startswith("cases.penalised.air")
    assert air.endswith("应为 17，实为 16")
    assert rate.startswith("complaints.handled_rate")
    assert rate.endswith("应为 99.5，实为 100")
    assert total == "核对 24 项，2 项不同"


def test_as_csv_unknown_figures_are_blank(loaded: Platform) -> None:
    printed = loaded.run("figures", "2024", "--format", "csv").stdout
    values = {row["id"]: row["value"] for row in csv.DictReader(printed.splitlines())}
    assert len(values) == 80
    assert all(re.fullmatch(r"(\d+(\.\d+)?)?", value) for value in values.values())
    assert values["complaints.handled_rate"] == "100"
    assert values["office.disclosure"] == ""


def test_what_was_loaded_is_trusted(loaded: Platform) -> None:
    before = loaded.run("figures", "2024", "--format", "csv").stdout
    assert loaded.run("reconcile").returncode == 0
    assert loaded.run("verify").returncode == 0
    assert loaded.run("rebuild").returncode == 0
    assert loaded.run("reconcile").returncode == 0
    assert loaded.run("figures", "2024", "--format", "csv").stdout == before
    assert "共 0 个" in loaded.run("parked", "list").stdout


@pytest.mark.parametrize("kills", [3, pytest.param(10, marks=pytest.mark.soak)])
def test_another_bureaus_year_gives_its_own_figures_however_often_it_was_killed(
    new_platform: Callable[[], Platform], tmp_path: Path, kills: int
) -> None:
    """The platform dies at random moments of the load; nothing is lost or doubled."""
    platform = new_platform()
    figures = other_figures(tmp_path)
    year = made(platform, tmp_path, 5, figures)
    lines = len(year.read_text().splitlines()) - 1
    platform.start()
    moments = sorted(random.Random(7).sample(range(lines // 10, lines * 9 // 10), kills))  # noqa: S311
    loading = load(platform, year)
    for moment in moments:
        until(lambda at=moment: commands(platform) >= at, f"{moment} commands have been taken")
        assert commands(platform) < lines
        platform.kill()
        platform.start()
        if loading.poll() is not None:
            loading = load(platform, year)
    loading.wait(timeout=120)
    done = platform.run("load", str(year))
    assert done.returncode == 0, done.stderr
    checked = platform.run("figures", "2024", "--check", str(figures), *OWNERS)
    assert checked.returncode == 0, checked.stdout
    assert platform.run("reconcile").returncode == 0
    verified = platform.run("verify")
    assert verified.returncode == 0
    assert f"{lines} 个事件" in verified.stdout


def load(platform: Platform, year: Path) -> subprocess.Popen[bytes]:
    """Begin to load, and go on over the platform's absences."""
    return subprocess.Popen(  # noqa: S603 - our own command
        [ECOCASE, "load", str(year)],
        env=platform.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def commands(platform: Platform) -> int:
    """How many events the services have written."""
    import asyncpg  # noqa: PLC0415

    from tests.postgres_fixture import run  # noqa: PLC0415

    sockets = platform.data / "postgres" / "run"

    async def count() -> int:
        connection = await asyncpg.connect(f"postgresql://postgres@/ecocase?host={sockets}")
        try:
            query = " + ".join(
                f"(SELECT count(*) FROM {service}.event)"
                for service in ("cases", "permits", "complaints")
            )
            return int(await connection.fetchval(f"SELECT {query}"))
        finally:
            await connection.close()

    return run(count())
