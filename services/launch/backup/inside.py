"""Verifying a platform that nobody else can reach: started in this process, on no port."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import httpx

from services.launch.auditing import Reconciled, reconcile
from services.launch.client import Client, Credentials
from services.launch.platform import Platform
from services.launch.settings import LOG
from services.launch.verifying import Verified, verify
from shared.http import logs
from shared.identity.roles import Role

if TYPE_CHECKING:
    from services.launch.settings import Settings
    from shared.issuer.issuer import Issuer

_ACCOUNTS = {"restore-system": Role.SYSTEM_ADMIN, "restore-audit": Role.AUDIT_ADMIN}
_BUREAU = "100000"  # the whole country: those two roles see every bureau


async def verify_inside(settings: Settings) -> tuple[Verified, Reconciled]:
    """Start the platform on its data folder, end every session, verify and reconcile, and stop."""
    descriptor = os.open(settings.data / LOG, os.O_WRONLY | os.O_CREAT, 0o600)
    platform = Platform(settings)
    with os.fdopen(descriptor, "wb") as log:
        logs.configure(logging.INFO, log)
        try:
            await platform.start()
            await platform.issuer.end_sessions()
            return (
                await verify(_Inside(platform), []),
                await reconcile(_Inside(platform)),
            )
        finally:
            await platform.stop()
            logs.configure()


class _Inside(Client):
    """A client within the platform's process, whose tokens the platform's own issuer signs."""

    def __init__(self, platform: Platform) -> None:
        roles: dict[str, tuple[str, ...]] = {
            name: (role.value,) for name, role in _ACCOUNTS.items()
        }
        super().__init__(
            "http://inside",
            Credentials(passwords=dict.fromkeys(roles, ""), roles=roles),
            transport=httpx.ASGITransport(platform.app, raise_app_exceptions=False),
        )
        self._issuer: Issuer = platform.issuer

    async def signed(self, account: str) -> dict[str, str]:
        """Sign a fresh token at every call."""
        token = self._issuer.own_token(account, _ACCOUNTS[account], _BUREAU)
        return {"authorization": f"Bearer {token}"}
