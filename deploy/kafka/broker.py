"""A real Apache Kafka on this machine: one node, on the loopback, for a small office and for tests.

    broker = Broker(folder, port=9092)
    broker.start()            # returns once it answers
    broker.bootstrap          # "127.0.0.1:9092"
    broker.stop()

Maven resolves the jars named in pom.xml, once. Java 17 or newer runs them. The process is our
child and ends with us; what it has been given stays in its folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from shared.postgres import child

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
JARS = HERE / "target"
JAVA = 17
START_SECONDS = 60.0
STOP_SECONDS = 30.0
CLUSTER_ID = "ZWNvY2FzZS1vbi1vbmU1Mg"
"""Sixteen bytes in base64, as Kafka wants a cluster's name."""
_VERSION = re.compile(r'version "(\d+)')
_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=BROKER
listeners=BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=BROKER://127.0.0.1:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={logs}
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=1500
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.retention.ms=-1
log.cleaner.dedupe.buffer.size=8388608
"""
_OPTIONS = (
    *("-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    *("-Djava.awt.headless=true", "-Djava.net.preferIPv4Stack=true"),
    *("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",),
)


class KafkaUnavailableError(Exception):
    """The broker cannot be run here; the message says what is missing and how to get it."""


@dataclass
class Broker:
    """One broker on a folder; `start`, `kill` and `stop` it as often as wanted."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def bootstrap(self) -> str:
        """Where clients begin."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What it has to say."""
        return self.folder / "broker.log"

    def start(self) -> None:
        """Return once it answers. Raises `KafkaUnavailableError`."""
        java, jars = find_java(), find_jars()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = self._write_settings()
        command = [java, *_OPTIONS, "-cp", f"{jars}/*"]
        if not (self.folder / "logs" / "meta.properties").exists():
            self._run([*command, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c",
                       str(settings)])  # fmt: skip
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-I", "-S", child.__file__, str(os.getpid()), "same",
                 *command, "kafka.Kafka", str(settings)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self._wait_until_it_answers()

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill -9."""
        self._end(signal.SIGKILL)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stopped in the middle of what it does (SIGSTOP), then going on."""
        assert self.process is not None  # noqa: S101 - it was started
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _write_settings(self) -> Path:
        """Write its settings; ports once chosen are kept, since clients know them."""
        settings = self.folder / "server.properties"
        kept = re.search(r":(\d+)\n.*", settings.read_text()) if settings.exists() else None
        controller = int(kept[1]) if kept and _is_free(int(kept[1])) else _free_port()
        self.port = self.port or _free_port()
        if not _is_free(self.port):
            raise KafkaUnavailableError(f"端口 127.0.0.1:{self.port} 已被占用：请换一个端口")
        settings.write_text(
            _SETTINGS.format(port=self.port, controller=controller, logs=self.folder / "logs")
        )
        return settings

    def _run(self, command: list[str]) -> None:
        with self.log.open("ab") as log:
            done = subprocess.run(command, stdout=log, stderr=log, check=False)  # noqa: S603
        if done.returncode:
            raise KafkaUnavailableError(f"Kafka 的数据目录不能初始化，见 {self.log}")

    def _wait_until_it_answers(self) -> None:
        """See it serve: it opens its port to clients only when it can."""
        assert self.process is not None  # noqa: S101 - it was just started
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise KafkaUnavailableError(f"Kafka 没有启动，见 {self.log}")
            time.sleep(0.05)


def find_java() -> str:
    """Java 17 or newer: that of JAVA_HOME, else the first on the PATH."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if java is None or not Path(java).exists():
        raise KafkaUnavailableError(
            f"没有 Java：请安装 JDK {JAVA} 或更新版本"
            "（Debian：apt-get install default-jre-headless）"
        )
    said = subprocess.run([java, "-version"], capture_output=True, check=False).stderr.decode()  # noqa: S603
    found = _VERSION.search(said)
    if found is None or int(found[1]) < JAVA:
        version = found[1] if found else "?"
        raise KafkaUnavailableError(f"Java {version} 太旧：Apache Kafka 4 需要 {JAVA} 或更新版本")
    return java


def find_jars() -> Path:
    """The folder of jars, resolved when first asked for, and again when pom.xml has changed."""
    pom = (HERE / "pom.xml").read_bytes()
    folder = JARS / hashlib.sha256(pom).hexdigest()[:12]
    if folder.exists():
        return folder
    JARS.mkdir(exist_ok=True)
    with (JARS / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _resolve(folder)
    return folder


def _resolve(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailableError(
            "没有 Maven，取不到 Apache Kafka 的程序：请安装（Debian：apt-get install maven）"
        )
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    done = subprocess.run(  # noqa: S603 - our own command
        [maven, "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies",
         "-DincludeScope=runtime", f"-DoutputDirectory={partial}"],
        capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()
        raise KafkaUnavailableError(f"Maven 取不到 Apache Kafka：{(said or ['?'])[-1]}")
    partial.rename(folder)


def _answers(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
