"""`ecocase verify`: whether anything was changed behind the platform's back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.launch.cli.options import SHOWN, As, CredentialsFile, Url, more

if TYPE_CHECKING:
    from services.launch.verifying import Verified


def add_to(app: typer.Typer) -> None:
    """Add the subcommand."""

    @app.command()
    def verify(
        seal: Annotated[
            list[Path] | None,
            typer.Option("--seal", help="封签的外部副本：文件或目录，可重复", show_default=False),
        ] = None,
        by: As = None,
        url: Url = None,
        credentials: CredentialsFile = None,
    ) -> None:
        """校验散列链、状态、痕迹、封签与审计日志；有改动、缺失或错位时逐一指出，并以 1 退出。

        数据库若被整个改写，只有另存的封签能够查出：用 --seal 与之对照。
        """
        from services.launch.cli.signing_in import office_client  # noqa: PLC0415 - slow to import
        from services.launch.seal_copies import CopyUnusableError, read_copies  # noqa: PLC0415
        from services.launch.verifying import verify as work  # noqa: PLC0415

        try:
            copies = read_copies(seal or ())
        except CopyUnusableError as error:
            raise typer.BadParameter(str(error), param_hint="--seal") from error
        result = asyncio.run(work(office_client(by, url, credentials), copies))
        found = show_verified(result, sum(map(len, copies.values())))
        raise typer.Exit(1 if found else 0)


def show_verified(result: Verified, compared: int = 0) -> int:
    """Print what a verification found, `compared` seals of copies included; gives how much."""
    found = [f"{service} {_named(finding)}" for service, finding in result.findings]
    for fault in result.faults:
        numbers = (
            str(fault.first) if fault.first == fault.last else f"{fault.first} 至 {fault.last}"
        )
        found.append(f"{fault.service} 第 {numbers} 号封签：{fault.reason}")
    for service, finding in result.trails.findings:
        place = f"链 {finding['writer']} 第 {finding['number']} 条" if finding["writer"] else ""
        found.append(f"{service} 审计日志 {place}：{finding['reason']}")
    for line in found[:SHOWN]:
        typer.echo(line)
    more(len(found))
    copies = f"，与副本的 {compared} 个封签对照" if compared else ""
    typer.echo(
        f"校验 {result.aggregates} 件 {result.events} 个事件 {result.seals} 个封签{copies}，"
        f"审计日志 {result.trails.entries} 条，发现 {len(found)} 处"
    )
    return len(found)


def _named(finding: dict[str, Any]) -> str:
    """What a finding is about, and what is wrong with it."""
    about = [
        str(finding.get("aggregate_id") or ""),
        f"第 {finding['version']} 版" if finding.get("version") else "",
        f"第 {finding['seal']} 号封签" if finding.get("seal") else "",
    ]
    event = f"（事件 {finding['event_id']}）" if finding.get("event_id") else ""
    return f"{' '.join(filter(None, about))}：{finding['reason']}{event}"
