"""The caller in a handler: `caller: CurrentCaller`; `identify` where there is no `Request`.

The application keeps its `TokenVerifier` in `app.state.verifier`.
"""

from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.types import Scope

from shared.identity.caller import ACCOUNT_PATTERN, Caller
from shared.identity.tokens import TokenVerifier

ACTOR_HEADER = "Ecocase-Actor"
ACTOR_HEADER_NAME = b"ecocase-actor"
"""As it stands in a request."""

_bearer = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="访问令牌(OIDC access token)"
)


async def authenticate(request: Request) -> Caller:
    """The verified caller of `request`. Raises what `TokenVerifier.verify` raises."""
    headers = request.headers
    return await identify(request.scope, headers.get("authorization"), headers.get(ACTOR_HEADER))


async def identify(scope: Scope, authorization: str | None, actor: str | None) -> Caller:
    """The verified caller of a request with these headers."""
    verifier: TokenVerifier = scope["app"].state.verifier
    return await verifier.verify(authorization, actor)


async def _documented(
    request: Request,
    _token: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    _actor: Annotated[
        str | None,
        Header(
            alias=ACTOR_HEADER,
            description="补录历史案卷时指明实际办理人的账号,仅限「导入」角色",
            json_schema_extra={"pattern": ACCOUNT_PATTERN},
        ),
    ] = None,
) -> Caller:
    """`authenticate`, with what it reads declared so that it appears in the OpenAPI description."""
    return await authenticate(request)


CurrentCaller = Annotated[Caller, Depends(_documented)]
