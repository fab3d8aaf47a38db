"""Passwords and codes asked for at the terminal, never taken from the command line.

What stands on a command line is seen by every user of the machine and kept by the shell.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from services.launch.client import Client


def asked_secret(prompt: str) -> str:
    """One secret from the terminal, unseen; a line of standard input where that is none."""
    if sys.stdin.isatty():
        from getpass import getpass  # noqa: PLC0415 - only here

        return getpass(f"{prompt}：")
    return sys.stdin.readline().rstrip("\n")


def asked_code() -> str | None:
    """A code of the second factor, if there is one."""
    return asked_secret("动态口令（未启用的直接回车）") or None


def office_client(account: str | None, url: str | None, credentials: Path | None) -> Client:
    """A client that does everything as `account`, or as whoever in the file may.

    Raises `CredentialsError`.
    """
    client, name = client_as(account, None, url, credentials, any_role=True)
    if account is not None:
        client.credentials.chosen = name
    return client


def client_as(
    account: str | None,
    role: str | None,
    url: str | None,
    credentials: Path | None,
    *,
    any_role: bool = False,
) -> tuple[Client, str]:
    """A client, and the account to call as: `account`, or one of the file that holds `role`.

    Without `role` any administrator serves. Raises `CredentialsError`.
    """
    from services.launch.client import (  # noqa: PLC0415 - slow to import
        Client,
        Credentials,
        CredentialsError,
        client_for,
        credentials_path,
    )
    from services.launch.settings import Settings  # noqa: PLC0415

    settings = Settings.read()
    path = credentials_path(settings, credentials)
    if account is None:
        if not path.exists():
            raise CredentialsError(f"没有账号文件 {path}：请用 --as 指定办理人的账号")
        client = client_for(url, credentials)
        return client, "" if any_role else client.credentials.administrator(role)
    if path.exists():
        known = Credentials.read(path)
        if account in known.passwords:
            return Client(url or settings.url, known), account
    password = asked_secret(f"{account} 的密码")
    code = asked_code()
    signing_in = Credentials(
        {account: password}, {account: ()}, codes={} if code is None else {account: code}
    )
    return Client(url or settings.url, signing_in, told=show_notices), account


def show_notices(granted: Mapping[str, Any]) -> None:
    """Print what an owner is to be told at sign-in, apart from what the command prints."""
    from services.launch.cli.times import local  # noqa: PLC0415 - slow to import

    before = granted.get("previous_sign_in")
    if before:
        failed = f"，此后失败 {before['failures']} 次" if before["failures"] else ""
        where = before["address"]
        typer.echo(f"上次登录：{local(before['at'])}  {where}{failed}", err=True)
    for one in granted.get("notices", []):
        on = one["account"] or "全部账号"
        typer.echo(f"注意：{local(one['at'])}  {one['by']} {one['title']}：{on}", err=True)
