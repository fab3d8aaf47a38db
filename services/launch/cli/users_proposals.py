"""`ecocase users proposals`, `confirm` and `refuse`: what takes two administrators."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.launch.cli.options import As, CredentialsFile, Url
from services.launch.cli.signing_in import client_as
from services.launch.cli.times import local

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from services.launch.client import Client

Id = Annotated[str, typer.Argument(help="申请编号，可只写末几位")]


def add_proposals(users: typer.Typer) -> None:
    """Add the subcommands."""

    @users.command()
    def proposals(by: As = None, url: Url = None, credentials: CredentialsFile = None) -> None:
        """列出涉及管理员、须双人办理的申请，新的在前。"""
        client, account = client_as(by, None, url, credentials)

        async def work() -> list[dict[str, Any]]:
            async with client:
                return await _latest(client, account)

        rows = asyncio.run(work())
        for row in rows:
            typer.echo(_line(row))
        typer.echo(f"共 {len(rows)} 件")

    @users.command()
    def confirm(
        proposal: Id, by: As = None, url: Url = None, credentials: CredentialsFile = None
    ) -> None:
        """确认申请并办理（与申请人不同类的管理员）。"""
        done = _decide("confirm", proposal, by, url, credentials)
        typer.echo(f"已办理：{done['title']} {done['account']}")
        if part := done["one_time_password_part"]:
            typer.echo(f"一次性密码的后一半（只显示一次，请亲自转达本人）：{part}")

    @users.command()
    def refuse(
        proposal: Id, by: As = None, url: Url = None, credentials: CredentialsFile = None
    ) -> None:
        """驳回申请；申请人执行即为撤回。"""
        done = _decide("refuse", proposal, by, url, credentials)
        typer.echo(f"{done['decision_title']}：{done['title']} {done['account']}")


def show(answer: dict[str, Any], done: Callable[[dict[str, Any]], str]) -> None:
    """Say what was done, or that it waits to be confirmed; then show the part of a password."""
    if "proposed_by" not in answer:
        typer.echo(done(answer))
        return
    typer.echo(
        f"涉及管理员，已提出申请，须由另一类管理员在 {local(answer['expires_at'])} 前确认：\n"
        f"  ecocase users confirm {answer['id']} --as 账号"
    )
    if part := answer["one_time_password_part"]:
        typer.echo(
            f"一次性密码的前一半（只显示一次，请亲自转达本人）：{part}\n"
            "后一半由确认人取得；两半以“-”相连才是密码"
        )


def _decide(
    how: str, proposal: str, by: str | None, url: str | None, credentials: Path | None
) -> Any:
    """Confirm or refuse as `by`, or as whoever in the file of accounts may."""
    client, account = client_as(by, None, url, credentials)

    async def work() -> Any:
        async with client:
            row = _named(await _latest(client, account), proposal)
            decider = by or client.credentials.administrator_other_than(row["proposed_as"])
            path = f"/identity/proposals/{row['id']}/{how}"
            return (await client.call("POST", path, decider)).json()

    return asyncio.run(work())


async def _latest(client: Client, account: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await client.call("GET", "/identity/proposals", account)).json()[
        "proposals"
    ]
    return rows


def _named(rows: list[dict[str, Any]], proposal: str) -> dict[str, Any]:
    found = [row for row in rows if row["id"].endswith(proposal)]
    if len(found) != 1:
        typer.echo(f"ecocase：没有编号为 {proposal} 的申请，或不止一件", err=True)
        raise typer.Exit(1)
    return found[0]


def _line(row: dict[str, Any]) -> str:
    changes = "，".join(
        f"{name}：{row['before'].get(name)}→{row['after'].get(name)}" for name in row["after"]
    )
    until = f"（至 {local(row['expires_at'])}）" if row["decision"] == "open" else ""
    return "  ".join(
        [
            row["id"],
            row["decision_title"] + until,
            f"{row['title']} {row['account']}",
            changes,
            f"{row['proposed_by']} {local(row['proposed_at'])} 申请",
        ]
    )
