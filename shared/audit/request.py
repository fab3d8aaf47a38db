"""What the trail notes of a request: which route, which object, from where, on whose behalf."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.http.middleware import ObservedApp
from shared.http.trace import current_trace

if TYPE_CHECKING:
    from fastapi import Request

    from shared.identity.caller import Caller

_told: ContextVar[str | None] = ContextVar("ecocase_audit_told", default=None)


def tell() -> None:
    """Say that the refusal of the request being served is on record, better than by its answer."""
    trace = current_trace()
    _told.set(trace.request_id if trace else None)


def is_told() -> bool:
    """Whether `tell` was called for the request being served."""
    trace = current_trace()
    return trace is not None and _told.get() == trace.request_id


def of_request(request: Request) -> dict[str, Any]:
    """Fields of an `Entry`: action and object by the route's template, source and trace.

    An object's id is taken only if it is a UUID: what else stands in a path may be anything.
    """
    scope = request.scope
    app = request.app
    template = app.templates.get(scope.get("endpoint")) if isinstance(app, ObservedApp) else None
    object_id = _uuid(scope.get("path_params", {}).get("id"))
    trace = current_trace()
    return {
        "action": f"{request.method} {template or '未知路径'}",
        "object_type": template.split("/")[1] if template and object_id else None,
        "object_id": object_id,
        "address": request.client.host if request.client else None,
        "request_id": trace.request_id if trace else None,
        "trace_id": trace.trace_id if trace else None,
    }


def of_caller(caller: Caller) -> dict[str, Any]:
    """Fields of an `Entry`: bureau, the account answerable, and who acted on its behalf."""
    return {
        "bureau": caller.bureau,
        "account": caller.account,
        "on_behalf_of": caller.on_behalf_of,
    }


def _uuid(text: object) -> str | None:
    try:
        return str(UUID(str(text)))
    except ValueError:
        return None
