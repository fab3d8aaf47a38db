"""Refusals by authentication (401), by role (403) and by law (409), recorded before answered.

The application's problem handler asks here for each problem, so a command that succeeds costs
nothing. Who called is found by verifying the token once more, which the verifier remembers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.audit.entry import Entry, Kind, Outcome
from shared.audit.request import is_told, of_caller, of_request
from shared.http.problem import Problem, RefusedByLaw, RoleForbidden, Unauthenticated
from shared.identity.dependency import ACTOR_HEADER

if TYPE_CHECKING:
    from fastapi import Request

    from shared.audit.log import AuditLog
    from shared.identity.caller import Caller
    from shared.identity.tokens import TokenVerifier

RECORDED = (Unauthenticated, RoleForbidden, RefusedByLaw)


class Refusals:
    """Records an application's refusals; `fits` its `app.state.witness`."""

    def __init__(self, log: AuditLog, verifier: TokenVerifier) -> None:
        self._log = log
        self._verifier = verifier

    async def __call__(self, request: Request, problem: Problem) -> None:
        """Record a problem where it is a refusal; never raises."""
        if not isinstance(problem, RECORDED) or is_told():
            return
        caller = None if isinstance(problem, Unauthenticated) else await self._caller(request)
        article = problem.as_json().get("article")
        await self._log.refused(
            Entry(
                kind=Kind.REFUSAL,
                outcome=Outcome.REFUSED,
                status=problem.status,
                problem=problem.type,
                article=article["text"] if isinstance(article, dict) else article,
                reason=problem.detail,
                **of_request(request),
                **(of_caller(caller) if caller else {}),
            )
        )

    async def _caller(self, request: Request) -> Caller | None:
        """Who was refused; an actor who may not be named leaves the account that named him."""
        authorization = request.headers.get("authorization")
        for actor in (request.headers.get(ACTOR_HEADER), None):
            try:
                return await self._verifier.verify(authorization, actor)
            except Problem:
                continue
        return None
