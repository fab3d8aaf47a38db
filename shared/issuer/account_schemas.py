"""What the routes of accounts take and give."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from shared.identity.caller import ACCOUNT_PATTERN
from shared.identity.roles import Role
from shared.issuer.accounts import Overview
from shared.issuer.schemas import Code, HeldRole, NoticeAnswer, held_roles
from shared.issuer.sessions import LiveSession


class Proven(BaseModel):
    """Account and password, for what is done before one can sign in."""

    username: Annotated[str, Field(min_length=1, max_length=64, description="账号")]
    password: Annotated[SecretStr, Field(min_length=1, max_length=256, description="现用密码")]
    code: Code = None


class PasswordChange(Proven):
    """A new password in place of the one in use."""

    new_password: Annotated[
        SecretStr,
        Field(
            min_length=1,
            max_length=256,
            description="新密码:至少十个字符,含三类字符,不含账号,不与最近五次相同",
        ),
    ]


class EnrolmentAnswer(BaseModel):
    """What an authenticator app needs; shown once."""

    secret: Annotated[str, Field(description="密钥(Base32),供手工录入")]
    uri: Annotated[str, Field(description="otpauth 地址")]
    qr: Annotated[str, Field(description="该地址的二维码(data: 地址,SVG)")]


class RecoveryCodes(BaseModel):
    """Codes that stand in for a lost telephone, each once; not shown again."""

    recovery_codes: Annotated[list[str], Field(description="恢复码,每个只能用一次")]


class SessionAnswer(BaseModel):
    """One open session."""

    id: UUID
    began_at: Annotated[datetime, Field(description="登录时间")]
    refreshed_at: Annotated[datetime, Field(description="最近续期")]
    ends_at: Annotated[datetime, Field(description="最迟到期")]
    address: Annotated[str, Field(description="网络地址")]
    user_agent: Annotated[str, Field(description="终端")]
    current: Annotated[bool, Field(description="即本次登录")] = False


class SessionsAnswer(BaseModel):
    """Open sessions, the latest first."""

    sessions: list[SessionAnswer]


class NoticesAnswer(BaseModel):
    """What an owner is told, the latest first."""

    notices: list[NoticeAnswer]


class EndedAnswer(BaseModel):
    """How many sessions were ended."""

    ended: Annotated[int, Field(description="终止的会话数")]


class NewAccount(BaseModel):
    """An account to be made."""

    account: Annotated[
        str,
        Field(
            max_length=64,
            description="账号代码,不得是姓名、手机号或身份证号",
            json_schema_extra={"pattern": ACCOUNT_PATTERN},
        ),
    ]
    display_name: Annotated[str, Field(min_length=1, max_length=40, description="显示名称")]


class WantedRoles(BaseModel):
    """All the roles that an account is to hold."""

    roles: Annotated[list[Role], Field(max_length=len(Role), description="角色")]


class Term(BaseModel):
    """The days from and to which a certificate is valid, both included."""

    valid_from: Annotated[date, Field(description="有效期起")]
    valid_to: Annotated[date, Field(description="有效期止")]


class CertificateAnswer(Term):
    """One term of one certificate."""

    number: Annotated[str, Field(description="证号")]


class AccountAnswer(BaseModel):
    """An account as administrators see it."""

    account: Annotated[str, Field(description="账号")]
    display_name: Annotated[str, Field(description="显示名称")]
    bureau: Annotated[str, Field(description="行政区划代码")]
    roles: Annotated[list[HeldRole], Field(description="角色")]
    disabled_at: Annotated[datetime | None, Field(description="停用时间")]
    locked_until: Annotated[datetime | None, Field(description="锁定至")]
    has_password: Annotated[bool, Field(description="已有密码")]
    one_time: Annotated[bool, Field(description="密码为一次性,登录前须修改")]
    password_set_at: Annotated[datetime | None, Field(description="密码设置时间")]
    second_factor: Annotated[bool, Field(description="已启用动态口令")]
    certificates: Annotated[list[CertificateAnswer], Field(description="执法证件,含已过期的")]


class AccountsAnswer(BaseModel):
    """Accounts in order; `after` asks for those behind the last one."""

    accounts: list[AccountAnswer]


class OneTimePassword(BaseModel):
    """Shown once; has to be changed before it signs in."""

    one_time_password: Annotated[str, Field(description="一次性密码")]


class PolicyAnswer(BaseModel):
    """The rules for all accounts."""

    demonstration: Annotated[bool, Field(description="演示账号")]
    second_factor_roles: Annotated[list[HeldRole], Field(description="须用动态口令的角色")]


def account_answer(seen: Overview) -> AccountAnswer:
    """An account for an answer."""
    held = seen.account
    return AccountAnswer(
        account=held.account,
        display_name=held.display_name,
        bureau=held.bureau,
        roles=held_roles(held.roles),
        disabled_at=held.disabled_at,
        locked_until=seen.locked_until,
        has_password=seen.has_password,
        one_time=seen.one_time,
        password_set_at=seen.password_set_at,
        second_factor=seen.second_factor,
        certificates=[
            CertificateAnswer(number=one.number, valid_from=one.valid_from, valid_to=one.valid_to)
            for one in held.certificates
        ],
    )


def session_answer(live: LiveSession, current: str | None) -> SessionAnswer:
    """A session for an answer; `current` is the asking one."""
    return SessionAnswer(
        id=live.id,
        began_at=live.began_at,
        refreshed_at=live.refreshed_at,
        ends_at=live.ends_at,
        address=live.address,
        user_agent=live.user_agent,
        current=str(live.id) == current,
    )
