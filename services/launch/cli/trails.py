"""`ecocase audit search`: who read, was refused, signed in or administered what."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from services.launch.cli.options import As, CredentialsFile, Url
from shared.audit.entry import Kind, Outcome
from shared.clock.law_time import SHANGHAI

PLAIN_WIDTH = 160


class Format(StrEnum):
    """How entries are printed."""

    TABLE = "table"
    JSON = "json"


def add_to(app: typer.Typer) -> None:
    """Add the subcommands."""
    audit = typer.Typer(help="审计日志。", no_args_is_help=True)
    app.add_typer(audit, name="audit")

    @audit.callback()
    def _audit() -> None:
        """审计日志。"""

    @audit.command()
    def search(
        service: Annotated[
            list[str] | None, typer.Option("--service", help="只查这一服务，可重复")
        ] = None,
        account: Annotated[str | None, typer.Option("--account", help="账号")] = None,
        kind: Annotated[Kind | None, typer.Option("--kind", help="类别")] = None,
        outcome: Annotated[Outcome | None, typer.Option("--outcome", help="结果")] = None,
        item: Annotated[str | None, typer.Option("--object", help="对象编号")] = None,
        begins: Annotated[str | None, typer.Option("--from", help="自何日或何时")] = None,
        ends: Annotated[str | None, typer.Option("--to", help="至何日或何时")] = None,
        text: Annotated[str | None, typer.Option("--text", help="操作、依据、事由中的字词")] = None,
        most: Annotated[int, typer.Option("--most", help="最多几条", min=1, max=10_000)] = 50,
        form: Annotated[Format, typer.Option("--format", help="输出格式")] = Format.TABLE,
        by: As = None,
        url: Url = None,
        credentials: CredentialsFile = None,
    ) -> None:
        """检索各服务的审计日志，新的在前；须由审计管理员办理，检索本身也记入日志。"""
        from services.launch.cli.signing_in import office_client  # noqa: PLC0415 - slow to import
        from services.launch.trails import SERVICES, search_trails  # noqa: PLC0415

        if unknown := sorted(set(service or ()) - set(SERVICES)):
            known = "、".join(SERVICES)
            typer.echo(f"ecocase：没有这些服务：{'、'.join(unknown)}，可选：{known}", err=True)
            raise typer.Exit(1)
        given = {
            "account": account,
            "kind": kind and kind.value,
            "outcome": outcome and outcome.value,
            "object": item,
            "from": begins,
            "to": ends,
            "q": text,
        }
        asked = {name: value for name, value in given.items() if value is not None}
        client = office_client(by, url, credentials)
        _print(asyncio.run(search_trails(client, service or SERVICES, asked, most)), form)


def _print(entries: list[dict[str, Any]], form: Format) -> None:
    if form is Format.JSON:
        import orjson  # noqa: PLC0415 - only here

        for entry in entries:
            sys.stdout.write(orjson.dumps(entry).decode() + "\n")
        return
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.table import Table  # noqa: PLC0415

    table = Table()
    for name in ("时间", "服务", "类别", "账号", "操作", "对象", "结果", "依据、事由", "来源"):
        table.add_column(name, overflow="fold")
    for entry in entries:
        table.add_row(*_row(entry))
    console = Console()
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    console.print(table)
    console.print(f"共 {len(entries)} 条")


def _row(entry: dict[str, Any]) -> list[str]:
    at = datetime.fromisoformat(entry["at"]).astimezone(SHANGHAI).strftime("%F %T")
    count = f"（{entry['count']} 次）" if entry["count"] > 1 else ""
    outcome = "拒绝" if entry["outcome"] == Outcome.REFUSED else "准许"
    status = f" {entry['status']}" if entry["status"] else ""
    why = "：".join(part for part in (entry["article"], entry["reason"]) if part)
    return [
        at,
        entry["service"],
        entry["kind_title"],
        entry["account"] or "",
        entry["action"] + count,
        entry["object_id"] or "",
        outcome + status,
        why,
        entry["address"] or "",
    ]
