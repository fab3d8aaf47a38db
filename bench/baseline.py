"""The bare baseline: FastAPI and raw asyncpg, two rows in one transaction, nothing else."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import orjson
from fastapi import FastAPI, Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TABLES = """
CREATE TABLE IF NOT EXISTS bare_case
    (id uuid PRIMARY KEY, state text NOT NULL, body jsonb NOT NULL);
CREATE TABLE IF NOT EXISTS bare_event
    (id uuid PRIMARY KEY, case_id uuid NOT NULL, kind text NOT NULL, body jsonb NOT NULL);
"""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["BENCH_URL"], min_size=1, max_size=6) as pool:
        await pool.execute(TABLES)
        app.state.pool = pool
        yield


app = FastAPI(lifespan=_lifespan)


@app.post("/cases", status_code=201)
async def file_case(request: Request) -> dict[str, Any]:
    """Insert a case and its event."""
    body = orjson.dumps(await request.json()).decode()
    case_id, event_id = uuid4(), uuid4()
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        await connection.execute("INSERT INTO bare_case VALUES ($1, 'filed', $2)", case_id, body)
        await connection.execute(
            "INSERT INTO bare_event VALUES ($1, $2, 'filed', $3)", event_id, case_id, body
        )
    return {"id": str(case_id), "state": "filed"}
