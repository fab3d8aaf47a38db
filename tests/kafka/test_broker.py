"""The broker on this machine: what it keeps, and what it says where something is missing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.kafka import broker as module
from deploy.kafka.broker import KafkaUnavailableError, find_jars, find_java
from shared.kafka.cluster import Cluster
from shared.kafka.topics import ensure_topics
from tests.platform_process import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from deploy.kafka.broker import Broker

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
async def test_topics_outlive_a_killed_broker(own_broker: Callable[[], Broker]) -> None:
    broker = own_broker()
    cluster = Cluster(broker.bootstrap)
    made = await ensure_topics(cluster, ["cases"], replication=1)
    assert [(one.name, one.made, list(one.faults)) for one in made] == [("ecocase.cases", True, [])]
    broker.kill()
    broker.start()
    again = await ensure_topics(cluster, ["cases"], replication=1)
    assert [(one.made, list(one.faults)) for one in again] == [(False, [])]


def test_without_java_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KafkaUnavailableError, match="default-jre-headless"):
        find_java()
    old = tmp_path / "java"
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(KafkaUnavailableError, match="Java 11 太旧"):
        find_java()


def test_without_maven_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "JARS", tmp_path / "target")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KafkaUnavailableError, match="apt-get install maven"):
        find_jars()


@pytest.mark.slow
def test_the_command_serves_until_it_is_told_to_end(tmp_path: Path, broker: Broker) -> None:
    del broker  # so that this test is skipped with the others where Java is missing
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.kafka"],
        cwd=ROOT,
        env={**os.environ, "ECOCASE_DATA": str(tmp_path), "ECOCASE_KAFKA_PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert f"127.0.0.1:{port}" in process.stdout.readline().decode()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=40)
    assert (process.returncode, errors) == (0, b"")
    assert (tmp_path / "kafka" / "logs" / "meta.properties").exists()
