"""`ecocase docs`: write the documents that come from the tables, or say which are stale."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Add the subcommand."""

    @app.command()
    def docs(
        check: Annotated[
            bool, typer.Option("--check", help="只检查是否过时，过时则以 1 退出")
        ] = False,
        folder: Annotated[Path, typer.Option(help="文档目录", file_okay=False)] = Path("docs"),
    ) -> None:
        """由代码生成文档：事件（AsyncAPI）、案卷格式、状态图、设置。"""
        from services.launch.documents import documents  # noqa: PLC0415 - slow to import

        stale = 0
        for path, text in documents().items():
            target = folder / path
            current = target.read_text(encoding="utf-8") if target.exists() else None
            if current == text:
                continue
            stale += 1
            if check:
                typer.echo(f"{target} 已过时：请运行 make docs", err=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            typer.echo(f"已写 {target}")
        if check and stale:
            raise typer.Exit(1)
