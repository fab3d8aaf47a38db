"""Whether the process lives (`/livez`) and whether it can do its work (`/readyz`)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from fastapi import APIRouter

from shared.http.handlers import problem_responses
from shared.http.problem import FieldError, Unavailable

log = structlog.stdlib.get_logger("ecocase.health")

Check = Callable[[], Awaitable[None]]
PATIENCE = 2.0  # seconds a check may take


class NotReady(Exception):  # noqa: N818  a state, not a fault
    """What a check raises; its message, in Chinese, is shown to whoever asks."""


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    """The two health addresses.

    Args:
        checks: by Chinese name (数据库, 消息中继 …), each a coroutine function that raises, best
            `NotReady`, when the service cannot do its work.
    """
    router = APIRouter(tags=["健康检查"])

    @router.get("/livez", summary="进程存活")
    async def livez() -> dict[str, str]:
        return {"status": "正常"}

    @router.get("/readyz", summary="可以提供服务", responses=problem_responses(503))
    async def readyz() -> dict[str, str]:
        reasons = await asyncio.gather(*(_run(name, check) for name, check in checks.items()))
        failed = [
            FieldError(field=name, reason=reason)
            for name, reason in zip(checks, reasons, strict=True)
            if reason
        ]
        if failed:
            names = "、".join(failure["field"] for failure in failed)
            raise Unavailable(f"未就绪：{names}", errors=failed)
        return dict.fromkeys(checks, "正常")

    return router


async def _run(name: str, check: Check) -> str | None:
    """Why the check fails, in Chinese; None when it passes."""
    try:
        async with asyncio.timeout(PATIENCE):
            await check()
    except NotReady as reason:
        return str(reason)
    except TimeoutError:
        return f"{PATIENCE:g} 秒内没有回应"
    except Exception:
        log.exception("readiness check failed", check=name)
        return "检查未通过"
    return None
