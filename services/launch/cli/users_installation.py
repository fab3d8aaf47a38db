"""`ecocase users init` and `recover`: what whoever runs the machine does, beside the API."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shared.issuer.issuer import Issuer

T = TypeVar("T")


def add_installation(users: typer.Typer) -> None:
    """Add the subcommands."""

    @users.command()
    def init(
        bureau: Annotated[str, typer.Option("--bureau", help="本机关的行政区划代码，六位数字")],
    ) -> None:
        """首次安装：建立三名管理员，显示其一次性密码（内置数据库须先停止平台）。"""
        from shared.issuer.installation import install  # noqa: PLC0415 - slow to import

        for one in _on_the_machine(lambda issuer: install(issuer, bureau)):
            typer.echo(f"{one.account}  {one.role.title}  一次性密码：{one.one_time_password}")
        typer.echo(
            "密码只显示这一次，请分别交给三人。启动平台后，每人先执行\n"
            "  ecocase users password 账号       修改密码\n"
            "  ecocase users totp-enrol 账号     启用动态口令\n"
            "再由系统管理员 ecocase users add 新建账号，"
            "安全管理员 ecocase users roles、passwd 授权发密码"
        )

    @users.command()
    def recover(name: Annotated[str, typer.Argument(help="管理员账号")]) -> None:
        """管理员丢失密码或手机时：重设一次性密码并取消动态口令（内置数据库须先停止平台）。"""
        from shared.issuer.installation import recover as work  # noqa: PLC0415 - slow to import

        password = _on_the_machine(lambda issuer: work(issuer, name))
        typer.echo(f"{name} 的一次性密码（只显示一次）：{password}")


def _on_the_machine(work: Callable[[Issuer], Awaitable[T]]) -> T:
    from services.launch.platform import with_issuer  # noqa: PLC0415 - slow to import
    from services.launch.serving import MENDABLE, StartError, logging_to_file  # noqa: PLC0415
    from services.launch.settings import Settings  # noqa: PLC0415

    settings = Settings.read()
    try:
        with logging_to_file(settings):
            return asyncio.run(with_issuer(settings, work))
    except (*MENDABLE, StartError) as error:
        typer.echo(f"ecocase：{error}", err=True)
        raise typer.Exit(1) from error
