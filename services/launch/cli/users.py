"""`ecocase users`: accounts administered through the running platform's API.

An administrator signs in for each command: the one in the credentials file that holds the role, or
the one named by `--as`, whose password and code are asked for (from standard input where that is no
terminal: password, then code, a line each).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar

import typer

from services.launch.cli.options import As, CredentialsFile, Url
from services.launch.cli.signing_in import client_as
from services.launch.cli.times import local
from services.launch.cli.users_installation import add_installation
from services.launch.cli.users_own import add_own
from services.launch.cli.users_proposals import add_proposals, show

T = TypeVar("T")

PAGE = 100
SYSTEM, SECURITY = "system_admin", "security_admin"

Name = Annotated[str, typer.Argument(help="账号")]
DAY = ["%Y-%m-%d"]


class Call(Protocol):
    """A request to the issuer as a signed-in administrator; gives the answer's content."""

    async def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """Send it."""
        ...


def add_to(app: typer.Typer) -> None:
    """Add the subcommands."""
    users = typer.Typer(help="账号：新建、授权、停用、解锁、执法证件。", no_args_is_help=True)
    app.add_typer(users, name="users")
    add_installation(users)
    add_own(users)
    add_proposals(users)
    _add_reading(users)
    _add_system(users)
    _add_security(users)


def _add_reading(users: typer.Typer) -> None:
    @users.command("list")
    def listed(by: As = None, url: Url = None, credentials: CredentialsFile = None) -> None:
        """列出本机关的账号。"""

        async def work(call: Call) -> list[dict[str, Any]]:
            rows: list[dict[str, Any]] = []
            while True:
                after = rows[-1]["account"] if rows else ""
                page = await call("GET", f"/accounts?limit={PAGE}&after={after}")
                rows += page["accounts"]
                if len(page["accounts"]) < PAGE:
                    return rows

        rows = _signed_in(work, None, by, url, credentials)
        for row in rows:
            typer.echo(_line(row))
        typer.echo(f"共 {len(rows)} 个")

    @users.command()
    def show(
        name: Name, by: As = None, url: Url = None, credentials: CredentialsFile = None
    ) -> None:
        """显示一个账号：角色、证件、会话。"""

        async def work(call: Call) -> tuple[Any, Any]:
            return await call("GET", f"/accounts/{name}"), await call(
                "GET", f"/accounts/{name}/sessions"
            )

        row, live = _signed_in(work, None, by, url, credentials)
        typer.echo(_line(row))
        for held in row["certificates"]:
            typer.echo(f"  执法证 {held['number']}  {held['valid_from']} 至 {held['valid_to']}")
        for one in live["sessions"]:
            typer.echo(f"  会话 {local(one['began_at'])} 起  {one['address']}  {one['user_agent']}")


def _add_system(users: typer.Typer) -> None:
    @users.command()
    def add(
        name: Name,
        display_name: Annotated[str, typer.Option("--name", help="显示名称")],
        by: As = None,
        url: Url = None,
        credentials: CredentialsFile = None,
    ) -> None:
        """新建账号（系统管理员）；随后由安全管理员授予角色、发给一次性密码。"""
        body = {"account": name, "display_name": display_name}
        _call("POST", "/accounts", SYSTEM, by, url, credentials, body)
        typer.echo(f"已新建 {name}；请安全管理员执行 ecocase users roles 与 ecocase users passwd")

    @users.command()
    def disable(
        name: Name, by: As = None, url: Url = None, credentials: CredentialsFile = None
    ) -> None:
        """停用账号（系统管理员）：一分钟内各服务均不再接受其登录。"""
        done = _call("POST", f"/accounts/{name}/disable", SYSTEM, by, url, credentials)
        show(done, lambda _: f"已停用 {name}")

    @users.command()
    def enable(
        name: Name, by: As = None, url: Url = None, credentials: CredentialsFile = None
    ) -> None:
        """启用已停用的账号（系统管理员）。"""
        done = _call("POST", f"/accounts/{name}/enable", SYSTEM, by, url, credentials)
        show(done, lambda _: f"已启用 {name}")


def _add_security(users: typer.Typer) -> None:
    @users.command()
    def roles(
        name: Name,
        wanted: Annotated[list[str] | None, typer.Argument(help="全部角色；缺省为撤销全部")] = None,
        by: As = None,
        url: Url = None,
        credentials: CredentialsFile = None,
    ) -> None:
        """设定账号的全部角色（安全管理员），如 investigator 或“执法人员”。"""
        body = {"roles": _roles(wanted or [])}
        done = _call("PUT", f"/accounts/{name}/roles", SECURITY, by, url, credentials, body)
        show(done, _line)

    @users.command()
    def passwd(
        name: Name, by: As = None, url: Url = None, credentials: CredentialsFile = None
    ) -> None:
        """重置密码（安全管理员）：显示一次性密码，本人登录前须修改。"""
        path = f"/accounts/{name}/password"
        made = _call("POST", path, SECURITY, by, url, credentials)
        show(
            made,
            lambda done: (
                f"{name} 的一次性密码（只显示一次，72 小时内有效）：{done['one_time_password']}"
            ),
        )

    @users.command()
    def unlock(
        name: Name, by: As = None, url: Url = None, credentials: CredentialsFile = None
    ) -> None:
        """解除登录失败引起的锁定（安全管理员）。"""
        done = _call("POST", f"/accounts/{name}/unlock", SECURITY, by, url, credentials)
        show(done, lambda _: f"已解锁 {name}")

    @users.command("sign-out")
    def sign_out(
        name: Name, by: As = None, url: Url = None, credentials: CredentialsFile = None
    ) -> None:
        """终止账号的全部会话（安全管理员）。"""
        done = _call("DELETE", f"/accounts/{name}/sessions", SECURITY, by, url, credentials)
        typer.echo(f"已终止 {done['ended']} 个会话")

    @users.command()
    def certificate(
        name: Name,
        number: Annotated[str, typer.Argument(help="执法证号")],
        valid_from: Annotated[datetime, typer.Option("--from", help="有效期起", formats=DAY)],
        valid_to: Annotated[
            datetime | None, typer.Option("--to", help="有效期止", formats=DAY)
        ] = None,
        remove: Annotated[bool, typer.Option("--remove", help="删除误登的一期")] = False,
        by: As = None,
        url: Url = None,
        credentials: CredentialsFile = None,
    ) -> None:
        """登记执法证件的一期有效期，或更改其止日（安全管理员）；过去的各期保留。"""
        path = f"/accounts/{name}/certificates/{number}"
        if remove:
            asked = f"{path}?valid_from={valid_from.date()}"
            _call("DELETE", asked, SECURITY, by, url, credentials)
            typer.echo(f"已删除 {name} 的执法证 {number} 自 {valid_from.date()} 起的一期")
            return
        if valid_to is None:
            raise typer.BadParameter("须有 --to")
        body = {"valid_from": str(valid_from.date()), "valid_to": str(valid_to.date())}
        _call("PUT", path, SECURITY, by, url, credentials, body)
        typer.echo(f"已登记 {name} 的执法证 {number}：{valid_from.date()} 至 {valid_to.date()}")

    @users.command("totp-reset")
    def totp_reset(
        name: Name, by: As = None, url: Url = None, credentials: CredentialsFile = None
    ) -> None:
        """重置账号的动态口令（安全管理员），由本人重新启用。"""
        path = f"/accounts/{name}/second-factor"
        done = _call("DELETE", path, SECURITY, by, url, credentials)
        show(done, lambda _: f"已重置 {name} 的动态口令")

    @users.command("totp-require")
    def totp_require(
        wanted: Annotated[list[str] | None, typer.Argument(help="全部须用的角色")] = None,
        by: As = None,
        url: Url = None,
        credentials: CredentialsFile = None,
    ) -> None:
        """规定哪些角色登录须用动态口令（安全管理员），未列出的不须用；三类管理员不得免除。"""
        body = {"roles": _roles(wanted or [])}
        rules = _call("PUT", "/policy/second-factor-roles", SECURITY, by, url, credentials, body)
        show(rules, _policy)


def _call(
    method: str,
    path: str,
    role: str,
    by: str | None,
    url: str | None,
    credentials: Path | None,
    body: Any = None,
) -> Any:
    return _signed_in(lambda call: call(method, path, body), role, by, url, credentials)


def _signed_in(
    work: Callable[[Call], Awaitable[T]],
    role: str | None,
    by: str | None,
    url: str | None,
    credentials: Path | None,
) -> T:
    """Do `work` as one administrator, with one sign-in."""
    client, account = client_as(by, role, url, credentials)

    async def call(method: str, path: str, body: Any = None) -> Any:
        return (await client.call(method, f"/identity{path}", account, json=body)).json()

    async def run() -> T:
        async with client:
            return await work(call)

    return asyncio.run(run())


def _roles(wanted: list[str]) -> list[str]:
    from shared.identity.roles import Role, role_named  # noqa: PLC0415 - slow to import

    found = [role_named(name) for name in wanted]
    if unknown := [name for name, role in zip(wanted, found, strict=True) if role is None]:
        known = "、".join(f"{role.value}（{role.title}）" for role in Role)
        raise typer.BadParameter(f"没有角色 {'、'.join(unknown)}，可选：{known}")
    return [role.value for role in found if role is not None]


def _policy(rules: dict[str, Any]) -> str:
    titles = "、".join(role["title"] for role in rules["second_factor_roles"])
    return f"须用动态口令的角色：{titles or '无'}"


def _line(row: dict[str, Any]) -> str:
    locked = row["locked_until"]
    marks = [
        text
        for holds, text in (
            (row["disabled_at"], "已停用"),
            (locked, f"锁定至 {local(locked) if locked else ''}"),
            (not row["has_password"], "尚无密码"),
            (row["has_password"] and row["one_time"], "密码待修改"),
            (row["second_factor"], "动态口令"),
        )
        if holds
    ]
    titles = "、".join(role["title"] for role in row["roles"]) or "无角色"
    return "  ".join([row["account"], row["display_name"], titles, *marks])
