"""`ecocase load` and `ecocase caseload`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.launch.cli.options import CredentialsFile, Url

if TYPE_CHECKING:
    from services.launch.client import Client
    from services.launch.loading.playing import Played
    from services.launch.loading.reading import Caseload, Fault

SHOWN_FAULTS = 50
BEHIND = 4


def add_to(app: typer.Typer) -> None:
    """Add the subcommands."""

    @app.command()
    def load(
        file: Annotated[Path, typer.Argument(help="案卷文件（JSON Lines），- 为标准输入")],
        all_or_nothing: Annotated[
            bool, typer.Option("--all-or-nothing", help="有一行不合规定即全不载入")
        ] = False,
        url: Url = None,
        credentials: CredentialsFile = None,
    ) -> None:
        """载入案卷：经各服务的接口逐条办理，可中断后再次载入。

        有被拒绝的行时以 1 退出；平台 10 秒没有应答时以 3 退出；
        全部载入而统计 30 秒内没有跟上时以 4 退出。
        """
        from services.launch.client import client_for  # noqa: PLC0415 - slow to import

        caseload = _read(file)
        client = client_for(url, credentials)
        caseload.keep_actors(client.credentials.stands_for)
        played = asyncio.run(_play(client, caseload, all_or_nothing=all_or_nothing))
        refused = sorted([*caseload.faults, *played.refused], key=lambda fault: fault.line)
        _show_faults(refused)
        _show_counts(caseload, played, len(refused))
        if refused:
            raise typer.Exit(1)
        if not played.applied:
            raise typer.Exit(BEHIND)

    @app.command()
    def caseload(
        year: Annotated[int, typer.Argument(help="年度", min=2024, max=2025)],
        seed: Annotated[int, typer.Option("--seed", help="随机种子，案卷以它命名")],
        figures: Annotated[
            Path | None,
            typer.Option("--figures", help="数字所依的 CSV；缺省为 2024 年报告", dir_okay=False),
        ] = None,
    ) -> None:
        """生成一年的合成案卷，写到标准输出；其数字与所给 CSV 一致。"""
        from services.launch.caseload.make import make  # noqa: PLC0415 - slow to import

        try:
            for line in make(year, seed, figures):
                sys.stdout.write(line + "\n")
        except (OSError, ValueError) as error:
            typer.echo(f"ecocase：{error}", err=True)
            raise typer.Exit(1) from error


def _read(file: Path) -> Caseload:
    from services.launch.loading.reading import (  # noqa: PLC0415 - slow to import
        NotACaseloadError,
        read_caseload,
    )

    try:
        if str(file) == "-":
            return read_caseload(sys.stdin.buffer)
        with file.open("rb") as lines:
            return read_caseload(lines)
    except (OSError, NotACaseloadError) as error:
        reason = f"读不到 {file}" if isinstance(error, OSError) else str(error)
        typer.echo(f"ecocase：{reason}", err=True)
        raise typer.Exit(1) from error


async def _play(client: Client, caseload: Caseload, *, all_or_nothing: bool) -> Played:
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn  # noqa: PLC0415

    from services.launch.client import PlatformAwayError  # noqa: PLC0415
    from services.launch.loading.playing import Played, Player  # noqa: PLC0415

    async with client:
        if all_or_nothing:
            caseload.faults += await _rehearse(client, caseload)
            if caseload.faults:
                caseload.faults.sort(key=lambda fault: fault.line)
                return Played()
        with Progress(
            "载入",
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        ) as progress:
            task = progress.add_task("载入", total=caseload.steps)
            player = Player(client, caseload, lambda: progress.advance(task))
            try:
                return await player.run()
            except* PlatformAwayError as away:
                _show_faults(player.played.refused)
                _show_counts(caseload, player.played, len(player.played.refused))
                raise away.exceptions[0] from None


async def _rehearse(client: Client, caseload: Caseload) -> list[Fault]:
    from services.launch.loading.rehearsal import Rehearsal  # noqa: PLC0415 - slow to import
    from shared.clock.calendar import WorkCalendar  # noqa: PLC0415
    from shared.identity.officers import OfficerAnswer, by_account  # noqa: PLC0415

    named = sorted(
        {
            account
            for steps in caseload.aggregates.values()
            for step in steps
            if step.command.row.officers is not None
            for account in step.command.row.officers(
                step.command.row.payload.model_validate(step.data)
            )
        }
    )
    certificates = {}
    if named:
        actor = next(iter(caseload.aggregates.values()))[0].actor
        answer = await client.call(
            "GET", "/identity/officers", actor, params={"accounts": ",".join(named)}
        )
        found = OfficerAnswer.model_validate_json(answer.content)
        certificates = by_account(named, found.certificates)
    rehearsal = Rehearsal(WorkCalendar.official(), client.credentials.roles, certificates)
    return rehearsal.run(caseload)


def _show_faults(faults: list[Fault]) -> None:
    for fault in faults[:SHOWN_FAULTS]:
        where = f" {fault.field}" if fault.field else ""
        typer.echo(f"第 {fault.line} 行{where}：{fault.reason}", err=True)
    if len(faults) > SHOWN_FAULTS:
        typer.echo(f"……另有 {len(faults) - SHOWN_FAULTS} 行", err=True)


def _show_counts(caseload: Caseload, played: Played, refused: int) -> None:
    typer.echo(
        f"{caseload.name}：载入 {played.loaded}，已有 {played.already}，拒绝 {refused}"
        f"（{len(caseload.aggregates)} 件，{played.seconds:.1f} 秒）"
    )
    if not played.applied:
        typer.echo("统计尚未跟上：30 秒内没有处理完最后一个事件", err=True)
