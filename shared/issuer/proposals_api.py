"""The routes of acts that take two administrators: what waits, confirming and refusing it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from shared.http.handlers import problem_responses
from shared.identity.dependency import CurrentCaller
from shared.issuer.api import CurrentIssuer, origin_of
from shared.issuer.countersigning import Countersigning
from shared.issuer.proposal_schemas import ProposalAnswer, ProposalsAnswer, proposal_answer

router = APIRouter(tags=["双人办理"], responses=problem_responses(409))


def _countersigning(request: Request, issuer: CurrentIssuer) -> Countersigning:
    return Countersigning(issuer, origin_of(request))


Acts = Annotated[Countersigning, Depends(_countersigning)]


@router.get("/proposals", summary="待确认的申请")
async def latest(by: CurrentCaller, issuer: CurrentIssuer, acts: Acts) -> ProposalsAnswer:
    """The latest hundred, decided ones included."""
    now = issuer.now()
    found = await acts.latest(by)
    return ProposalsAnswer(proposals=[proposal_answer(one, now) for one in found])


@router.post("/proposals/{id}/confirm", summary="确认申请")
async def confirm(
    by: CurrentCaller,
    issuer: CurrentIssuer,
    acts: Acts,
    response: Response,
    id: UUID,  # noqa: A002
) -> ProposalAnswer:
    """Do what was proposed; for an administrator of another kind than the proposer."""
    done, part = await acts.confirm(by, id)
    response.headers["Cache-Control"] = "no-store"
    return proposal_answer(done, issuer.now(), part)


@router.post("/proposals/{id}/refuse", summary="驳回或者撤回申请")
async def refuse(
    by: CurrentCaller,
    issuer: CurrentIssuer,
    acts: Acts,
    id: UUID,  # noqa: A002
) -> ProposalAnswer:
    """Refuse it; the proposer withdraws it so."""
    return proposal_answer(await acts.refuse(by, id), issuer.now())
