"""What the issuer takes and gives."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr

from shared.identity.roles import Role
from shared.issuer.notices import Notice
from shared.issuer.witness import Action

Code = Annotated[
    str | None,
    Field(
        pattern=r"^[0-9A-Za-z-]{6,32}$",
        description="动态口令(启用后必填),手机不在身边时可用恢复码",
    ),
]


class PasswordGrant(BaseModel):
    """Sign-in with a password (RFC 6749, 4.3), and a second factor where one is enrolled."""

    grant_type: Literal["password"]
    username: Annotated[str, Field(min_length=1, max_length=64, description="账号")]
    password: Annotated[SecretStr, Field(min_length=1, max_length=256, description="密码")]
    code: Code = None


class RefreshGrant(BaseModel):
    """A refresh token exchanged for the next (RFC 6749, 6)."""

    grant_type: Literal["refresh_token"]
    refresh_token: Annotated[SecretStr, Field(min_length=1, max_length=256, description="刷新令牌")]


TokenRequest = Annotated[PasswordGrant | RefreshGrant, Field(discriminator="grant_type")]


class NoticeAnswer(BaseModel):
    """What was done to an account, by whom."""

    at: Annotated[datetime, Field(description="时间")]
    account: Annotated[str, Field(description="账号;空的是对全部账号的规则")]
    action: Annotated[Action, Field(description="操作")]
    title: Annotated[str, Field(description="操作名称")]
    by: Annotated[str, Field(description="办理人的账号;installation 为在服务器上办理")]


class PreviousSignIn(BaseModel):
    """The sign-in before."""

    at: Annotated[datetime, Field(description="时间")]
    address: Annotated[str, Field(description="网络地址")]
    failures: Annotated[int, Field(description="此后失败的次数")]


class TokenAnswer(BaseModel):
    """Tokens as RFC 6749, 5.1 writes them; lifetimes in seconds."""

    access_token: Annotated[str, Field(description="访问令牌")]
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  # RFC 6749's word, not a secret
    expires_in: Annotated[int, Field(description="访问令牌有效秒数")]
    refresh_token: Annotated[str, Field(description="刷新令牌,只能用一次")]
    refresh_expires_in: Annotated[int, Field(description="刷新令牌有效秒数")]
    notices: Annotated[
        list[NoticeAnswer], Field(description="近三十日他人对本人账号所做的,登录时应显示给本人")
    ] = []
    previous_sign_in: Annotated[
        PreviousSignIn | None, Field(description="上一次登录,续期时没有")
    ] = None


def notice_answers(told: Iterable[Notice]) -> list[NoticeAnswer]:
    """Notices for an answer, in their order."""
    return [
        NoticeAnswer(
            at=one.at,
            account=one.account,
            action=one.action,
            title=one.action.title,
            by=one.by,
        )
        for one in told
    ]


class HeldRole(BaseModel):
    """One role, as tokens and as people name it."""

    role: Role
    title: Annotated[str, Field(description="角色名称")]


def held_roles(roles: Iterable[Role]) -> list[HeldRole]:
    """Roles for an answer, in order."""
    return [HeldRole(role=role, title=role.title) for role in sorted(roles)]


class Me(BaseModel):
    """The caller, as the platform sees it."""

    account: Annotated[str, Field(description="账号")]
    display_name: Annotated[str | None, Field(description="显示名称")]
    roles: Annotated[list[HeldRole], Field(description="角色")]
    bureau: Annotated[str, Field(description="行政区划代码")]
    importer: Annotated[str | None, Field(description="导入账号(代办理人补录时)")]


class Configuration(BaseModel):
    """OpenID Connect Discovery 1.0, section 3: where to sign in and where the keys are."""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    grant_types_supported: list[str]
    response_types_supported: list[str]
    subject_types_supported: list[str]
    id_token_signing_alg_values_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    claims_supported: list[str]


class JsonWebKey(BaseModel):
    """One public Ed25519 key (RFC 8037)."""

    kty: str
    crv: str
    x: str
    kid: str
    use: str
    alg: str


class JsonWebKeySet(BaseModel):
    """RFC 7517."""

    keys: list[JsonWebKey]
