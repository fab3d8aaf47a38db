"""Access tokens: what is accepted, and every known way of passing a false one."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey, RSAKey

from shared.http.problem import RoleForbidden, Unauthenticated
from shared.identity.caller import Caller
from shared.identity.keys import LocalKeys, usable_keys
from shared.identity.roles import Role
from shared.identity.tokens import ClaimNames, TokenVerifier, TrustedIssuer
from tests.identity.issuer_double import (
    AUDIENCE,
    ISSUER,
    KEYS,
    NOW,
    bearer,
    claims,
    public_set,
    verifier,
)


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _unsigned(header: dict[str, Any], payload: dict[str, Any]) -> str:
    return f"{_b64(json.dumps(header).encode())}.{_b64(json.dumps(payload).encode())}"


@pytest.mark.parametrize("alg", ["Ed25519", "EdDSA", "ES256", "RS256", "PS256"])
async def test_a_token_of_the_trusted_issuer_names_the_caller(alg: str) -> None:
    caller = await verifier().verify(bearer(alg=alg))
    assert caller == Caller("officer1", frozenset({Role.INVESTIGATOR}), "500152", ISSUER)
    assert caller.on_behalf_of is None


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic b2ZmaWNlcjE6eA==",
        "Bearer a.b",
        "Bearer a.b.c.d",
        "Bearer !!.!!.!!",
        "Bearer bnVsbA.bnVsbA.x",
        "Bearer 令牌.令牌.令牌",
        "Bearer " + "a" * 20_000,
    ],
)
async def test_what_is_no_token_is_unauthenticated(authorization: str | None) -> None:
    with pytest.raises(Unauthenticated):
        await verifier().verify(authorization)


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": NOW - 31},
        {"exp": None},
        {"exp": "never"},
        {"exp": True},
        {"nbf": NOW + 31},
        {"iat": NOW + 31},
        {"iss": "https://elsewhere.test"},
        {"iss": None},
        {"iss": [ISSUER]},
        {"aud": "another-application"},
        {"aud": None},
        {"aud": []},
        {"typ": "ID"},
    ],
)
async def test_a_token_out_of_time_or_for_others_is_unauthenticated(
    changed: dict[str, Any],
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier().verify(bearer(changed))


@pytest.mark.parametrize(
    "changed",
    [{"exp": NOW - 29}, {"nbf": NOW + 29}, {"aud": ["account", AUDIENCE]}, {"typ": "Bearer"}],
)
async def test_half_a_minute_of_clock_difference_and_several_audiences_are_accepted(
    changed: dict[str, Any],
) -> None:
    assert (await verifier().verify(bearer(changed))).account == "officer1"


async def test_a_token_without_signature_is_refused() -> None:
    kid = KEYS["Ed25519"].kid
    for alg in ("none", "None", "NONE"):
        with pytest.raises(Unauthenticated):
            await verifier().verify(f"Bearer {_unsigned({'alg': alg, 'kid': kid}, claims())}.")


async def test_a_public_key_used_as_a_shared_secret_is_refused() -> None:
    key = KEYS["RS256"]
    signed = _unsigned({"alg": "HS256", "kid": key.kid}, claims())
    for secret in (key.as_pem(private=False), key.as_bytes(encoding="DER", private=False)):
        tag = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        with pytest.raises(Unauthenticated):
            await verifier().verify(f"Bearer {signed}.{_b64(tag)}")


async def test_an_algorithm_of_another_key_type_is_refused() -> None:
    signed = jwt.encode(
        {"alg": "ES256", "kid": KEYS["RS256"].kid}, claims(), KEYS["ES256"], algorithms=["ES256"]
    )
    with pytest.raises(Unauthenticated):
        await verifier().verify(f"Bearer {signed}")


async def test_a_key_that_the_token_brings_along_is_not_used() -> None:
    own = OKPKey.generate_key("Ed25519")
    for kid in (KEYS["Ed25519"].kid, "own"):
        header = {"alg": "Ed25519", "kid": kid, "jwk": own.as_dict(private=False)}
        signed = jwt.encode(header, claims(), own, algorithms=["Ed25519"])
        with pytest.raises(Unauthenticated):
            await verifier().verify(f"Bearer {signed}")


async def test_a_changed_payload_breaks_the_signature() -> None:
    head, _, signature = bearer().removeprefix("Bearer ").split(".")
    body = _b64(json.dumps(claims(roles=["leader"])).encode())
    with pytest.raises(Unauthenticated):
        await verifier().verify(f"Bearer {head}.{body}.{signature}")


async def test_a_deeply_nested_header_is_refused_without_an_error_of_ours() -> None:
    for depth in (500, 990, 1020, 3000):
        nested = b'{"alg":"Ed25519","kid":"%b","x":%b}' % (
            str(KEYS["Ed25519"].kid).encode(),
            b"[" * depth + b"]" * depth,
        )
        body = _b64(json.dumps(claims()).encode())
        with pytest.raises(Unauthenticated):
            await verifier().verify(f"Bearer {_b64(nested)}.{body}.AAAA")


async def test_an_issuers_key_does_not_sign_for_another_issuer() -> None:
    other = TrustedIssuer(
        "https://city.test", AUDIENCE, LocalKeys(lambda: public_set(KEYS["ES256"]))
    )
    here = TrustedIssuer(ISSUER, AUDIENCE, LocalKeys(lambda: public_set(KEYS["Ed25519"])))
    both = TokenVerifier([here, other], now=lambda: NOW)
    assert (await both.verify(bearer({"iss": other.issuer}, alg="ES256"))).issuer == other.issuer
    with pytest.raises(Unauthenticated):
        await both.verify(bearer({"iss": other.issuer}))


def test_symmetric_encryption_and_weak_keys_in_a_published_set_are_left_out() -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # weak on purpose
    weak = RSAKey(small, small)
    encryption = {**KEYS["Ed25519"].as_dict(private=False), "kid": "enc", "use": "enc"}
    published = [
        {**OctKey.generate_key(256).as_dict(private=True), "kid": "oct"},
        {**weak.as_dict(private=False), "kid": "weak"},
        encryption,
        {"kty": "unheard-of", "kid": "x"},
        {"kty": "OKP", "crv": "Ed25519", "kid": "broken"},
        "no key",
        *public_set(KEYS["ES256"])["keys"],
    ]
    assert list(usable_keys(published)) == [KEYS["ES256"].kid]


@pytest.mark.parametrize(
    "changed",
    [
        {"roles": []},
        {"roles": None},
        {"roles": ["offline_access", 7]},
        {"roles": ["system_admin", "audit_admin"]},
        {"roles": ["安全管理员", "执法人员"]},
        {"bureau": None},
        {"bureau": "50015"},
        {"bureau": 500152},
        {"sub": "王某"},
        {"sub": "13800000000"},
        {"sub": "50010919900101251X"},
    ],
)
async def test_a_valid_token_that_entitles_to_nothing_here_is_forbidden(
    changed: dict[str, Any],
) -> None:
    with pytest.raises(RoleForbidden):
        await verifier().verify(bearer(changed))


async def test_roles_are_found_at_a_path_and_named_in_chinese_or_english() -> None:
    names = ClaimNames(account="preferred_username", roles="realm_access.roles", bureau="org.code")
    token = bearer(
        {
            "preferred_username": "zf-0012",
            "realm_access": {"roles": ["执法人员", "Legal", "PETITIONS", "uma_authorization"]},
            "org": {"code": "500152"},
            "roles": None,
        }
    )
    caller = await verifier(names).verify(token)
    assert caller.account == "zf-0012"
    assert caller.roles == {Role.INVESTIGATOR, Role.LEGAL, Role.PETITIONS}


async def test_a_claim_whose_name_holds_dots_is_found_whole() -> None:
    names = ClaimNames(roles="https://bureau.test/roles")
    caller = await verifier(names).verify(bearer({"https://bureau.test/roles": "leader window"}))
    assert caller.roles == {Role.LEADER, Role.WINDOW}


async def test_an_importer_acts_for_the_person_it_names() -> None:
    token = bearer({"sub": "importer1", "roles": ["导入"]})
    caller = await verifier().verify(token, "officer2")
    assert (caller.account, caller.importer, caller.on_behalf_of) == (
        "officer2",
        "importer1",
        "importer1",
    )
    assert caller.roles == {Role.IMPORTER}


async def test_who_an_importer_names_is_not_remembered_with_its_token() -> None:
    token = bearer({"sub": "importer1", "roles": ["importer"]})
    checked = verifier()
    named = [(await checked.verify(token, actor)).account for actor in ("officer1", "legal1", None)]
    assert named == ["officer1", "legal1", "importer1"]


@pytest.mark.parametrize("actor", ["", "王某", "13800000000", "a b", "x" * 65])
async def test_an_importer_names_accounts_and_nothing_else(actor: str) -> None:
    with pytest.raises(RoleForbidden):
        await verifier().verify(bearer({"roles": ["importer"]}), actor)


async def test_naming_an_actor_without_the_importers_role_is_forbidden() -> None:
    with pytest.raises(RoleForbidden):
        await verifier().verify(bearer({"roles": ["leader"]}), "officer2")


class _CountedKeys(LocalKeys):
    asked = 0

    async def key(self, kid: str) -> Any:
        self.asked += 1
        return await super().key(kid)


async def test_a_verified_token_is_remembered_for_a_minute_and_never_past_its_end() -> None:
    keys, clock = _CountedKeys(public_set), [float(NOW)]
    checked = TokenVerifier([TrustedIssuer(ISSUER, AUDIENCE, keys)], now=lambda: clock[0])
    token = bearer()
    asked = []
    for elapsed in (0, 1, 59, 61, 200):
        clock[0] = NOW + elapsed
        await checked.verify(token)
        asked.append(keys.asked)
    assert asked == [1, 1, 1, 2, 3]
    clock[0] = NOW + 290 + 30
    with pytest.raises(Unauthenticated):
        await checked.verify(token)


async def test_the_remembered_tokens_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.identity.tokens._REMEMBERED_TOKENS", 2)
    keys = _CountedKeys(public_set)
    checked = TokenVerifier([TrustedIssuer(ISSUER, AUDIENCE, keys)], now=lambda: NOW)
    first, second, third = (bearer({"jti": str(number)}) for number in range(3))
    for token in (first, second, first, third):
        await checked.verify(token)
    assert keys.asked == 3
    await checked.verify(first)
    assert keys.asked == 3
    await checked.verify(second)
    assert keys.asked == 4
