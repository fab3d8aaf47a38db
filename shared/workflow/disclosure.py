"""Reading an item's personal data unmasked: by those who handle it, for a reason, on record.

`POST …/{id}/disclosures` takes the reason (事由) and answers the item as its ordinary read does,
with nothing masked that the caller may see. The reading stands in the audit trail before it is
answered; where the trail cannot be written, nothing is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.audit.dependency import CurrentTrail
from shared.http.handlers import problem_responses
from shared.identity.dependency import CurrentCaller
from shared.personal import names_a_person
from shared.workflow.masking import disclosed
from shared.workflow.reading import Reader, as_json
from shared.workflow.router import path_id

if TYPE_CHECKING:
    from shared.postgres.database import Database
    from shared.workflow.desk import Desk


def _impersonal(reason: str) -> str:
    if names_a_person(reason):
        msg = "不得含有手机号或身份证号"
        raise ValueError(msg)
    return reason


class DisclosureRequest(BaseModel):
    """Why the data are needed; four Chinese characters at least, and nobody's number."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, AfterValidator(_impersonal)] = Field(
        title="事由",
        description="至少四个汉字；记入审计日志，不得写姓名、电话或证件号码",
        max_length=200,
        pattern="^([^一-龥]*[一-龥]){4}",
        examples=["送达处罚决定书"],
    )


def disclosure_routes(router: APIRouter, desk: Desk, database: Database) -> None:
    """Add the route by which the personal data of a procedure's items are disclosed."""
    reader = Reader(desk, database)
    procedure = desk.procedure

    @router.post(
        f"/{procedure.path}/{{id}}/disclosures",
        summary="查阅未遮盖的个人信息",
        response_model=None,
        tags=[procedure.title],
        responses=problem_responses(404),
    )
    async def disclose(
        caller: CurrentCaller,
        trail: CurrentTrail,
        id: str,  # noqa: A002 - the path's own name
        asked: DisclosureRequest,
    ) -> Response:
        """Read one whole with personal data unmasked, for a reason that is put on record."""
        sight = disclosed(procedure, caller)
        shown = await reader.one(caller, path_id(id), sight)
        await trail.disclosed(caller, asked.reason, persons=sorted(shown["persons"]))
        return as_json(shown, {"etag": f'"{shown["version"]}"', "cache-control": "no-store"})
