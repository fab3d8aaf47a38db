"""The caller in a handler: `caller: CurrentCaller`, or `await authenticate(request)` in a hot one.

The application keeps its `TokenVerifier` in `app.state.verifier`.
"""

from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.identity.caller import ACCOUNT_PATTERN, Caller
from shared.identity.tokens import TokenVerifier

ACTOR_HEADER = "Ecocase-Actor"

_bearer = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="访问令牌(OIDC access token)"
)


async def authenticate(request: Request) -> Caller:
    """The verified caller of `request`. Raises what `TokenVerifier.verify` raises."""
    verifier: TokenVerifier = request.app.state.verifier
    headers = request.headers
    return await verifier.verify(headers.get("authorization"), headers.get(ACTOR_HEADER))


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
