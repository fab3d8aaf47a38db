"""Searching the audit trail, newest first, within the auditor's bureau."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from pydantic import BaseModel, Field

from shared.audit.entry import Kind, Outcome
from shared.audit.tables import audit_tables
from shared.search import bigrams

if TYPE_CHECKING:
    from shared.postgres.database import Database


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for; all of it must hold. Times are aware, `ends` is not included."""

    account: str | None = None
    kind: Kind | None = None
    outcome: Outcome | None = None
    object_id: str | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    text: str | None = None

    def as_details(self) -> dict[str, str]:
        """The search as its own audit entry tells it; the words of a text are not repeated."""
        given = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "text"}
        told = {name: str(value) for name, value in given.items() if value is not None}
        return {**told, "text": "有"} if self.text else told


class AuditEntry(BaseModel):
    """An entry as an auditor reads it."""

    id: UUID
    at: datetime = Field(title="时间")
    bureau: str | None = Field(None, title="行政区划代码")
    account: str | None = Field(None, title="账号")
    on_behalf_of: str | None = Field(None, title="录入账号")
    kind: Kind = Field(title="类别")
    kind_title: str = Field(title="类别名称")
    action: str = Field(title="操作")
    object_type: str | None = Field(None, title="对象类别")
    object_id: str | None = Field(None, title="对象编号")
    outcome: Outcome = Field(title="结果")
    status: int | None = Field(None, title="HTTP 状态码")
    problem: str | None = Field(None, title="问题类别")
    article: str | None = Field(None, title="法律依据")
    reason: str | None = Field(None, title="事由")
    address: str | None = Field(None, title="来源地址")
    request_id: str | None = Field(None, title="请求编号")
    trace_id: str | None = None
    count: int = Field(title="次数")
    details: dict[str, Any] = Field(title="详情")
    writer: UUID = Field(title="所在链")
    number: int = Field(title="链中序号")
    hash: str = Field(title="散列")


class AuditPage(BaseModel):
    """A page of entries, newest first; `next` is the cursor of the following one."""

    items: list[AuditEntry]
    next: UUID | None = Field(None, title="下一页游标")


entry = audit_tables(sa.MetaData()).entry
SHOWN = [column for column in entry.c if column.name in AuditEntry.model_fields]


async def search(
    database: Database, bureau: str, asked: Asked, after: UUID | None, limit: int
) -> AuditPage:
    """The entries of a bureau, and those that belong to none since nobody was signed in."""
    columns = entry.c
    query = sa.select(*SHOWN).where((columns.bureau == bureau) | columns.bureau.is_(None))
    for name in ("account", "kind", "outcome", "object_id"):
        if (wanted := getattr(asked, name)) is not None:
            query = query.where(columns[name] == wanted)
    if asked.begins is not None:
        query = query.where(columns.at >= asked.begins)
    if asked.ends is not None:
        query = query.where(columns.at < asked.ends)
    if asked.text:
        query = query.where(columns.words.contains(bigrams(asked.text)))
    if after is not None:
        other = entry.alias()
        at = sa.select(other.c.at).where(other.c.id == after).scalar_subquery()
        query = query.where(sa.tuple_(columns.at, columns.id) < sa.tuple_(at, after))
    query = query.order_by(columns.at.desc(), columns.id.desc()).limit(limit + 1)
    async with database.engine.connect() as connection:
        rows = (await connection.execute(query)).mappings().all()
    items = [_shown(dict(row)) for row in rows[:limit]]
    return AuditPage(items=items, next=items[-1].id if len(rows) > limit else None)


def _shown(row: dict[str, Any]) -> AuditEntry:
    details = row["details"]
    return AuditEntry.model_validate(
        {
            **row,
            "hash": row["hash"].hex(),
            "kind_title": Kind(row["kind"]).title,
            "details": orjson.loads(details) if isinstance(details, str | bytes) else details,
        }
    )
