"""The issuer as an application of its own, or mounted beside the services."""

from shared.audit.api import keep_trail
from shared.audit.log import AuditLog
from shared.http.app import Lifespan, ServiceApp
from shared.http.app import create_app as create_service_app
from shared.identity.tokens import TokenVerifier
from shared.issuer import accounts_api, api, own_api, proposals_api
from shared.issuer.issuer import Issuer
from shared.postgres.availability import is_unavailable


def create_app(
    issuer: Issuer,
    verifier: TokenVerifier,
    *,
    audit: AuditLog,
    version: str,
    lifespan: Lifespan | None = None,
) -> ServiceApp:
    """The issuer's application; `verifier` checks the tokens with which `/me` is asked."""
    app = create_service_app(
        service="identity",
        title="身份认证",
        description="内置的身份认证服务:登录、续期、签名公钥、账号管理与执法证件。",
        version=version,
        lifespan=lifespan,
        unreachable=is_unavailable,
    )
    app.state.issuer = issuer
    app.state.verifier = verifier
    for part in (api, own_api, accounts_api, proposals_api):
        app.include_router(part.router)
    keep_trail(app, audit, verifier)
    return app
