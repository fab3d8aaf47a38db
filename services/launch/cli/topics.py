"""`ecocase topics` and `ecocase republish`: the services' topics on Kafka."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.launch.cli.options import As, CredentialsFile, Url

if TYPE_CHECKING:
    from services.launch.settings import Settings
    from shared.kafka.cluster import Cluster

LOOK_SECONDS = 0.5


def add_to(app: typer.Typer) -> None:
    """Add the subcommands."""

    @app.command()
    def topics() -> None:
        """建立各服务在 Kafka 上的主题，已有的则核对；不合规定时以 1 退出。"""
        from services.launch.storage import PUBLISHING  # noqa: PLC0415 - slow to import
        from shared.kafka.topics import ensure_topics  # noqa: PLC0415

        settings, cluster = _settings()
        states = _on_kafka(
            ensure_topics(cluster, PUBLISHING, replication=settings.kafka_replication)
        )
        for state in states:
            said = "；".join(state.faults) or ("已建立" if state.made else "合乎规定")
            typer.echo(f"{state.name}  {said}")
        raise typer.Exit(1 if any(state.faults for state in states) else 0)

    @app.command()
    def republish(
        service: Annotated[str, typer.Argument(help="服务：cases、permits 或 complaints")],
        since: Annotated[
            str | None,
            typer.Option("--from", help="自此时刻（RFC 3339）记录的事件起；缺省为全部"),
        ] = None,
        new_topic: Annotated[
            bool, typer.Option("--new-topic", help="发布到新建的下一代主题，完成后由它接替")
        ] = False,
        by: As = None,
        url: Url = None,
        credentials: CredentialsFile = None,
    ) -> None:
        """把一个服务的事件再发布一次；已计入的不会重复计入。

        主题丢失了事件时用；恢复了较早的备份后用 --new-topic，再运行 ecocase rebuild。
        """
        from services.launch.storage import PUBLISHING  # noqa: PLC0415 - slow to import
        from shared.kafka.topics import make_next_generation  # noqa: PLC0415

        if service not in PUBLISHING:
            typer.echo(f"ecocase：没有服务 {service}，可选：{'、'.join(PUBLISHING)}", err=True)
            raise typer.Exit(1)
        if new_topic and since is not None:
            typer.echo("ecocase：新一代主题须有全部事件，不能与 --from 同用", err=True)
            raise typer.Exit(1)
        settings, cluster = _settings()
        if new_topic:
            made = _on_kafka(
                make_next_generation(cluster, service, replication=settings.kafka_replication)
            )
            typer.echo(f"{made}  已建立")
        asked = {"since": since, "into_new_topic": new_topic}
        done = asyncio.run(_republished(service, asked, by, url, credentials))
        if done["error"]:
            typer.echo(f"ecocase：没有完成：{done['error']}", err=True)
            raise typer.Exit(1)
        typer.echo(f"已再次发布 {done['events']} 个事件" + ("；请运行 ecocase rebuild" * new_topic))


def _settings() -> tuple[Settings, Cluster]:
    from services.launch.settings import Settings  # noqa: PLC0415 - slow to import

    settings = Settings.read()
    cluster = settings.kafka_cluster()
    if cluster is None:
        typer.echo("ecocase：没有设置 ECOCASE_KAFKA_BOOTSTRAP，平台不用 Kafka", err=True)
        raise typer.Exit(1)
    return settings, cluster


def _on_kafka(work: Any) -> Any:
    from aiokafka.errors import KafkaError  # noqa: PLC0415 - slow to import

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it raises says it all
    try:
        return asyncio.run(work)
    except KafkaError as error:
        typer.echo(f"ecocase：Kafka 没有应答或拒绝了：{error}", err=True)
        raise typer.Exit(3) from error


async def _republished(
    service: str, asked: dict[str, Any], by: As, url: Url, credentials: CredentialsFile
) -> dict[str, Any]:
    from services.launch.cli.signing_in import office_client  # noqa: PLC0415 - slow to import

    async with office_client(by, url, credentials) as client:
        account = client.credentials.operator()
        path = f"/{service}/republications"
        done: dict[str, Any] = (await client.call("POST", path, account, json=asked)).json()
        while done["ended_at"] is None:
            await asyncio.sleep(LOOK_SECONDS)
            done = (await client.call("GET", f"{path}/{done['number']}", account)).json()
        return done
