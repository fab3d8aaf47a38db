"""`ecocase figures`: the figures of a year, computed by reporting from events alone."""

from __future__ import annotations

import asyncio
import csv
import sys
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.launch.cli.options import CredentialsFile, Url
from shared.clock.law_time import SHANGHAI

PLAIN_WIDTH = 120


class Format(StrEnum):
    """How the figures are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def add_to(app: typer.Typer) -> None:
    """Add the subcommand."""

    @app.command()
    def figures(
        year: Annotated[int, typer.Argument(help="年度", min=1990, max=2199)],
        form: Annotated[Format, typer.Option("--format", help="输出格式")] = Format.TABLE,
        check: Annotated[
            Path | None, typer.Option("--check", help="与此 CSV（id,value）核对", dir_okay=False)
        ] = None,
        owner: Annotated[
            list[str] | None, typer.Option("--owner", help="只看这一服务的数字，可重复")
        ] = None,
        url: Url = None,
        credentials: CredentialsFile = None,
    ) -> None:
        """显示年度数字；--check 逐项核对，有差异时以 1 退出。"""
        wanted = None if check is None else _expected(check)
        answer = asyncio.run(_ask(year, url, credentials))
        shown = [f for f in answer["figures"] if not owner or f["owner"] in owner]
        if owner and (unknown := sorted(set(owner) - {f["owner"] for f in answer["figures"]})):
            typer.echo(f"ecocase：没有这些服务的数字：{'、'.join(unknown)}", err=True)
            raise typer.Exit(1)
        if wanted is not None:
            owners = {f["owner"] for f in shown}
            known = {f["id"] for f in answer["figures"]}
            unknown = [
                name
                for name in wanted
                if name not in known and (not owner or name.partition(".")[0] in owners)
            ]
            raise typer.Exit(_check(shown, wanted, unknown))
        _print(answer, shown, form)


async def _ask(year: int, url: str | None, credentials: Path | None) -> Any:
    from services.launch.client import client_for  # noqa: PLC0415 - slow to import

    async with client_for(url, credentials) as client:
        reader = client.credentials.reader()
        response = await client.call("GET", f"/reporting/figures/{year}", reader)
        return response.json()


def _expected(path: Path) -> dict[str, str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
            return {row["id"]: (row["value"] or "").strip() for row in rows}
    except (OSError, KeyError, UnicodeDecodeError) as error:
        typer.echo(f"ecocase：读不到 {path}，或没有 id、value 两列", err=True)
        raise typer.Exit(1) from error


def _check(figures: list[dict[str, Any]], wanted: dict[str, str], unknown: list[str]) -> int:
    for name in unknown:
        typer.echo(f"{name}：没有这一数字")
    differing = len(unknown)
    compared = 0
    for figure in figures:
        if figure["id"] not in wanted:
            continue
        compared += 1
        found, expected = figure["value"], wanted[figure["id"]]
        if not _same(found, expected):
            differing += 1
            typer.echo(
                f"{figure['id']}（{figure['title']}）："
                f"应为 {expected or '空'}，实为 {found or '空'}"
            )
    typer.echo(f"核对 {compared + len(unknown)} 项，{differing} 项不同")
    return 1 if differing or not compared else 0


def _same(found: str | None, expected: str) -> bool:
    if not found or not expected:
        return not found and not expected
    try:
        return Decimal(found) == Decimal(expected)
    except InvalidOperation:
        return found == expected


def _print(answer: dict[str, Any], figures: list[dict[str, Any]], form: Format) -> None:
    if form is Format.JSON:
        import orjson  # noqa: PLC0415 - only here

        sys.stdout.write(
            orjson.dumps({**answer, "figures": figures}, option=orjson.OPT_INDENT_2).decode() + "\n"
        )
        return
    if form is Format.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["id", "value"])
        writer.writerows([figure["id"], figure["value"] or ""] for figure in figures)
        return
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=f"{answer['year']} 年度数字")
    table.add_column("编号", no_wrap=True)
    table.add_column("事项", no_wrap=True)
    table.add_column("数值", justify="right")
    table.add_column("单位")
    for figure in figures:
        value = "—" if figure["value"] is None else figure["value"]
        table.add_row(figure["id"], figure["title"], value, figure["unit"])
    console = Console()
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    console.print(table)
    coverage = answer["coverage"]
    local = datetime.fromisoformat(answer["as_of"]).astimezone(SHANGHAI).strftime("%F %T")
    console.print(
        f"截至 {local}，滞后 {answer['lag_seconds']:.2f} 秒；"
        f"已知 {coverage['known']}/{coverage['total']} 项，搁置 {coverage['parked']} 个事件"
        + ("；有服务恢复到了较早的时刻，须运行 ecocase rebuild" if coverage["rebuild_due"] else "")
    )
