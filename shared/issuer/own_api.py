"""The routes of one's own account: password, second factor, sessions."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from shared.http.handlers import problem_responses
from shared.identity.dependency import CurrentCaller
from shared.issuer.account_schemas import (
    EndedAnswer,
    EnrolmentAnswer,
    NoticesAnswer,
    PasswordChange,
    Proven,
    RecoveryCodes,
    SessionsAnswer,
    session_answer,
)
from shared.issuer.api import CurrentIssuer, origin_of
from shared.issuer.own_account import OwnAccount
from shared.issuer.proof import Proof
from shared.issuer.schemas import notice_answers

router = APIRouter(tags=["我的账号"], responses=problem_responses(409))


@router.post("/password", summary="修改密码", status_code=204)
async def change_password(
    request: Request, issuer: CurrentIssuer, asked: Annotated[PasswordChange, Body()]
) -> None:
    """Change one's own password; every session ends. Asked with the password, not with a token."""
    new = asked.new_password.get_secret_value()
    await OwnAccount(issuer).change_password(_proof(asked), new, origin_of(request))


@router.post("/second-factor", summary="开始启用动态口令")
async def enrol(
    request: Request, response: Response, issuer: CurrentIssuer, asked: Annotated[Proven, Body()]
) -> EnrolmentAnswer:
    """The secret for an authenticator app; it counts once confirmed."""
    made = await OwnAccount(issuer).enrol(_proof(asked), origin_of(request))
    response.headers["Cache-Control"] = "no-store"
    return EnrolmentAnswer(secret=made.secret, uri=made.uri, qr=made.qr)


@router.post("/second-factor/confirm", summary="确认启用动态口令,或者换发恢复码")
async def confirm(
    request: Request, response: Response, issuer: CurrentIssuer, asked: Annotated[Proven, Body()]
) -> RecoveryCodes:
    """Ask for codes from now on; gives recovery codes, new ones each time."""
    codes = await OwnAccount(issuer).confirm(_proof(asked), origin_of(request))
    response.headers["Cache-Control"] = "no-store"
    return RecoveryCodes(recovery_codes=list(codes))


@router.get("/me/notices", summary="我的账号的变动")
async def my_notices(caller: CurrentCaller, issuer: CurrentIssuer) -> NoticesAnswer:
    """What was done to my account within thirty days; to other administrators', if I am one."""
    told = await OwnAccount(issuer).notices(caller)
    return NoticesAnswer(notices=notice_answers(told))


@router.get("/me/sessions", summary="我的会话")
async def my_sessions(caller: CurrentCaller, issuer: CurrentIssuer) -> SessionsAnswer:
    """Where I am signed in."""
    live = await OwnAccount(issuer).live_sessions(caller)
    return SessionsAnswer(sessions=[session_answer(one, caller.session) for one in live])


@router.delete("/me/sessions", summary="全部退出")
async def sign_out_everywhere(
    request: Request, caller: CurrentCaller, issuer: CurrentIssuer
) -> EndedAnswer:
    """End all my sessions, this one too."""
    origin = origin_of(request)
    return EndedAnswer(ended=await OwnAccount(issuer).end_sessions(caller, origin, every=True))


@router.delete("/me/session", summary="退出登录")
async def sign_out(request: Request, caller: CurrentCaller, issuer: CurrentIssuer) -> EndedAnswer:
    """End this session."""
    origin = origin_of(request)
    return EndedAnswer(ended=await OwnAccount(issuer).end_sessions(caller, origin, every=False))


def _proof(asked: Proven) -> Proof:
    return Proof(asked.username, asked.password.get_secret_value(), asked.code)
