"""What kind of body a request says it brings."""

from __future__ import annotations

from shared.http.problem import UnsupportedMediaType

JSON = "application/json"


def require_json(kind: str | None) -> None:
    """Raise `UnsupportedMediaType` for a body said to be anything else; unsaid, it is JSON."""
    if kind is None or kind == JSON:
        return
    named = kind.partition(";")[0].strip().lower()
    if named != JSON and not (named.startswith("application/") and named.endswith("+json")):
        raise UnsupportedMediaType("请以 Content-Type: application/json 提交 JSON")
