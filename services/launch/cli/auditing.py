"""`ecocase rebuild`, `reconcile` and `parked`: whether the figures can be trusted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.launch.cli.options import SHOWN, As, CredentialsFile, Url, more

if TYPE_CHECKING:
    from services.launch.auditing import Reconciled


def add_to(app: typer.Typer) -> None:
    """Add the subcommands."""

    @app.command()
    def rebuild(by: As = None, url: Url = None, credentials: CredentialsFile = None) -> None:
        """由事件重算全部统计：重算时仍用旧的，算完即切换。"""
        from services.launch.auditing import rebuild as work  # noqa: PLC0415 - slow to import
        from services.launch.cli.signing_in import office_client  # noqa: PLC0415 - slow to import

        done = asyncio.run(work(office_client(by, url, credentials)))
        if done["state"] != "live":
            typer.echo(f"重算没有完成（{done['error'] or done['state']}），仍用旧的统计", err=True)
            raise typer.Exit(1)
        typer.echo(
            f"已切换到第 {done['generation']} 代统计：{done['events']} 个事件，"
            f"{done['aggregates']} 件，{done['seconds']:.1f} 秒"
        )

    @app.command()
    def reconcile(by: As = None, url: Url = None, credentials: CredentialsFile = None) -> None:
        """核对每一服务的状态、事件与统计，以及统计的汇总；差异持续存在时以 1 退出。"""
        from services.launch.auditing import reconcile as work  # noqa: PLC0415 - slow to import
        from services.launch.cli.signing_in import office_client  # noqa: PLC0415 - slow to import

        result = asyncio.run(work(office_client(by, url, credentials)))
        found = show_reconciled(result)
        raise typer.Exit(1 if found else 0)

    parked = typer.Typer(help="搁置的事件：查看与重放。", no_args_is_help=True)
    app.add_typer(parked, name="parked")

    @parked.command("list")
    def parked_list(by: As = None, url: Url = None, credentials: CredentialsFile = None) -> None:
        """列出搁置的事件及原因。"""
        rows = asyncio.run(_parked("GET", "/reporting/parked", by, url, credentials))["parked"]
        for row in rows:
            what = (
                f"{row['aggregate_id']} 第 {row['version']} 版"
                if row["aggregate_id"]
                else f"不是可读的事件：{row['error']}"
            )
            typer.echo(f"{row['id']}  {row['topic']}  {what}  {row['reason']}")
        typer.echo(f"共 {len(rows)} 个")

    @parked.command("replay")
    def parked_replay(
        ids: Annotated[list[str] | None, typer.Argument(help="编号；缺省为全部")] = None,
        by: As = None,
        url: Url = None,
        credentials: CredentialsFile = None,
    ) -> None:
        """重放搁置的事件。"""
        asked = {"ids": ids} if ids else {}
        done = asyncio.run(_parked("POST", "/reporting/parked/replay", by, url, credentials, asked))
        typer.echo(f"重放 {done['replayed']} 个，仍搁置 {done['parked']} 个")
        raise typer.Exit(1 if done["parked"] else 0)


def show_reconciled(result: Reconciled) -> int:
    """Print what a reconciliation found; gives how much."""
    found = [f"{one.service} {one.id}：{one.reason}" for one in result.differences]
    found += [f"统计 {one}：内容不成形" for one in result.figures["unreadable"]]
    found += [f"统计 {_cell(one)}" for one in result.figures["disagreements"]]
    for line in found[:SHOWN]:
        typer.echo(line)
    more(len(found))
    typer.echo(
        f"核对 {result.aggregates} 件、{result.figures['cells']} 格汇总，{len(found)} 处不符"
    )
    return len(found)


def _cell(one: dict[str, Any]) -> str:
    """A cell of the rollups that disagrees with the facts."""
    place = " ".join(
        filter(None, (one[name] for name in ("day", "bureau", "procedure", "kind", "channel")))
    )
    return f"{place} {one['title']}：汇总为 {one['rolled_up']}，由各事项算得 {one['summed']}"


async def _parked(
    method: str, path: str, by: As, url: Url, credentials: CredentialsFile, json: Any = None
) -> Any:
    from services.launch.cli.signing_in import office_client  # noqa: PLC0415 - slow to import

    async with office_client(by, url, credentials) as client:
        account = client.credentials.operator()
        return (await client.call(method, path, account, json=json)).json()
