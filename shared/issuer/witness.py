"""What is told of every administrative act and every attempt to sign in, at one place each.

A `Witness` is told of an act inside the transaction that does it: what it writes on that connection
stands or falls with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

INSTALLATION: Final = "installation"
"""Who acts where whoever runs the machine does: at the installation, or to recover it."""

_log = structlog.stdlib.get_logger("ecocase.identity")


class Action(StrEnum):
    """What was done to an account or, `CHANGE_POLICY`, to the rules for all.

    `PROPOSE` and `REFUSE` say that an act was asked for that takes two, and that it was refused.
    `title` is what a person reads.
    """

    CREATE = "create"
    DISABLE = "disable"
    ENABLE = "enable"
    SET_ROLES = "set-roles"
    RESET_PASSWORD = "reset-password"  # noqa: S105  # an action's name
    CHANGE_PASSWORD = "change-password"  # noqa: S105
    BEGIN_SECOND_FACTOR = "begin-second-factor"
    ENROL_SECOND_FACTOR = "enrol-second-factor"
    RENEW_RECOVERY_CODES = "renew-recovery-codes"
    RESET_SECOND_FACTOR = "reset-second-factor"
    UNLOCK = "unlock"
    END_SESSIONS = "end-sessions"
    SIGN_OUT = "sign-out"
    PROPOSE = "propose"
    REFUSE = "refuse"
    SET_CERTIFICATE = "set-certificate"
    REMOVE_CERTIFICATE = "remove-certificate"
    CHANGE_POLICY = "change-policy"

    @property
    def title(self) -> str:  # type: ignore[override]  # an action's title, not str.title()
        """The action in Chinese."""
        return _ACTIONS[self]


_ACTIONS: Mapping[str, str] = {
    "create": "新建账号",
    "disable": "停用账号",
    "enable": "启用账号",
    "set-roles": "授予或者撤销角色",
    "reset-password": "重置密码",
    "change-password": "修改密码",
    "begin-second-factor": "开始启用动态口令",
    "enrol-second-factor": "启用动态口令",
    "renew-recovery-codes": "换发恢复码",
    "reset-second-factor": "重置动态口令",
    "unlock": "解锁账号",
    "end-sessions": "终止会话",
    "sign-out": "退出登录",
    "propose": "提出申请，待另一管理员确认",
    "refuse": "驳回或者撤回申请",
    "set-certificate": "登记执法证件",
    "remove-certificate": "删除误登的执法证件",
    "change-policy": "规定哪些角色须用动态口令",
}


class Outcome(StrEnum):
    """How an attempt ended; `title` is what a person reads.

    `REUSED` is a refresh token presented a second time, `OVER` one whose session is. From `LOCKED`
    on, no password was looked at or it was right: they count as no failure.
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    REFUSED_CODE = "refused-code"
    REUSED = "reused"
    LOCKED = "locked"
    SLOWED = "slowed"
    CODE_MISSING = "code-missing"
    PASSWORD_DUE = "password-due"  # noqa: S105  # an outcome's name
    PASSWORD_OVER = "password-over"  # noqa: S105
    ENROLMENT_DUE = "enrolment-due"
    NO_ROLE = "no-role"
    OVER = "over"

    @property
    def title(self) -> str:  # type: ignore[override]  # an outcome's title, not str.title()
        """The outcome in Chinese."""
        return _OUTCOMES[self]


_OUTCOMES: Mapping[str, str] = {
    "accepted": "登录",
    "refused": "登录：账号或密码不正确",
    "refused-code": "登录：动态口令不正确",
    "reused": "续期：令牌被再次使用，会话已结束",
    "locked": "登录：账号已锁定",
    "slowed": "登录：来源地址失败次数过多，须等待",
    "code-missing": "登录：未提供动态口令",
    "password-due": "登录：须先修改密码",
    "password-over": "登录：一次性密码已过期",
    "enrolment-due": "登录：须先启用动态口令",
    "no-role": "登录：尚未授予角色",
    "over": "续期：登录已失效",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, for the record: network address and User-Agent."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Act:
    """Who did what to whose account, what it changed, and from where (None: on the machine itself).

    `by` and `on` are accounts (`on` is empty for `CHANGE_POLICY`); neither `before`, `after` nor
    `more` holds a secret or a person's name.
    """

    at: datetime
    by: str
    action: Action
    on: str
    bureau: str
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
    origin: Origin | None = None
    more: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to sign in; `account` and `bureau` are None where no such account exists."""

    at: datetime
    outcome: Outcome
    account: str | None
    bureau: str | None
    origin: Origin


class Witness(Protocol):
    """Who is told."""

    async def administered(self, connection: AsyncConnection, act: Act) -> None:
        """Take note of an act that the open transaction does."""
        ...

    async def attempted(self, attempt: Attempt) -> None:
        """Take note of an attempt."""
        ...


class LogWitness:
    """Writes a line to the log. The address stays in the table of sign-ins: logs hold none."""

    async def administered(self, connection: AsyncConnection, act: Act) -> None:
        """See `Witness`."""
        del connection
        _log.info(
            "administered",
            by=act.by,
            action=act.action.value,
            on=act.on,
            before=dict(act.before),
            after=dict(act.after),
        )

    async def attempted(self, attempt: Attempt) -> None:
        """See `Witness`."""
        _log.info("sign-in", outcome=attempt.outcome.value, account=attempt.account)
