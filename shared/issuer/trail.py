"""The issuer's witness that writes to the audit trail: sign-ins, and what is done to accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.audit.entry import Entry, Kind
from shared.audit.entry import Outcome as Recorded
from shared.audit.request import tell
from shared.http.trace import current_trace
from shared.issuer.witness import Act, Attempt, Outcome

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from shared.audit.log import AuditLog


class TrailWitness:
    """A `Witness`. What it is told is durable before the transaction that does it commits.

    So nothing is done unrecorded; of a transaction that then fails, the trail says too much. Where
    the trail cannot be written, nobody signs in and nothing is administered (503), while a refused
    attempt is refused.
    """

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    async def administered(self, connection: AsyncConnection, act: Act) -> None:
        """See `Witness`; raises `AuditUnavailable`."""
        del connection
        await self._log.record(
            Entry(
                kind=Kind.ADMINISTRATION,
                action=act.action.title,
                bureau=act.bureau,
                account=act.by,
                object_type="account",
                object_id=act.on or None,
                address=act.origin.address if act.origin else None,
                details={
                    "act": act.action.value,
                    "before": dict(act.before),
                    "after": dict(act.after),
                    **act.more,
                },
                **_trace(),
            )
        )

    async def attempted(self, attempt: Attempt) -> None:
        """See `Witness`; raises `AuditUnavailable` where the attempt would succeed."""
        accepted = attempt.outcome is Outcome.ACCEPTED
        entry = Entry(
            kind=Kind.SIGN_IN,
            action=attempt.outcome.title,
            outcome=Recorded.ACCEPTED if accepted else Recorded.REFUSED,
            bureau=attempt.bureau,
            account=attempt.account,
            address=attempt.origin.address,
            **_trace(),
        )
        if accepted:
            await self._log.record(entry)
        else:
            await self._log.refused(entry)
            tell()


def _trace() -> dict[str, Any]:
    trace = current_trace()
    return {"request_id": trace.request_id, "trace_id": trace.trace_id} if trace else {}
