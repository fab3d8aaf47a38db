"""A small application made the way every service is, called without a network."""

import logging
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Annotated, Any, Literal

import httpx
import pytest
import structlog
from fastapi import APIRouter, FastAPI, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from shared.http import logs
from shared.http.app import create_app
from shared.http.handlers import problem_responses
from shared.http.middleware import allow_body
from shared.http.problem import RefusedByLaw, Unauthenticated
from shared.http.validation import validate_json


class Party(BaseModel):
    """One named in a filing."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=2, max_length=10)


class Filing(BaseModel):
    """What files a case: a field of every kind."""

    model_config = ConfigDict(extra="forbid")

    source: Literal["巡查", "举报"]
    amount: Decimal = Field(gt=0, decimal_places=2)
    when: AwareDatetime
    parties: list[Party] = []
    points: int = 0
    remarks: dict[str, Any] = {}

    @field_validator("when")
    @classmethod
    def not_before_the_law(cls, when: datetime) -> datetime:
        if when.year < 1979:
            raise ValueError("早于《环境保护法（试行）》施行")
        return when


class Citation:
    """An article of law, as the HTTP side sees one."""

    def as_json(self) -> dict[str, str]:
        return {"law": "行政处罚法", "article": "36"}


FILING: TypeAdapter[Filing] = TypeAdapter(Filing)
cases = APIRouter(prefix="/cases", tags=["案件"])


@cases.post("", summary="立案", responses=problem_responses(400, 409))
async def file_case(filing: Filing) -> Filing:
    return filing


@cases.post("/fast", summary="快速立案", responses=problem_responses(400, 409))
async def file_case_fast(request: Request) -> Filing:
    return validate_json(FILING, await request.body())


@cases.post("/evidence", summary="上传证据")
async def upload(request: Request) -> dict[str, int]:
    allow_body(request, 4000)
    return {"size": sum([len(chunk) async for chunk in request.stream()])}


@cases.get("", summary="案件列表")
async def list_cases(limit: Annotated[int, Query(ge=1, le=50)] = 10) -> dict[str, int]:
    return {"limit": limit}


@cases.get("/{number}", summary="案件详情")
async def read_case(number: str) -> dict[str, str]:
    match number:
        case "expired":
            raise RefusedByLaw("违法行为已过追究时效", field="found_at", article=Citation())
        case "secret":
            raise Unauthenticated
        case "crash":
            raise RuntimeError("张三 13800000000")
        case "database-down":
            raise ConnectionRefusedError("10.0.0.1")
    return {"number": number}


@pytest.fixture
def app() -> FastAPI:
    service = create_app(
        service="cases",
        title="案件",
        description="行政处罚",
        version="1",
        unreachable=lambda error: isinstance(error, ConnectionError),
        body_limit=1000,
    )
    service.include_router(cases, prefix="/v1")
    return service


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://ecocase.test") as client:
        yield client


@pytest.fixture
def log() -> Iterator[BytesIO]:
    """What is logged during a test, one JSON object a line."""
    out = BytesIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    logs.configure(stream=out)
    yield out
    structlog.reset_defaults()
    logs.lines.stream = None
    root.handlers, root.level = handlers, level
