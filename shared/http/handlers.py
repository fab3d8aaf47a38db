"""The one place where an error becomes an answer: RFC 9457, in Chinese, in UTF-8."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from shared.http.content_type import require_json
from shared.http.problem import (
    MEDIA_TYPE,
    BadRequest,
    BodyTooLarge,
    InvalidInput,
    MethodNotAllowed,
    NotFound,
    Problem,
    RoleForbidden,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from shared.http.trace import current_trace
from shared.http.validation import invalid_input

log = structlog.stdlib.get_logger("ecocase.http")

# Says of an error whether it means that the database cannot be reached.
Unreachable = Callable[[BaseException], bool]

_BY_STATUS: dict[int, type[Problem]] = {
    problem.status: problem
    for problem in (
        BadRequest,
        Unauthenticated,
        RoleForbidden,
        NotFound,
        MethodNotAllowed,
        BodyTooLarge,
        UnsupportedMediaType,
        InvalidInput,
        TooManyRequests,
        Unavailable,
    )
}


def install(app: FastAPI) -> None:
    """Make `app` answer every foreseen error with problem details."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)


async def witnessed(request: Request, problem: Problem) -> None:
    """Have the application's witness, where it has one, record a refusal before it is answered."""
    if (witness := getattr(request.app.state, "witness", None)) is not None:
        await witness(request, problem)


def answer(problem: Problem) -> Response:
    """The problem as a response; it names the request, so that the log can be found."""
    document = problem.as_json()
    if trace := current_trace():
        document["request_id"] = trace.request_id
    return Response(
        orjson.dumps(document),
        status_code=problem.status,
        headers=problem.headers,
        media_type=MEDIA_TYPE,
    )


def problem_for(error: Exception, unreachable: Unreachable) -> Problem:
    """What the caller is told of an error nobody foresaw: little; the log has the rest."""
    if isinstance(error, Problem):
        return error
    if unreachable(error):
        log.warning("database unreachable", exc_info=error)
        return Unavailable()
    log.error("unhandled error", exc_info=error)
    return Problem("请将请求编号告知系统管理员")


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI descriptions of these statuses, for a route's or an app's `responses`."""
    return {status: PROBLEM_RESPONSES[status] for status in statuses}


def _described(description: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{SCHEMA_NAME}"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


SCHEMA_NAME = "ProblemDocument"
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "title": "问题说明",
    "description": "RFC 9457",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "description": "问题类别，长期不变"},
        "title": {"type": "string", "description": "问题名称"},
        "status": {"type": "integer", "description": "HTTP 状态码"},
        "detail": {"type": "string", "description": "具体说明"},
        "field": {"type": "string", "description": "有问题的字段"},
        "article": {"type": ["object", "string"], "description": "法律依据"},
        "errors": {
            "type": "array",
            "description": "逐个字段的问题",
            "items": {
                "type": "object",
                "required": ["field", "reason"],
                "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
        "request_id": {"type": "string", "description": "请求编号"},
    },
}
PROBLEM_RESPONSES: Mapping[int, dict[str, Any]] = {
    400: _described("缺少幂等键，或请求无法识别"),
    401: _described("未登录或登录已失效"),
    403: _described("没有办理权限"),
    404: _described("未找到，或不属于本局"),
    405: _described("不支持这种请求方法"),
    409: _described("当前状态不能办理、不符合法律规定，或与他人同时办理"),
    412: _described("内容已被他人更新"),
    413: _described("提交的内容过大"),
    415: _described("内容类型不是 application/json"),
    422: _described("填写的内容不合规定，或幂等键已用于另一项请求"),
    429: _described("请求过于频繁"),
    503: _described("服务暂时不可用"),
}


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101  registered for this class
    await witnessed(request, error)
    return answer(error)


async def _on_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this class
    if any(one["loc"][:1] == ("body",) for one in error.errors()) and error.body:
        try:  # what is not said to be JSON was not read as such, hence «missing»
            require_json(request.headers.get("content-type"))
        except UnsupportedMediaType as problem:
            return answer(problem)
    return answer(invalid_input(error.errors()))


async def _on_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for this class
    return answer(_from_http(error))


def _from_http(error: HTTPException) -> Problem:
    cause = error.__cause__
    if isinstance(cause, Problem):  # the framework wraps whatever stops it reading the body
        return cause
    if isinstance(cause, (ValueError, RecursionError)):
        return InvalidInput("提交的内容无法解析")
    kind = _BY_STATUS.get(error.status_code) or _unnamed(error.status_code)
    return kind(headers=error.headers)


def _unnamed(status: int) -> type[Problem]:
    """A problem of a status the platform itself never gives, such as a framework's 415."""
    slug = HTTPStatus(status).phrase.lower().replace(" ", "-")
    return type(
        "HttpProblem", (Problem,), {"status": status, "slug": slug, "title": "请求未能处理"}
    )
