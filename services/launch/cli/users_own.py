"""`ecocase users password` and `totp-enrol`: what everybody does for their own account."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from services.launch.cli.options import Url
from services.launch.cli.signing_in import asked_code, asked_secret

Name = Annotated[str, typer.Argument(help="本人的账号")]


def add_own(users: typer.Typer) -> None:
    """Add the subcommands."""

    @users.command("password")
    def own_password(name: Name, url: Url = None) -> None:
        """修改本人的密码（首次登录、到期、随时）。"""
        proof = {"username": name, "password": asked_secret("现用密码")}
        if code := asked_code():
            proof["code"] = code
        new = asked_secret("新密码")
        if asked_secret("再输一次新密码") != new:
            typer.echo("ecocase：两次输入的新密码不同", err=True)
            raise typer.Exit(1)
        _ask(url, "/identity/password", {**proof, "new_password": new})
        typer.echo("已修改；此前的登录均已失效")

    @users.command("totp-enrol")
    def totp_enrol(name: Name, url: Url = None) -> None:
        """为本人的账号启用动态口令：手机扫码，再输入一个口令确认。"""
        import segno  # noqa: PLC0415 - only here

        proof = {"username": name, "password": asked_secret("密码")}
        made = _ask(url, "/identity/second-factor", proof)
        segno.make(made["uri"], micro=False).terminal(compact=True)
        typer.echo(f"密钥（不能扫码时手工录入）：{made['secret']}")
        _show_codes(url, {**proof, "code": asked_secret("手机上显示的动态口令")})

    @users.command("totp-codes")
    def totp_codes(name: Name, url: Url = None) -> None:
        """换发本人的恢复码，旧的作废。"""
        proof = {"username": name, "password": asked_secret("密码")}
        _show_codes(url, {**proof, "code": asked_secret("动态口令")})


def _show_codes(url: str | None, proof: dict[str, str]) -> None:
    codes = _ask(url, "/identity/second-factor/confirm", proof)["recovery_codes"]
    typer.echo("动态口令已启用。恢复码（只显示一次，每个用一次，请妥善保管）：")
    for code in codes:
        typer.echo(f"  {code}")


def _ask(url: str | None, path: str, body: dict[str, str]) -> Any:
    from services.launch.client import Client, Credentials  # noqa: PLC0415 - slow to import
    from services.launch.settings import Settings  # noqa: PLC0415

    async def work() -> Any:
        async with Client(url or Settings.read().url, Credentials({}, {})) as client:
            response = await client.ask(path, body)
            return response.json() if response.content else None

    return asyncio.run(work())
