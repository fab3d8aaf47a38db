"""The signing keys, and what the issuer publishes of them."""

import asyncio
from pathlib import Path

import httpx
import pytest
from joserfc import jwt

from shared.http.problem import Unauthenticated
from shared.identity.keys import HttpKeys, usable_keys
from shared.identity.tokens import TokenVerifier, TrustedIssuer
from shared.issuer.files import ReadableKeyError, write_private
from shared.issuer.issuer import Issuer
from shared.issuer.signing import SigningKeys


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_signing_key_is_readable_by_its_user_alone(tmp_path: Path) -> None:
    SigningKeys(tmp_path / "keys")
    (key,) = (tmp_path / "keys").glob("*.pem")
    assert (_mode(tmp_path / "keys"), _mode(key)) == (0o700, 0o600)


def test_a_key_that_others_may_read_stops_the_start(tmp_path: Path) -> None:
    SigningKeys(tmp_path)
    (key,) = tmp_path.glob("*.pem")
    key.chmod(0o640)
    with pytest.raises(ReadableKeyError, match="chmod 600"):
        SigningKeys(tmp_path)


def test_the_published_set_holds_public_parts_only(tmp_path: Path) -> None:
    (published,) = SigningKeys(tmp_path).public()["keys"]
    assert set(published) == {"kty", "crv", "x", "kid", "use", "alg"}
    assert (published["kty"], published["crv"], published["alg"]) == ("OKP", "Ed25519", "Ed25519")


def test_a_restart_keeps_the_key_and_a_rotation_keeps_the_old_one_published(
    tmp_path: Path,
) -> None:
    keys = SigningKeys(tmp_path)
    old = keys.sign({"sub": "a"})
    assert SigningKeys(tmp_path).public() == keys.public()
    keys.rotate()
    new = SigningKeys(tmp_path).sign({"sub": "b"})
    public = usable_keys(keys.public()["keys"])
    assert len(public) == 2

    def verified_by(kid: str | None, token: str) -> bool:
        return kid is not None and bool(jwt.decode(token, public[kid], algorithms=["Ed25519"]))

    kids = [key.kid for key in keys._keys]
    assert verified_by(kids[0], old)
    assert verified_by(kids[1], new)


async def test_discovery_leads_to_the_keys_that_verify(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    found = (await client.get("/.well-known/openid-configuration")).json()
    assert found["issuer"] == "http://issuer.test"
    assert found["token_endpoint"] == "http://issuer.test/token"
    trusted = TrustedIssuer(found["issuer"], "ecocase", HttpKeys(found["jwks_uri"], client))
    verifier = TokenVerifier([trusted], now=lambda: 1000)
    claims = {
        "iss": issuer.url,
        "aud": "ecocase",
        "sub": "officer1",
        "exp": 1300,
        "roles": ["investigator"],
        "bureau": "500152",
    }
    caller = await verifier.verify(f"Bearer {issuer.keys.sign(claims)}")
    assert caller.account == "officer1"
    stranger = issuer.keys.sign(claims | {"aud": "another"})
    with pytest.raises(Unauthenticated):
        await verifier.verify(f"Bearer {stranger}")


def test_a_private_file_is_replaced_whole_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    write_private(path, b"old")
    write_private(path, b"new")
    assert (path.read_bytes(), _mode(path)) == (b"new", 0o600)
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_private(tmp_path / "folder", b"x")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder", "new"]
    assert [one.name for one in path.parent.iterdir()] == ["file"]


async def test_hashing_leaves_the_event_loop_free(issuer: Issuer) -> None:
    ticks = 0
    hashing = asyncio.gather(*(issuer.passwords.hash("x") for _ in range(8)))
    while not hashing.done():
        ticks += 1
        await asyncio.sleep(0)
    assert ticks > 1
    assert len(set(hashing.result())) == 8
