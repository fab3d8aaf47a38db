"""`ecocase demo` and `ecocase calendar`: the demonstration accounts, and the working calendar."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from services.launch.cli.options import CredentialsFile, Url


def add_to(app: typer.Typer) -> None:
    """Add the subcommands."""
    demo = typer.Typer(help="演示账号。", no_args_is_help=True)
    app.add_typer(demo, name="demo")

    @demo.callback()
    def _demo() -> None:
        """演示账号。"""

    @demo.command("reset-passwords")
    def reset_passwords() -> None:
        """重设全部演示账号的密码，写入新的账号文件（须先停止平台）。"""
        from services.launch.platform import reset_passwords as work  # noqa: PLC0415 - slow
        from services.launch.serving import MENDABLE  # noqa: PLC0415
        from services.launch.settings import Settings  # noqa: PLC0415

        try:
            path = asyncio.run(work(Settings.read()))
        except MENDABLE as error:
            typer.echo(f"ecocase：{error}", err=True)
            raise typer.Exit(1) from error
        typer.echo(f"新密码在 {path}（仅属主可读）")

    calendar = typer.Typer(help="工作日历。", no_args_is_help=True)
    app.add_typer(calendar, name="calendar")

    @calendar.callback()
    def _calendar() -> None:
        """工作日历。"""

    @calendar.command("load")
    def load_calendar(
        file: Annotated[Path, typer.Argument(help="放假安排（JSON）", dir_okay=False)],
        url: Url = None,
        credentials: CredentialsFile = None,
    ) -> None:
        """载入国务院办公厅下一年度放假安排；暂定的期限随即按它重新计算。"""
        try:
            text = file.read_bytes()
        except OSError as error:
            typer.echo(f"ecocase：读不到 {file}", err=True)
            raise typer.Exit(1) from error
        done = asyncio.run(_load_calendar(text, url, credentials))
        typer.echo(
            f"已载入 {done['year']} 年放假安排（第 {done['version']} 版），"
            f"工作日历已公布至 {done['known_until']}"
        )


async def _load_calendar(
    text: bytes, url: str | None, credentials: Path | None
) -> dict[str, object]:
    from services.launch.client import client_for  # noqa: PLC0415 - slow to import

    async with client_for(url, credentials) as client:
        response = await client.send("POST", "/clock/notices", client.credentials.operator(), text)
        answer: dict[str, object] = response.json()
        return answer
