"""The issuer over HTTP: sign-in, keys, ended sessions, who am I, and officers' certificates.

The application keeps its `Issuer` in `app.state.issuer` and its `TokenVerifier` in
`app.state.verifier`.
"""

from dataclasses import asdict
from typing import Annotated
from urllib.parse import parse_qsl

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import TypeAdapter

from shared.http.content_type import require_json
from shared.http.problem import InvalidInput
from shared.http.validation import validate_json
from shared.identity.caller import BUREAU_PATTERN
from shared.identity.dependency import CurrentCaller
from shared.identity.officers import OfficerAnswer
from shared.identity.revocations import EndedSessions
from shared.issuer.issuer import Issuer
from shared.issuer.proof import Proof
from shared.issuer.schemas import (
    Configuration,
    JsonWebKeySet,
    Me,
    PasswordGrant,
    PreviousSignIn,
    RefreshGrant,
    TokenAnswer,
    TokenRequest,
    held_roles,
    notice_answers,
)
from shared.issuer.signing import ALGORITHM
from shared.issuer.witness import Origin

router = APIRouter(tags=["身份认证"])

_token_request: TypeAdapter[TokenRequest] = TypeAdapter(TokenRequest)
_SCHEMA = {"oneOf": [PasswordGrant.model_json_schema(), RefreshGrant.model_json_schema()]}
_FORM = "application/x-www-form-urlencoded"
_MOST_ACCOUNTS = 100


def _issuer(request: Request) -> Issuer:
    issuer: Issuer = request.app.state.issuer
    return issuer


CurrentIssuer = Annotated[Issuer, Depends(_issuer)]


@router.post(
    "/token",
    summary="登录或续期",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _SCHEMA}, _FORM: {"schema": _SCHEMA}},
        }
    },
)
async def token(request: Request, response: Response, issuer: CurrentIssuer) -> TokenAnswer:
    """Exchange a password or a refresh token for tokens; JSON or a form."""
    asked = await _asked(request)
    origin = origin_of(request)
    if isinstance(asked, PasswordGrant):
        proof = Proof(asked.username, asked.password.get_secret_value(), asked.code)
        grant = await issuer.sign_in(proof, origin)
    else:
        grant = await issuer.refresh(asked.refresh_token.get_secret_value(), origin)
    response.headers["Cache-Control"] = "no-store"  # RFC 6749, 5.1
    now = issuer.now()
    return TokenAnswer(
        access_token=grant.access_token,
        expires_in=max(0, round((grant.expires_at - now).total_seconds())),
        refresh_token=grant.refresh_token,
        refresh_expires_in=max(0, round((grant.refresh_expires_at - now).total_seconds())),
        notices=notice_answers(grant.notices),
        previous_sign_in=None
        if grant.previous is None
        else PreviousSignIn(**asdict(grant.previous)),
    )


@router.get("/jwks.json", summary="签名公钥")
async def jwks(issuer: CurrentIssuer) -> JsonWebKeySet:
    """The public keys that verify access tokens."""
    return JsonWebKeySet.model_validate(issuer.keys.public())


@router.get("/revocations", summary="近期被终止的会话")
async def revocations(issuer: CurrentIssuer) -> EndedSessions:
    """The sessions that services refuse though their access tokens have not expired."""
    return EndedSessions(ended=issuer.revocations.ended())


@router.get("/.well-known/openid-configuration", summary="身份认证服务配置")
async def configuration(issuer: CurrentIssuer) -> Configuration:
    """Where to sign in and where the keys are (OpenID Connect Discovery 1.0)."""
    return Configuration(
        issuer=issuer.url,
        token_endpoint=f"{issuer.url}/token",
        jwks_uri=f"{issuer.url}/jwks.json",
        grant_types_supported=["password", "refresh_token"],
        response_types_supported=[],
        subject_types_supported=["public"],
        id_token_signing_alg_values_supported=[ALGORITHM],
        token_endpoint_auth_methods_supported=["none"],
        claims_supported=["iss", "sub", "aud", "iat", "exp", "jti", "sid", "roles", "bureau"],
    )


@router.get("/me", summary="我的账号")
async def me(caller: CurrentCaller, issuer: CurrentIssuer) -> Me:
    """The caller's account, roles and bureau."""
    account = await issuer.accounts.find(caller.account)
    return Me(
        account=caller.account,
        display_name=account.display_name if account and caller.sees(account.bureau) else None,
        roles=held_roles(caller.roles),
        bureau=caller.bureau,
        importer=caller.importer,
    )


@router.get("/officers", summary="执法证件")
async def officers(
    caller: CurrentCaller,
    issuer: CurrentIssuer,
    accounts: Annotated[str, Query(description="账号,以逗号分隔,至多一百个", max_length=6500)],
    bureau: Annotated[
        str | None, Query(description="行政区划代码,默认为本机关", pattern=BUREAU_PATTERN)
    ] = None,
) -> OfficerAnswer:
    """Enforcement certificates of `accounts`.

    Any bureau may be asked about: certificates are published (行政执法公示), and the answer names
    nobody.
    """
    names = list(dict.fromkeys(name.strip() for name in accounts.split(",")))
    if len(names) > _MOST_ACCOUNTS:
        raise InvalidInput("一次至多查询一百个账号", field="accounts")
    found = await issuer.accounts.certificates(names, bureau or caller.bureau)
    return OfficerAnswer(certificates=[one for held in found.values() for one in held])


async def _asked(request: Request) -> TokenRequest:
    body = await request.body()
    if request.headers.get("content-type", "").startswith(_FORM):
        try:
            fields = parse_qsl(body.decode(errors="replace"), max_num_fields=20)
        except ValueError:
            raise InvalidInput("表单字段过多") from None
        body = orjson.dumps(dict(fields))
    else:
        require_json(request.headers.get("content-type"))
    return validate_json(_token_request, body)


def origin_of(request: Request) -> Origin:
    """Where a request came from."""
    agent = request.headers.get("user-agent", "").replace("\0", "")
    return Origin(request.client.host if request.client else "", agent)
