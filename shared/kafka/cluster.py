"""A Kafka cluster: how it is reached, and how the services' topics are named on it."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FIRST_GENERATION = 1
_GENERATION = re.compile(r"\.g([2-9]|[1-9][0-9]+)")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster; `bootstrap` is host:port, several separated by commas.

    `security` is PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL. `ca` verifies the brokers, and
    `certificate` with `key` is our own, PEM files all.
    """

    bootstrap: str
    prefix: str = "ecocase"
    security: str = "PLAINTEXT"
    mechanism: str = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def topic(self, service: str, generation: int = FIRST_GENERATION) -> str:
        """The name of a generation of a service's topic: `ecocase.cases`, `ecocase.cases.g2`."""
        name = f"{self.prefix}.{service}"
        return name if generation == FIRST_GENERATION else f"{name}.g{generation}"

    def generations(self, service: str, names: object) -> list[int]:
        """The generations of a service's topic among names of topics, in order."""
        first = self.topic(service)
        found = []
        for name in names:  # type: ignore[attr-defined]  # any iterable of names
            if name == first:
                found.append(FIRST_GENERATION)
            elif name.startswith(first) and (later := _GENERATION.fullmatch(name[len(first) :])):
                found.append(int(later[1]))
        return sorted(found)

    def client(self, name: str) -> dict[str, Any]:
        """What every client of aiokafka is told; `name` stands in the brokers' logs.

        Raises OSError or ssl.SSLError where a certificate cannot be read.
        """
        return {
            "bootstrap_servers": [one.strip() for one in self.bootstrap.split(",")],
            "client_id": f"ecocase-{name}",
            "security_protocol": self.security,
            "ssl_context": self._ssl_context() if self.security.endswith("SSL") else None,
            "sasl_mechanism": self.mechanism if self.security.startswith("SASL") else "PLAIN",
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
        }

    def _ssl_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca)
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        return context
