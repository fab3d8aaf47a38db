"""`ecocase settings`: every setting, what it means, and what it is now."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from typing import Annotated

import typer

PLAIN_WIDTH = 160


def add_to(app: typer.Typer) -> None:
    """Add the subcommand."""

    @app.command()
    def settings(
        as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    ) -> None:
        """显示全部设置：环境变量、含义、缺省值、现值、在何处设定；密码不显示。"""
        import orjson  # noqa: PLC0415 - slow to import
        from rich.console import Console  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        from services.launch.settings import Settings  # noqa: PLC0415
        from services.launch.settings_table import table, unknown  # noqa: PLC0415

        rows = table(Settings.read())
        for said in unknown(os.environ):
            typer.echo(f"ecocase：{said}", err=True)
        if as_json:
            typer.echo(orjson.dumps([asdict(row) for row in rows], option=orjson.OPT_INDENT_2))
            return
        shown = Table("环境变量", "含义", "缺省值", "现值", "设定于")
        for row in rows:
            shown.add_row(row.name, row.meaning, row.default, row.value, row.origin)
        Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH).print(shown)
