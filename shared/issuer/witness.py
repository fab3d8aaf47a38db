"""What is told of every administrative act and every attempt to sign in, at one place each.

A `Witness` is called inside the transaction that does what it is told of: what it writes on that
connection stands or falls with it.
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
    """What was done to an account or, `CHANGE_POLICY`, to the rules for all."""

    CREATE = "create"
    DISABLE = "disable"
    ENABLE = "enable"
    SET_ROLES = "set-roles"
    RESET_PASSWORD = "reset-password"  # noqa: S105  # an action's name
    CHANGE_PASSWORD = "change-password"  # noqa: S105
    ENROL_SECOND_FACTOR = "enrol-second-factor"
    RENEW_RECOVERY_CODES = "renew-recovery-codes"
    RESET_SECOND_FACTOR = "reset-second-factor"
    UNLOCK = "unlock"
    END_SESSIONS = "end-sessions"
    SET_CERTIFICATE = "set-certificate"
    REMOVE_CERTIFICATE = "remove-certificate"
    CHANGE_POLICY = "change-policy"


class Outcome(StrEnum):
    """How an attempt ended; `REUSED` is a refresh token presented a second time."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    REFUSED_CODE = "refused-code"
    REUSED = "reused"


@dataclass(frozen=True, slots=True)
class Act:
    """Who did what to whose account, and what it changed.

    `by` and `on` are accounts (`on` is empty for `CHANGE_POLICY`); neither `before` nor `after`
    holds a secret or a person's name.
    """

    at: datetime
    by: str
    action: Action
    on: str
    bureau: str
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, for the record: network address and User-Agent."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to sign in; `account` is None where no such account exists."""

    at: datetime
    outcome: Outcome
    account: str | None
    origin: Origin


class Witness(Protocol):
    """Who is told."""

    async def administered(self, connection: AsyncConnection, act: Act) -> None:
        """Take note of an act that the open transaction does."""
        ...

    async def attempted(self, connection: AsyncConnection, attempt: Attempt) -> None:
        """Take note of an attempt that the open transaction records."""
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

    async def attempted(self, connection: AsyncConnection, attempt: Attempt) -> None:
        """See `Witness`."""
        del connection
        _log.info("sign-in", outcome=attempt.outcome.value, account=attempt.account)
