"""The page at `/`: what is running, and where to go from here; JSON for programs."""

from __future__ import annotations

import asyncio
from html import escape
from typing import TYPE_CHECKING

import orjson
from starlette.responses import HTMLResponse, Response

from shared.http.health import PATIENCE
from shared.postgres.database import NotReady

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import Request

    from services.launch.site import Part
    from shared.postgres.database import Database
    from shared.relay.relay import Relay

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2b26; --soft: #5c6f67; --line: #d7e2dc;
  --paper: #f6f9f7; --card: #fff; --leaf: #16794c; --alarm: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4eee9; --soft: #9db1a8; --line: #2c3b35;
  --paper: #111a16; --card: #18231e; --leaf: #57c793; --alarm: #ff8a80; } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.6 "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 3rem 1.5rem }
h1 { margin: 0; font-size: 2rem } h1 small { color: var(--soft); font-weight: 400; font-size: 1rem }
p.lead { margin: .25rem 0 2rem; color: var(--soft) }
ul { list-style: none; padding: 0; display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)) }
li { background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  padding: 1rem 1.25rem }
h2 { margin: 0 0 .25rem; font-size: 1.1rem; display: flex; justify-content: space-between }
.state { font-size: .85rem; font-weight: 400; color: var(--leaf) }
.state.bad { color: var(--alarm) } li p { margin: 0; color: var(--soft); font-size: .9rem }
a { color: var(--leaf) } code { font-size: .85em }
footer { margin-top: 2rem; color: var(--soft) } footer a { margin-right: 1.25rem }
"""


async def home_page(
    request: Request,
    parts: Sequence[Part],
    databases: Mapping[str, Database],
    relays: Mapping[str, Relay],
    release: str,
) -> Response:
    """Show each service, whether it can work, and how far its events lag."""
    running = []
    reasons = await asyncio.gather(*(_reason(databases[part.name]) for part in parts))
    for part, reason in zip(parts, reasons, strict=True):
        relay = relays.get(part.name)
        running.append(
            {
                "name": part.name,
                "title": part.title,
                "ready": reason is None,
                "reason": reason,
                "lag_seconds": None if relay is None else round(relay.lag_seconds, 3),
                "url": f"/{part.name}",
            }
        )
    if "text/html" not in request.headers.get("accept", ""):
        content = {"platform": "ecocase", "version": release, "services": running}
        return Response(orjson.dumps(content), media_type="application/json")
    cards = "\n".join(
        _card(index, part, str(state["reason"] or ""), state["lag_seconds"])
        for index, (part, state) in enumerate(zip(parts, running, strict=True))
    )
    return HTMLResponse(
        f"""<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>环案通 EcoCase</title><link rel="icon" href="data:,"><style>{_STYLE}</style></head>
<body><main>
<h1>环案通 <small>EcoCase {escape(release)}</small></h1>
<p class="lead">区县生态环境局办案平台：程序依法，步步留痕，数据自证。</p>
<ul>
{cards}
</ul>
<footer>
<a href="/docs">接口文档</a><a href="/readyz">就绪检查</a><a href="/metrics">运行指标</a>
</footer>
</main></body></html>
""",
        headers={"Content-Security-Policy": _POLICY},
    )


async def _reason(database: Database) -> str | None:
    try:
        async with asyncio.timeout(PATIENCE):
            await database.ready()
    except NotReady as reason:
        return str(reason)
    except TimeoutError:
        return f"{PATIENCE:g} 秒内没有回应"
    return None


def _card(index: int, part: Part, reason: str, lag: object) -> str:
    state = (
        f'<span class="state bad">{escape(reason)}</span>'
        if reason
        else '<span class="state">● 运行中</span>'
    )
    waiting = "" if lag is None else f"，事件滞后 {lag} 秒"
    return (
        f"<li><h2>{escape(part.title)}{state}</h2>"
        f"<p><code>/{escape(part.name)}</code>{waiting}　"
        f'<a href="/docs?service={index}">接口</a></p></li>'
    )
