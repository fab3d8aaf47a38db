"""How many requests each route answers, how, and how fast, for Prometheus to read.

The histogram's `_count` is the request count. Labels are bounded: route templates, never paths.
"""

from functools import cache

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Histogram, generate_latest
from starlette.responses import Response

REQUEST_SECONDS = Histogram(
    "ecocase_http_request_seconds",
    "Requests answered, and the seconds each took.",
    ["service", "method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def observe(service: str, method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request; status 0 is a caller who left before the answer began."""
    _series(service, method if method in _METHODS else "other", route, status).observe(seconds)


@cache  # looking a series up by its labels costs more than counting
def _series(service: str, method: str, route: str, status: int) -> Histogram:
    return REQUEST_SECONDS.labels(service, method, route, str(status))


async def metrics_page() -> Response:
    """Every metric of this process in Prometheus's text format."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)
