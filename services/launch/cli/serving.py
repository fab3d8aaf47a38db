"""`ecocase serve`."""

from __future__ import annotations

import os
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Add the subcommand."""

    @app.command()
    def serve() -> None:
        """启动平台：全部服务在一个进程内。

        设置见 ecocase settings；缺省用内置的 PostgreSQL，ECOCASE_DATABASE_URL 指向外部的。
        """
        from services.launch.serving import StartError, serve  # noqa: PLC0415 - slow to import
        from services.launch.settings import Settings  # noqa: PLC0415
        from services.launch.settings_table import unknown  # noqa: PLC0415

        for said in unknown(os.environ):
            typer.echo(f"ecocase：{said}", err=True)
        try:
            serve(Settings.read())
        except StartError as error:
            typer.echo(f"ecocase：{error}", err=True)
            raise typer.Exit(1) from error

    @app.command()
    def migrate(
        service: Annotated[
            str | None, typer.Argument(help="服务；缺省为全部", show_default=False)
        ] = None,
    ) -> None:
        """把数据库结构迁移到本程序所需的版本（外部 PostgreSQL 升级时用）。"""
        import asyncio  # noqa: PLC0415 - slow to import
        from contextlib import AsyncExitStack  # noqa: PLC0415

        from services.launch import storage  # noqa: PLC0415
        from services.launch.serving import MENDABLE  # noqa: PLC0415
        from services.launch.settings import Settings  # noqa: PLC0415

        if service is not None and service not in storage.MIGRATIONS:
            typer.echo(
                f"ecocase：没有服务 {service}，可选：{'、'.join(storage.MIGRATIONS)}", err=True
            )
            raise typer.Exit(1)

        async def work() -> None:
            async with AsyncExitStack() as stack:
                chosen = list(storage.MIGRATIONS) if service is None else [service]
                await storage.migrate(Settings.read(), stack, chosen)

        try:
            asyncio.run(work())
        except MENDABLE as error:
            typer.echo(f"ecocase：{error}", err=True)
            raise typer.Exit(1) from error
        typer.echo("数据库结构已是最新")
