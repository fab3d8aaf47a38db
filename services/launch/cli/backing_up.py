"""`ecocase backup` and `ecocase restore`."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shared.clock.law_time import SHANGHAI

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from services.launch.auditing import Reconciled
    from services.launch.verifying import Verified


def add_to(app: typer.Typer) -> None:
    """Add the subcommands."""

    @app.command()
    def backup(
        file: Annotated[Path, typer.Argument(help="备份文件；不得已存在", dir_okay=False)],
    ) -> None:
        """把平台的全部数据备份成一个文件，平台不必停止。

        备份含个人信息、密码散列和签名密钥，只有属主可读；离开本机前请加密（见 docs/restore.md）。
        """
        from services.launch.backup.taking import take_backup  # noqa: PLC0415 - slow to import
        from services.launch.settings import Settings  # noqa: PLC0415

        with _refusals(), _progress() as progress:
            manifest = asyncio.run(take_backup(Settings.read(), file.resolve(), progress))
        events = sum(it.events.count for it in manifest.schemas.values() if it.events)
        size = file.stat().st_size / 1_000_000
        typer.echo(f"已备份到 {file}：{events} 个事件，{len(manifest.members)} 项，{size:.1f} MB")
        typer.echo("备份含个人信息和密钥：请妥善保管，离开本机前加密")

    @app.command()
    def restore(
        file: Annotated[Path, typer.Argument(help="备份文件", dir_okay=False)],
        replace: Annotated[
            bool, typer.Option("--replace", help="数据目录中已有数据时，把它移到一旁")
        ] = False,
    ) -> None:
        """由备份恢复到数据目录（须先停止平台），并校验、核对；有发现时以 1 退出。"""
        from services.launch.backup.restoring import restore as work  # noqa: PLC0415 - slow
        from services.launch.settings import Settings  # noqa: PLC0415

        settings = Settings.read()
        with _refusals(), _progress() as progress:
            done = asyncio.run(work(settings, file, progress, replace=replace))
        found = _show(done.verified, done.reconciled)
        taken = done.manifest.created_at.astimezone(SHANGHAI)
        typer.echo(f"已恢复到 {settings.data.resolve()}：{taken:%F %T} 的备份")
        if done.aside is not None:
            typer.echo(f"原有数据移到了 {done.aside}：确认无误后可删除")
        typer.echo("全部登录已失效；备份以后的办理不在其中，须重新办理")
        if found:
            raise typer.Exit(1)


def _show(verified: Verified, reconciled: Reconciled) -> int:
    from services.launch.cli.auditing import show_reconciled  # noqa: PLC0415
    from services.launch.cli.verifying import show_verified  # noqa: PLC0415

    return show_verified(verified) + show_reconciled(reconciled)


@contextmanager
def _refusals() -> Iterator[None]:
    """End in one line, and with 1, on what the operator can mend."""
    from services.launch.backup.archive import BackupError  # noqa: PLC0415 - slow to import
    from services.launch.serving import MENDABLE  # noqa: PLC0415
    from shared.postgres.dump import DumpFailed  # noqa: PLC0415

    try:
        yield
    except (BackupError, DumpFailed, *MENDABLE) as error:
        typer.echo(f"ecocase：{error}", err=True)
        raise typer.Exit(1) from error
    except OSError as error:
        typer.echo(f"ecocase：{error.filename or ''} {error.strerror or error}", err=True)
        raise typer.Exit(1) from error


class _Shown:
    """Progress on a terminal's last line."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def step(self, title: str, total: int | None = None) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
        self._task = self._bars.add_task(title, total=total)

    def advance(self, count: int) -> None:
        if self._task is not None:
            self._bars.advance(self._task, count)


@contextmanager
def _progress() -> Iterator[_Shown]:
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn  # noqa: PLC0415

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bars:
        yield _Shown(bars)
