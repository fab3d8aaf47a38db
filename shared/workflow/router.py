"""A procedure's HTTP API, made from its table: one route a row, and what every procedure has.

Commands are answered directly (`shared.http.direct`): the raw body is validated once against the
row's payload, and the schema is given to OpenAPI beside the route.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model

from shared.clock.law_time import parse_instant
from shared.http.content_type import require_json
from shared.http.direct import JSON, Incoming, Reply, headers_of
from shared.http.handlers import problem_responses
from shared.http.problem import InvalidInput, MissingIdempotencyKey, NotFound
from shared.http.trace import current_trace
from shared.http.validation import validate_json
from shared.identity.dependency import ACTOR_HEADER_NAME, identify
from shared.personal import names_a_person
from shared.workflow.desk import Answer, Asked, Desk

if TYPE_CHECKING:
    from shared.workflow.table import Procedure, Row

MAX_KEY = 200
KEY_PATTERN = "^[!-~]([ -~]*[!-~])?$"
_KEY = re.compile(KEY_PATTERN)
MAX_VERSION_DIGITS = 9


class CommandAnswer(BaseModel):
    """What a command did."""

    id: UUID = Field(title="事项编号")
    state: str = Field(title="状态")
    version: int = Field(title="版本")
    event_id: UUID = Field(title="事件编号")
    type: str = Field(title="事件类型")
    occurred_at: datetime = Field(title="发生时间")
    recorded_at: datetime = Field(title="记录时间")


def body_model(row: Row) -> type[BaseModel]:
    """Describe a command's body: when it happened, and its data."""
    required = any(field.is_required() for field in row.payload.model_fields.values())
    return create_model(
        f"{row.payload.__name__}Command",
        __config__=ConfigDict(extra="forbid"),
        occurred_at=(
            str | None,
            Field(
                None,
                title="发生时间",
                description="RFC 3339；无时区按 Asia/Shanghai，仅日期按 09:00；缺省为现在",
                max_length=40,
            ),
        ),
        data=(row.payload, ... if required else Field(default_factory=row.payload)),
    )


def command_routes(router: APIRouter, desk: Desk, commands: Commands) -> None:
    """Add a POST route for each row of the desk's procedure, to the framework and to `commands`."""
    procedure = desk.procedure
    for row in procedure.rows:
        path = f"/{procedure.path}" if row.opens else f"/{procedure.path}/{{id}}/{row.command}"
        model = body_model(row)
        command = Command(desk, row, TypeAdapter(model), path)
        commands.add(command)
        router.add_api_route(
            path,
            command.endpoint,
            methods=["POST"],
            status_code=201 if row.opens else 200,
            name=f"{procedure.name}:{row.command}",
            operation_id=f"{procedure.name}-{row.command}".replace("-", "_"),
            summary=row.title,
            description=_description(row),
            tags=[procedure.title],
            response_model=CommandAnswer,
            responses=problem_responses(400, 409, 412),
            openapi_extra=_openapi(procedure, row, model),
        )


class Commands:
    """A service's commands by their paths: found by one look-up, however many there are."""

    def __init__(self) -> None:
        self._openings: dict[str, Command] = {}
        self._steps: dict[tuple[str, str], Command] = {}

    def add(self, command: Command) -> None:
        """Add a command by its route."""
        collection, _, step = command.route.partition("/{id}/")
        if step:
            self._steps[collection, step] = command
        else:
            self._openings[collection] = command

    def find(self, method: str, path: str) -> tuple[Command, str | None] | None:
        """Find the command of a request and the id in its path; None where it is none's."""
        if method != "POST":
            return None
        opening = self._openings.get(path)
        if opening is not None:
            return opening, None
        above, _, step = path.rpartition("/")
        collection, _, name = above.rpartition("/")
        command = self._steps.get((collection, step))
        return None if command is None else (command, name)


class Command:
    """One row's route: reads a request, has the desk apply the row, writes the answer."""

    def __init__(self, desk: Desk, row: Row, adapter: TypeAdapter[Any], route: str) -> None:
        self.route = route
        self._desk = desk
        self._row = row
        self._adapter = adapter
        self._status = 201 if row.opens else 200

    async def answer(self, request: Incoming) -> Reply:
        """Answer a request; raises what reading it and `Desk.apply` raise."""
        header = request.header
        caller = await identify(request.scope, header(b"authorization"), header(ACTOR_HEADER_NAME))
        key = header(b"idempotency-key") or ""
        if not key:
            raise MissingIdempotencyKey("请在 Idempotency-Key 头给出本次请求的唯一键")
        if len(key) > MAX_KEY or not _KEY.fullmatch(key):
            raise InvalidInput(f"须为不超过 {MAX_KEY} 个可见 ASCII 字符", field="Idempotency-Key")
        if names_a_person(key):
            raise InvalidInput("不得含有手机号或身份证号", field="Idempotency-Key")
        raw = request.body or b"{}"
        if request.body:
            require_json(header(b"content-type"))
        command = validate_json(self._adapter, raw)
        trace = current_trace()
        answer = await self._desk.apply(
            Asked(
                row=self._row,
                payload=command.data,
                raw=orjson.dumps(orjson.loads(raw), option=orjson.OPT_SORT_KEYS),
                caller=caller,
                key=key,
                aggregate_id=None if request.name is None else str(path_id(request.name)),
                at=_instant(command.occurred_at),
                expected=_expected(header(b"if-match")),
                traceparent=trace.traceparent if trace else None,
            )
        )
        headers = [JSON, (b"etag", b'"%d"' % answer.version)]
        if answer.replayed:
            headers.append((b"idempotent-replayed", b"true"))
        return Reply(self._status, headers, orjson.dumps(_shown(answer)))

    async def endpoint(self, request: Request) -> Response:
        """Answer a request that came through the framework."""
        headers = headers_of(request.scope)
        name = request.path_params.get("id")
        status, raw_headers, body = await self.answer(
            Incoming(request.scope, headers, await request.body(), name)
        )
        response = Response(body, status)
        response.raw_headers[:0] = raw_headers
        return response


def _shown(answer: Answer) -> dict[str, Any]:
    return {
        "id": answer.id,
        "state": answer.state,
        "version": answer.version,
        "event_id": answer.event_id,
        "type": answer.type,
        "occurred_at": answer.occurred_at,
        "recorded_at": answer.recorded_at,
    }


def path_id(text: str) -> UUID:
    """Read an id from a path; what is no UUID names nothing, so it is a 404."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("没有这一事项，或不在本机关管辖范围内") from None


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = parse_instant(text)
    except ValueError as error:
        raise InvalidInput(str(error), field="occurred_at") from error
    if instant < datetime(1990, 1, 1, tzinfo=UTC):
        raise InvalidInput("发生时间早于 1990 年", field="occurred_at")
    return instant


def _expected(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdigit() or len(text) > MAX_VERSION_DIGITS:
        raise InvalidInput("If-Match 应为上次读到的 ETag", field="If-Match")
    return int(text)


def _description(row: Row) -> str:
    parts = [f"依据：{row.article.text}"]
    if row.article.mark.needs_check:
        parts.append("（须法制科核对）")
    parts.append(f"。可由{'、'.join(sorted(role.title for role in row.roles))}办理。")
    if row.guards:
        parts.append(
            "条件：" + "；".join(f"{g.name}（{g.article.text}）" for g in row.guards) + "。"
        )
    if row.document:
        parts.append(f"文书：{row.document}。")
    return "".join(parts)


def _openapi(procedure: Procedure, row: Row, model: type[BaseModel]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "本次请求的唯一键；重发须用同一键和同一内容",
            "schema": {
                "type": "string",
                "minLength": 1,
                "maxLength": MAX_KEY,
                "pattern": KEY_PATTERN,
            },
        }
    ]
    if not row.opens:
        parameters.append(
            {
                "name": "id",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "format": "uuid"},
            }
        )
        parameters.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": False,
                "description": "上次读到的 ETag；已有新版本时拒绝",
                "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$'},
            }
        )
    example = {"occurred_at": "2024-03-01", "data": dict(procedure.examples[row.command])}
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {
        "security": [{"HTTPBearer": []}],
        "parameters": parameters,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _inlined(schema), "example": example}},
        },
    }


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Put a schema's own definitions where they are used, since routes share one document."""
    definitions = schema.pop("$defs", {})

    def walk(node: Any) -> Any:
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str):
                rest = {key: value for key, value in node.items() if key != "$ref"}
                return {**walk(definitions[reference.rsplit("/", 1)[1]]), **rest}
            return {key: walk(value) for key, value in node.items()}
        if isinstance(node, list):
            return [walk(inner) for inner in node]
        return node

    inlined: dict[str, Any] = walk(schema)
    return inlined
