"""What only the whole platform can measure, read when Prometheus asks: pools, data folder."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from prometheus_client.core import Metric

    from shared.postgres.database import Database


class PlatformMetrics:
    """A Prometheus collector over the platform's databases and data folder."""

    def __init__(self, databases: Mapping[str, Database], data: Path) -> None:
        self._databases = databases
        self._data = data

    def register(self) -> Callable[[], None]:
        """Show them at /metrics from now on; gives what ends that."""
        REGISTRY.register(self)
        return lambda: REGISTRY.unregister(self)

    def collect(self) -> Iterator[Metric]:
        """Measure now."""
        size = GaugeMetricFamily(
            "ecocase_database_connections", "Connections commands may use.", labels=["service"]
        )
        used = GaugeMetricFamily(
            "ecocase_database_connections_used", "Connections in use.", labels=["service"]
        )
        waiting = GaugeMetricFamily(
            "ecocase_database_waiting", "Requests waiting for a connection.", labels=["service"]
        )
        refusals = CounterMetricFamily(
            "ecocase_database_refusals",
            "Requests that got no connection in time.",
            labels=["service"],
        )
        for name, database in self._databases.items():
            lender = database.lender
            size.add_metric([name], lender.size)
            used.add_metric([name], lender.in_use)
            waiting.add_metric([name], lender.waiting)
            refusals.add_metric([name], lender.refused)
        disk = shutil.disk_usage(self._data)
        yield from (size, used, waiting, refusals)
        yield GaugeMetricFamily(
            "ecocase_data_free_bytes", "Free on the data folder's file system.", disk.free
        )
        yield GaugeMetricFamily(
            "ecocase_data_size_bytes", "Size of the data folder's file system.", disk.total
        )
