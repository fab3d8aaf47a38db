"""`ecocase serve`."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Add the subcommand."""

    @app.command()
    def serve() -> None:
        """启动平台：全部服务在一个进程内，用内置的 PostgreSQL。

        环境变量 ECOCASE_DATA 为数据目录（缺省 ./data），ECOCASE_PORT 为端口（缺省 8000）。
        """
        from services.launch.serving import StartError, serve  # noqa: PLC0415 - slow to import
        from services.launch.settings import Settings  # noqa: PLC0415

        try:
            serve(Settings())
        except StartError as error:
            typer.echo(f"ecocase：{error}", err=True)
            raise typer.Exit(1) from error
