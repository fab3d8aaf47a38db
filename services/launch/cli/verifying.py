"""`ecocase verify`: whether anything was changed behind the platform's back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.launch.cli.options import SHOWN, As, CredentialsFile, Url, more

if TYPE_CHECKING:
    from services.launch.seal_copies import Outside
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
        from services.launch.seal_copies import CopyUnusableError, copies  # noqa: PLC0415
        from services.launch.verifying import verify as work  # noqa: PLC0415

        try:
            elsewhere = [copies(seal)] if seal else []
        except CopyUnusableError as error:
            raise typer.BadParameter(str(error), param_hint="--seal") from error
        own = [] if url else _own_files()
        result = asyncio.run(work(office_client(by, url, credentials), [*elsewhere, *own]))
        compared = sum(len(held) for one in elsewhere for held in one.seals.values())
        found = show_verified(result, compared)
        raise typer.Exit(1 if found else 0)


def _own_files() -> list[Outside]:
    """The platform's own files of seals, where they lie on this machine; says which are past."""
    from services.launch.seal_copies import CopyUnusableError, own_files  # noqa: PLC0415
    from services.launch.settings import Settings  # noqa: PLC0415 - slow to import

    folder = Settings.read().data / "seals"
    if not folder.is_dir():
        return []
    try:
        own, superseded = own_files(folder)
    except CopyUnusableError as error:
        typer.echo(f"ecocase：平台的封签文件已被改动：{error}", err=True)
        raise typer.Exit(1) from error
    for one in superseded:
        typer.echo(
            f"注意：封签文件 {one.file.name} 曾与数据库不符，由 {one.following.name} 接续："
            "恢复过较早的备份，或数据库被改写过"
        )
    return [own]


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
