"""The trail in a handler: `trail: CurrentTrail`, then `await trail.administered(caller)`.

What is recorded so is durable before the handler goes on: nothing of the kind is done unrecorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from shared.audit.entry import Entry, Kind
from shared.audit.log import AuditLog
from shared.audit.request import of_caller, of_request
from shared.identity.caller import Caller


@dataclass(frozen=True, slots=True)
class Trail:
    """The application's trail, with the request that is being served."""

    log: AuditLog
    request: Request

    async def administered(self, caller: Caller, **details: Any) -> None:
        """Record an administrative action; raises `AuditUnavailable`, upon which it is not done."""
        await self._record(caller, Kind.ADMINISTRATION, None, details)

    async def exported(self, caller: Caller, **details: Any) -> None:
        """Record that data leave in bulk or as a file; raises `AuditUnavailable`."""
        await self._record(caller, Kind.EXPORT, None, details)

    async def disclosed(self, caller: Caller, reason: str, **details: Any) -> None:
        """Record that a person's data are read unmasked, and why; raises `AuditUnavailable`."""
        await self._record(caller, Kind.READ, reason, details)

    async def _record(
        self, caller: Caller, kind: Kind, reason: str | None, details: dict[str, Any]
    ) -> None:
        await self.log.record(
            Entry(
                kind=kind,
                reason=reason,
                details=details,
                **of_request(self.request),
                **of_caller(caller),
            )
        )


def _trail(request: Request) -> Trail:
    return Trail(request.app.state.audit, request)


CurrentTrail = Annotated[Trail, Depends(_trail)]
