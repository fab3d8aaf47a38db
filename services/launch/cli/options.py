"""Options that several subcommands share, and how long lists end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Url = Annotated[
    str | None, typer.Option("--url", help="平台网址；缺省为本目录和端口的平台", show_default=False)
]
CredentialsFile = Annotated[
    Path | None,
    typer.Option(
        "--credentials",
        help="账号文件；缺省为数据目录中的 credentials.json",
        show_default=False,
        dir_okay=False,
    ),
]

As = Annotated[
    str | None,
    typer.Option("--as", help="办理人的账号；缺省为账号文件中合适的一个", show_default=False),
]

SHOWN = 50


def more(count: int) -> None:
    """Say how many lines of a list were left out."""
    if count > SHOWN:
        typer.echo(f"……另有 {count - SHOWN} 处")
