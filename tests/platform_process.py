"""The platform as a process of its own, started by its command, and the command beside it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator

ECOCASE = Path(sys.executable).with_name("ecocase")
PATIENCE = 60.0


def free_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Platform:
    """One platform on a folder and port; `start` and `kill` it as often as wanted.

    `settings` are more of its environment, `within` a command that starts it.
    """

    data: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    said: str = ""
    clients: list[httpx.Client] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    within: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What makes a command mean this platform."""
        own = {"ECOCASE_DATA": str(self.data), "ECOCASE_PORT": str(self.port)}
        return {**os.environ, **own, **self.settings}

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the process without waiting."""
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [*self.within, ECOCASE, "serve"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        return self.process

    def start(self) -> None:
        """Start, and return when it is ready."""
        process = self.launch()
        until(lambda: process.poll() is not None or self.ready(), "the platform is ready")
        assert process.poll() is None, process.communicate()[1].decode()

    def ready(self) -> bool:
        """Whether it says so."""
        try:
            return httpx.get(f"{self.url}/readyz", trust_env=False, timeout=5).is_success
        except httpx.TransportError:
            return False

    def signed_out(self, path: str) -> Any:
        """What it answers to whoever has not signed in."""
        return httpx.get(f"{self.url}{path}", trust_env=False, timeout=10).json()

    def interrupt(self) -> float:
        """Press Ctrl-C; gives the seconds it took to end, and keeps what it `said`."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.said = self.process.communicate(timeout=30)[0].decode()
        return time.monotonic() - began

    def kill(self) -> None:
        """Kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()

    def end(self) -> None:
        """Kill it and close what was opened to it."""
        for client in self.clients:
            client.close()
        self.kill()

    def postgres_pid(self) -> int:
        """The embedded server's process."""
        text = (self.data / "postgres" / "cluster" / "postmaster.pid").read_text()
        return int(text.split("\n", 1)[0])

    def processes(self) -> set[int]:
        """Every process of the platform: its own, PostgreSQL's, and PostgreSQL's workers."""
        assert self.process is not None
        return {self.process.pid, *descendants(self.process.pid)}

    def run(self, *arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
        """Run an `ecocase` subcommand against this platform."""
        done = subprocess.run(  # noqa: S603 - our own command
            [ECOCASE, *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            timeout=300,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    def signed_in(self, account: str) -> httpx.Client:
        """A client signed in as a demonstration account."""
        accounts = orjson.loads((self.data / "credentials.json").read_bytes())["accounts"]
        client = httpx.Client(base_url=self.url, trust_env=False, timeout=10)
        granted = client.post(
            "/identity/token",
            json={
                "grant_type": "password",
                "username": account,
                "password": accounts[account]["password"],
            },
        )
        granted.raise_for_status()
        self.clients.append(client)
        client.headers["authorization"] = f"Bearer {granted.json()['access_token']}"
        return client


def until(condition: Any, what: str, seconds: float = PATIENCE) -> None:
    """Return when the condition holds; fail with `what` after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        asyncio.run(asyncio.sleep(0.02))


def alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def descendants(pid: int) -> set[int]:
    """A process's children, and theirs; none where the process is gone."""
    try:
        threads = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except FileNotFoundError:
        return set()
    children = {int(child) for text in threads for child in text.split()}
    return children.union(*map(descendants, children))


@contextmanager
def hung(platform: Platform) -> Iterator[None]:
    """The embedded server stopped in the middle of what it does (SIGSTOP), then going on."""
    server = platform.postgres_pid()
    stopped = [server]
    os.kill(server, signal.SIGSTOP)
    for process in descendants(server):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGSTOP)
            stopped.append(process)
    try:
        yield
    finally:
        for process in stopped:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)
