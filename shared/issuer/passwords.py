"""Passwords: Argon2id, hashed and verified in threads so that the event loop goes on."""

import asyncio
import os
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from shared.allocator import give_back_large_blocks

PARALLEL = min(4, max(2, os.cpu_count() or 2))
"""Hashes computed at once: bounds both processor and memory under a flood of sign-ins."""


class Passwords:
    """Hashes and verifies with OWASP's Argon2id parameters: 19 MiB, two passes, one lane."""

    def __init__(self, *, memory_kib: int = 19_456, passes: int = 2) -> None:
        give_back_large_blocks()
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._slots = asyncio.Semaphore(PARALLEL)
        self._nobody = self._hasher.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        """The encoded hash, salt and parameters included."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether `password` belongs to the hash; None (no such account) takes the same time."""
        async with self._slots:
            matches = await asyncio.to_thread(
                self._matches, password_hash or self._nobody, password
            )
        return matches and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters and should be made anew."""
        return self._hasher.check_needs_rehash(password_hash)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
