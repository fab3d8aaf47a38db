"""What the routes of proposals give: acts that take two administrators."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from shared.identity.roles import Role
from shared.issuer.proposals import Decision, Proposal
from shared.issuer.witness import Action


class ProposalAnswer(BaseModel):
    """An act that one administrator asked for, and how it stands."""

    id: UUID
    action: Annotated[Action, Field(description="操作")]
    title: Annotated[str, Field(description="操作名称")]
    account: Annotated[str, Field(description="账号;空的是对全部账号的规则")]
    before: Annotated[dict[str, Any], Field(description="办理前")]
    after: Annotated[dict[str, Any], Field(description="办理后")]
    proposed_by: Annotated[str, Field(description="申请人")]
    proposed_as: Annotated[Role, Field(description="申请人的角色,须由另一类管理员确认")]
    proposed_at: Annotated[datetime, Field(description="申请时间")]
    expires_at: Annotated[datetime, Field(description="逾此不得再确认")]
    decision: Annotated[Decision, Field(description="现状")]
    decision_title: Annotated[str, Field(description="现状名称")]
    decided_by: Annotated[str | None, Field(description="确认人、驳回人或者撤回人")]
    decided_at: Annotated[datetime | None, Field(description="确认、驳回或者撤回时间")]
    one_time_password_part: Annotated[
        str | None,
        Field(description="一次性密码中交由本人转达的一半,只显示一次:申请人前一半,确认人后一半"),
    ] = None


class ProposalsAnswer(BaseModel):
    """Proposals, the newest first."""

    proposals: list[ProposalAnswer]


def proposal_answer(proposal: Proposal, now: datetime, part: str | None = None) -> ProposalAnswer:
    """A proposal for an answer."""
    stands = proposal.stands(now)
    return ProposalAnswer(
        id=proposal.id,
        action=proposal.action,
        title=proposal.action.title,
        account=proposal.account,
        before=dict(proposal.before),
        after=dict(proposal.after),
        proposed_by=proposal.proposed_by,
        proposed_as=proposal.proposed_as,
        proposed_at=proposal.proposed_at,
        expires_at=proposal.expires_at,
        decision=stands,
        decision_title=stands.title,
        decided_by=proposal.decided_by,
        decided_at=proposal.decided_at,
        one_time_password_part=part,
    )
