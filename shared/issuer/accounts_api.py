"""The routes of administrators; who may do what is decided in `administration` alone."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response

from shared.http.handlers import problem_responses
from shared.identity.caller import Caller
from shared.identity.dependency import CurrentCaller
from shared.identity.officers import Certificate
from shared.issuer.account_schemas import (
    AccountAnswer,
    AccountsAnswer,
    EndedAnswer,
    NewAccount,
    OneTimePassword,
    PolicyAnswer,
    SessionsAnswer,
    Term,
    WantedRoles,
    account_answer,
    session_answer,
)
from shared.issuer.administration import Administration
from shared.issuer.api import CurrentIssuer, origin_of
from shared.issuer.countersigning import Result
from shared.issuer.issuer import Issuer
from shared.issuer.proposal_schemas import ProposalAnswer, proposal_answer
from shared.issuer.schemas import held_roles

router = APIRouter(tags=["账号管理"], responses=problem_responses(409))
WAITS: dict[int | str, dict[str, Any]] = {
    202: {"model": ProposalAnswer, "description": "涉及管理员,已提出申请,待另一类管理员确认"}
}


def _administration(request: Request, issuer: CurrentIssuer) -> Administration:
    return Administration(issuer, origin_of(request))


Acts = Annotated[Administration, Depends(_administration)]


@dataclass(frozen=True, slots=True)
class Answering:
    """How an act is answered that may have been done, or wait for a second administrator."""

    by: Caller
    acts: Administration
    issuer: Issuer
    response: Response

    def waiting(self, result: Result) -> ProposalAnswer | None:
        """The proposal, with status 202; None where the act was done."""
        self.response.headers["Cache-Control"] = "no-store"
        if result.proposal is None:
            return None
        self.response.status_code = 202
        return proposal_answer(result.proposal, self.issuer.now(), result.secret)

    async def account(self, name: str, result: Result) -> AccountAnswer | ProposalAnswer:
        """The proposal, or the account as it is now."""
        return self.waiting(result) or account_answer(await self.acts.overview(self.by, name))


def _answering(
    by: CurrentCaller, acts: Acts, issuer: CurrentIssuer, response: Response
) -> Answering:
    return Answering(by, acts, issuer, response)


Answer = Annotated[Answering, Depends(_answering)]
Name = Annotated[str, Path(max_length=64, description="账号")]
Number = Annotated[str, Path(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,39}$", description="执法证号")]


@router.get("/accounts", summary="账号列表")
async def listed(
    by: CurrentCaller,
    acts: Acts,
    after: Annotated[str, Query(max_length=64, description="从这一账号之后列起")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AccountsAnswer:
    """The accounts of one's bureau."""
    return AccountsAnswer(
        accounts=[account_answer(one) for one in await acts.overviews(by, after, limit)]
    )


@router.post("/accounts", summary="新建账号", status_code=201)
async def create(
    by: CurrentCaller, acts: Acts, asked: Annotated[NewAccount, Body()]
) -> AccountAnswer:
    """Make an account without role and password: the security administrator gives both."""
    await acts.create(by, asked.account, asked.display_name)
    return account_answer(await acts.overview(by, asked.account))


@router.get("/accounts/{account}", summary="账号")
async def shown(by: CurrentCaller, acts: Acts, account: Name) -> AccountAnswer:
    """One account."""
    return account_answer(await acts.overview(by, account))


@router.post("/accounts/{account}/disable", summary="停用账号", responses=WAITS)
async def disable(
    by: CurrentCaller, acts: Acts, answer: Answer, account: Name
) -> AccountAnswer | ProposalAnswer:
    """Sign it in no more, and end its sessions."""
    return await answer.account(account, await acts.disable(by, account))


@router.post("/accounts/{account}/enable", summary="启用账号", responses=WAITS)
async def enable(
    by: CurrentCaller, acts: Acts, answer: Answer, account: Name
) -> AccountAnswer | ProposalAnswer:
    """Let it sign in again."""
    return await answer.account(account, await acts.enable(by, account))


@router.put("/accounts/{account}/roles", summary="设定角色", responses=WAITS)
async def set_roles(
    by: CurrentCaller,
    acts: Acts,
    answer: Answer,
    account: Name,
    asked: Annotated[WantedRoles, Body()],
) -> AccountAnswer | ProposalAnswer:
    """Give it these roles and no others; who becomes an administrator gets a new password."""
    return await answer.account(account, await acts.set_roles(by, account, frozenset(asked.roles)))


@router.post("/accounts/{account}/password", summary="重置密码", responses=WAITS)
async def reset_password(
    by: CurrentCaller, acts: Acts, answer: Answer, account: Name
) -> OneTimePassword | ProposalAnswer:
    """Give it a one-time password; an administrator's comes in two parts, by two administrators."""
    done = await acts.reset_password(by, account)
    return answer.waiting(done) or OneTimePassword(one_time_password=done.secret or "")


@router.delete("/accounts/{account}/second-factor", summary="重置动态口令", responses=WAITS)
async def reset_second_factor(
    by: CurrentCaller, acts: Acts, answer: Answer, account: Name
) -> AccountAnswer | ProposalAnswer:
    """Remove its second factor, to be enrolled anew."""
    return await answer.account(account, await acts.reset_second_factor(by, account))


@router.post("/accounts/{account}/unlock", summary="解锁账号", responses=WAITS)
async def unlock(
    by: CurrentCaller, acts: Acts, answer: Answer, account: Name
) -> AccountAnswer | ProposalAnswer:
    """End the lock that failures led to."""
    return await answer.account(account, await acts.unlock(by, account))


@router.get("/accounts/{account}/sessions", summary="账号的会话")
async def live_sessions(by: CurrentCaller, acts: Acts, account: Name) -> SessionsAnswer:
    """Where it is signed in."""
    live = await acts.live_sessions(by, account)
    return SessionsAnswer(sessions=[session_answer(one, by.session) for one in live])


@router.delete("/accounts/{account}/sessions", summary="终止账号的会话")
async def end_sessions(by: CurrentCaller, acts: Acts, account: Name) -> EndedAnswer:
    """Sign it out everywhere."""
    return EndedAnswer(ended=await acts.end_sessions(by, account))


@router.put("/accounts/{account}/certificates/{number}", summary="登记执法证件")
async def set_certificate(
    by: CurrentCaller, acts: Acts, account: Name, number: Number, asked: Annotated[Term, Body()]
) -> AccountAnswer:
    """Enter a term of validity, or change the last day of the one that begins on the same day."""
    held = Certificate(account, number, asked.valid_from, asked.valid_to)
    await acts.set_certificate(by, held)
    return account_answer(await acts.overview(by, account))


@router.delete("/accounts/{account}/certificates/{number}", summary="删除误登的执法证件")
async def remove_certificate(
    by: CurrentCaller,
    acts: Acts,
    account: Name,
    number: Number,
    valid_from: Annotated[date, Query(description="有效期起")],
) -> AccountAnswer:
    """Remove a term entered in error; a certificate withdrawn gets an earlier last day instead."""
    await acts.remove_certificate(by, Certificate(account, number, valid_from, valid_from))
    return account_answer(await acts.overview(by, account))


@router.get("/policy", summary="登录规则")
async def policy(by: CurrentCaller, acts: Acts) -> PolicyAnswer:
    """The rules for all accounts."""
    rules = await acts.policy(by)
    return PolicyAnswer(
        demonstration=rules.demonstration,
        second_factor_roles=held_roles(rules.second_factor_roles),
    )


@router.put("/policy/second-factor-roles", summary="规定须用动态口令的角色", responses=WAITS)
async def require_second_factor(
    by: CurrentCaller, acts: Acts, answer: Answer, asked: Annotated[WantedRoles, Body()]
) -> PolicyAnswer | ProposalAnswer:
    """Ask these roles for a second factor, and no others; the administrators are always asked."""
    done = await acts.require_second_factor(by, frozenset(asked.roles))
    return answer.waiting(done) or await policy(by, acts)
