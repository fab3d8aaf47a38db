"""The issuer's signing keys: Ed25519, one PEM file each, readable by the platform's user alone.

They are kept in a folder rather than in the database, where other roles, dumps and replicas would
see them. The newest key signs; every key in the folder is published, so tokens signed before a
rotation stay valid until they expire.
"""

from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

from shared.issuer.files import read_key, write_private

ALGORITHM = "Ed25519"


class SigningKeys:
    """The keys in `folder`; makes the first one if there is none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._keys = [_read(path) for path in sorted(folder.glob("*.pem"))]
        if not self._keys:
            self.rotate()

    def rotate(self) -> None:
        """Add a new key, which signs from now on.

        The old file may be deleted once the tokens it signed have expired.
        """
        serial = len(list(self._folder.glob("*.pem"))) + 1
        key = OKPKey.generate_key("Ed25519")
        write_private(self._folder / f"{serial:06}.pem", key.as_pem(private=True))
        self._keys.append(_named(key))

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWT of `claims`, signed with the newest key."""
        key = self._keys[-1]
        header = {"alg": ALGORITHM, "kid": key.kid}
        return jwt.encode(header, claims, key, algorithms=[ALGORITHM])

    def public(self) -> dict[str, Any]:
        """The JWK Set to publish: public parts only."""
        published = KeySet(list(self._keys)).as_dict(private=False, use="sig", alg=ALGORITHM)
        return {"keys": published["keys"]}


def _read(path: Path) -> OKPKey:
    return _named(OKPKey.import_key(read_key(path)))


def _named(key: OKPKey) -> OKPKey:
    key.ensure_kid()
    return key
