"""The routes of administrators; who may do what is decided in `administration` alone."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response

from shared.http.handlers import problem_responses
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
from shared.issuer.schemas import held_roles

router = APIRouter(tags=["账号管理"], responses=problem_responses(409))


def _administration(request: Request, issuer: CurrentIssuer) -> Administration:
    return Administration(issuer, origin_of(request))


Acts = Annotated[Administration, Depends(_administration)]
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


@router.post("/accounts/{account}/disable", summary="停用账号")
async def disable(by: CurrentCaller, acts: Acts, account: Name) -> AccountAnswer:
    """Sign it in no more, and end its sessions."""
    await acts.disable(by, account)
    return account_answer(await acts.overview(by, account))


@router.post("/accounts/{account}/enable", summary="启用账号")
async def enable(by: CurrentCaller, acts: Acts, account: Name) -> AccountAnswer:
    """Let it sign in again."""
    await acts.enable(by, account)
    return account_answer(await acts.overview(by, account))


@router.put("/accounts/{account}/roles", summary="设定角色")
async def set_roles(
    by: CurrentCaller, acts: Acts, account: Name, asked: Annotated[WantedRoles, Body()]
) -> AccountAnswer:
    """Give it these roles and no others."""
    await acts.set_roles(by, account, frozenset(asked.roles))
    return account_answer(await acts.overview(by, account))


@router.post("/accounts/{account}/password", summary="重置密码")
async def reset_password(
    by: CurrentCaller, acts: Acts, response: Response, account: Name
) -> OneTimePassword:
    """Give it a one-time password."""
    password = await acts.reset_password(by, account)
    response.headers["Cache-Control"] = "no-store"
    return OneTimePassword(one_time_password=password)


@router.delete("/accounts/{account}/second-factor", summary="重置动态口令")
async def reset_second_factor(by: CurrentCaller, acts: Acts, account: Name) -> AccountAnswer:
    """Remove its second factor, to be enrolled anew."""
    await acts.reset_second_factor(by, account)
    return account_answer(await acts.overview(by, account))


@router.post("/accounts/{account}/unlock", summary="解锁账号")
async def unlock(by: CurrentCaller, acts: Acts, account: Name) -> AccountAnswer:
    """End the lock that failures led to."""
    await acts.unlock(by, account)
    return account_answer(await acts.overview(by, account))


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


@router.put("/policy/second-factor-roles", summary="规定须用动态口令的角色")
async def require_second_factor(
    by: CurrentCaller, acts: Acts, asked: Annotated[WantedRoles, Body()]
) -> PolicyAnswer:
    """Ask these roles for a second factor, and no others."""
    await acts.require_second_factor(by, frozenset(asked.roles))
    return await policy(by, acts)
