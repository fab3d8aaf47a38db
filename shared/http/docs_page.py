"""One page, `/docs`, to read and try every service's API (接口文档).

Swagger UI comes from the files bundled in the package `fastapi-offline`; nothing is fetched from
another host, and the page's Content-Security-Policy forbids it.
"""

from collections.abc import Mapping
from html import escape
from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

_OURS = Path(__file__).parent / "static"
_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; "  # Swagger UI sets styles on its elements
    "img-src 'self' data:; font-src 'self' data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def mount_docs(app: FastAPI, specs: Mapping[str, str]) -> None:
    """Serve the page at `/docs` of `app`.

    Args:
        app: the application that the services are mounted in.
        specs: service title in Chinese -> address of its OpenAPI document on this host. The first
            is shown first; `?service=N` (counted from 0) shows another.
    """
    app.mount("/docs/swagger-ui", StaticFiles(directory=_swagger_ui()), name="swagger-ui")
    app.mount("/docs/static", StaticFiles(directory=_OURS), name="docs-static")
    last = len(specs) - 1

    @app.get("/docs", include_in_schema=False)
    async def docs(service: int = 0) -> HTMLResponse:
        return HTMLResponse(_page(specs, min(max(service, 0), last)), headers=_HEADERS)


def _swagger_ui() -> Path:
    """The folder of the bundled Swagger UI, found without importing the package."""
    spec = find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package fastapi-offline is not installed")
    return Path(spec.origin).parent / "static"


def _page(specs: Mapping[str, str], shown: int) -> str:
    tabs = "\n".join(
        f'<a href="?service={index}"{" aria-current=page" if index == shown else ""}>'
        f"{escape(title)}</a>"
        for index, title in enumerate(specs)
    )
    return f"""<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>环案通 接口文档</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui/swagger-ui.css">
<link rel="stylesheet" href="docs/static/docs.css">
</head>
<body>
<header><strong>环案通 接口文档</strong><nav aria-label="服务">
{tabs}
</nav></header>
<main id="swagger-ui" data-spec="{escape(list(specs.values())[shown])}"></main>
<script src="docs/swagger-ui/swagger-ui-bundle.js"></script>
<script src="docs/static/docs.js"></script>
</body>
</html>
"""
