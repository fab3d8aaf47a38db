"""Secrets sealed at rest: AES-256-GCM under a key that lies in a file, not in the database.

A dump or a replica of the database alone then opens nothing. What is sealed is bound to the account
it is for, so that it cannot be moved to another.
"""

import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.issuer.files import read_key, write_private

KEY_FILE: Final = "second-factor.key"
_KEY_BYTES = 32
_NONCE_BYTES = 12


class UnsealableError(Exception):
    """Sealed under another key, for another account, or altered."""


class Seal:
    """Seals and opens under the key in `folder`; makes the key if there is none."""

    def __init__(self, folder: Path) -> None:
        path = folder / KEY_FILE
        if not path.exists():
            write_private(path, secrets.token_bytes(_KEY_BYTES))
        self._cipher = AESGCM(read_key(path))

    def close(self, secret: str, account: str) -> bytes:
        """`secret` sealed for `account`: nonce, then ciphertext and tag."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret.encode(), account.encode())

    def open(self, sealed: bytes, account: str) -> str:
        """What was sealed for `account`. Raises `UnsealableError`."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, rest, account.encode()).decode()
        except InvalidTag as error:
            raise UnsealableError from error
