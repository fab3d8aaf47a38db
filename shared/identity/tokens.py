"""Access tokens verified: signed JWTs (RFC 7519, checked as RFC 8725 advises) become a `Caller`.

A token is trusted when a configured issuer signed it with an allowed algorithm and a key of its
own, for our audience, within its time. What it says about roles and bureau is then mapped to ours.
A verified token is remembered for up to a minute, which spares a request the signature check; the
end of its session makes it forgotten at once (`revocations`). Tokens of an outside issuer have no
such list and stay good until they expire: let it give them a short life, five minutes at most.
"""

import hashlib
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, SecurityWarning
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from shared.http.problem import RoleForbidden, Unauthenticated
from shared.identity.caller import Caller, is_account, is_bureau
from shared.identity.keys import KeySource, PublicKey
from shared.identity.revocations import Revocations
from shared.identity.roles import Role, incompatible, role_named

ALGORITHMS: Final = ("Ed25519", "EdDSA", "ES256", "RS256", "PS256")
"""Asymmetric only: `none` and HS* would let whoever knows the public key sign. EdDSA is the older
name of Ed25519 (RFC 9864), which Keycloak still uses."""

LEEWAY: Final = 30
"""Seconds by which the issuer's clock may differ from ours."""

_LONGEST_TOKEN = 16_384
_REMEMBER_SECONDS = 60
_REMEMBERED_TOKENS = 10_000
_REGISTRY = JWSRegistry(algorithms=list(ALGORITHMS))


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """Where an issuer writes what we need; a dot descends, as in `realm_access.roles`.

    `account` should name a pseudonymous code (`sub`, a staff number): it goes into events for ever.
    """

    account: str = "sub"
    roles: str = "roles"
    bureau: str = "bureau"


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An issuer whose tokens count: its `iss`, the `aud` it writes for us, keys and claim names.

    With `revocations` every token has to name its session (`sid`), and one that ended counts no
    more.
    """

    issuer: str
    audience: str
    keys: KeySource
    claims: ClaimNames = ClaimNames()
    revocations: Revocations | None = None


class TokenVerifier:
    """Turns an Authorization header into a `Caller`; `now` is Unix time in seconds."""

    def __init__(
        self, issuers: Sequence[TrustedIssuer], *, now: Callable[[], float] = time.time
    ) -> None:
        self._issuers = {trusted.issuer: trusted for trusted in issuers}
        self._now = now
        self._remembered: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()
        for trusted in issuers:
            if trusted.revocations is not None:
                trusted.revocations.listen(self._forget)

    async def verify(self, authorization: str | None, actor: str | None = None) -> Caller:
        """The caller behind `authorization` (`Bearer …`), acting as `actor` (`Ecocase-Actor`).

        Only a caller in the role 导入 may name an actor. Raises `Unauthenticated` (no token, or
        not a valid one), `RoleForbidden` (valid, but not entitled here) and `Unavailable` (the
        issuer's keys, or its ended sessions, cannot be had).
        """
        token = _bearer(authorization)
        digest = hashlib.sha256(token).digest()
        now = self._now()
        entry = self._remembered.get(digest)
        if entry is not None and entry[0] > now:
            self._remembered.move_to_end(digest)
            caller = entry[1]
        else:
            caller, until = await self._check(token, now)
            self._remembered[digest] = (min(until, now + _REMEMBER_SECONDS), caller)
            if len(self._remembered) > _REMEMBERED_TOKENS:
                self._remembered.popitem(last=False)
        return caller if actor is None else _acting(caller, actor)

    def _forget(self, sessions: frozenset[str]) -> None:
        ended = [it for it, (_, caller) in self._remembered.items() if caller.session in sessions]
        for digest in ended:
            del self._remembered[digest]

    async def _check(self, token: bytes, now: float) -> tuple[Caller, float]:
        """The caller, and the time until which that holds without another look."""
        header, unverified = _peek(token)
        issuer = unverified.get("iss")
        trusted = self._issuers.get(issuer) if isinstance(issuer, str) else None
        kid = header.get("kid")
        if trusted is None or not isinstance(kid, str):
            raise Unauthenticated("访问令牌不是由受信任的身份认证服务签发的")
        if header.get("alg") not in ALGORITHMS:
            raise Unauthenticated("访问令牌的签名算法不被接受")
        key = await trusted.keys.key(kid)
        if key is None:
            raise Unauthenticated("访问令牌的签名密钥未知")
        claims = _verified_claims(token, key, trusted, now)
        caller = _caller(claims, trusted)
        until = float(claims["exp"])
        if trusted.revocations is None:
            return caller, until
        if caller.session is None or trusted.revocations.check(caller.session):
            raise Unauthenticated("登录已被终止,请重新登录")
        return caller, min(until, now + trusted.revocations.trusted_for())


def _bearer(authorization: str | None) -> bytes:
    if not authorization:
        raise Unauthenticated("请先登录:缺少访问令牌")
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or not token.isascii():
        raise Unauthenticated("Authorization 头应为「Bearer 访问令牌」")
    if len(token) > _LONGEST_TOKEN:
        raise Unauthenticated("访问令牌过长")
    return token.encode("ascii")


def _peek(token: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims before any check, only to choose the issuer and the key."""
    try:
        head, body, _ = token.split(b".")
        header = orjson.loads(urlsafe_b64decode(head))
        claims = orjson.loads(urlsafe_b64decode(body))
    except ValueError:
        raise Unauthenticated("访问令牌格式不正确") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise Unauthenticated("访问令牌格式不正确")
    return header, claims


def _verified_claims(
    token: bytes, key: PublicKey, trusted: TrustedIssuer, now: float
) -> dict[str, Any]:
    registry = jwt.JWTClaimsRegistry(
        now=int(now),
        leeway=LEEWAY,
        iss={"essential": True, "value": trusted.issuer},
        aud={"essential": True, "value": trusted.audience},
        exp={"essential": True},
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # the older name EdDSA
            claims = jwt.decode(token, key, registry=_REGISTRY).claims
        registry.validate(claims)
    except ExpiredTokenError:
        raise Unauthenticated("访问令牌已过期,请重新登录") from None
    except InvalidClaimError as error:
        if error.claim == "iat":  # ours was set back, or the issuer's is ahead
            raise Unauthenticated("访问令牌的签发时间晚于服务器时间,请重新登录") from None
        raise Unauthenticated("访问令牌无效") from None
    except (JoseError, ValueError, RecursionError):
        raise Unauthenticated("访问令牌无效") from None
    if claims.get("typ", "Bearer") != "Bearer":  # Keycloak signs ID tokens with the same key
        raise Unauthenticated("该令牌不是访问令牌")
    return claims


def _caller(claims: Mapping[str, Any], trusted: TrustedIssuer) -> Caller:
    account = _claim(claims, trusted.claims.account)
    if not isinstance(account, str) or not is_account(account):
        raise RoleForbidden("访问令牌中的账号须为代码,不得是姓名、手机号或身份证号")
    bureau = _claim(claims, trusted.claims.bureau)
    if not isinstance(bureau, str) or not is_bureau(bureau):
        raise RoleForbidden("访问令牌未载明所属机关的行政区划代码")
    roles = _roles(_claim(claims, trusted.claims.roles))
    if not roles:
        raise RoleForbidden("该账号在本平台没有任何角色")
    if reason := incompatible(roles):
        raise RoleForbidden(reason)
    session = claims.get("sid")
    return Caller(
        account,
        roles,
        bureau,
        trusted.issuer,
        session=session if isinstance(session, str) else None,
    )


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    if path in claims:  # namespaced claims such as https://example.org/roles hold dots of their own
        return claims[path]
    value: Any = claims
    for part in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _roles(named: object) -> frozenset[Role]:
    names: Iterable[object] = (
        named.split() if isinstance(named, str) else named if isinstance(named, list) else ()
    )
    found = (role_named(name) for name in names if isinstance(name, str))
    return frozenset(role for role in found if role is not None)


def _acting(caller: Caller, actor: str) -> Caller:
    if Role.IMPORTER not in caller.roles:
        raise RoleForbidden("只有「导入」角色可以用 Ecocase-Actor 指明办理人")
    if not is_account(actor):
        raise RoleForbidden("Ecocase-Actor 须为账号代码,不得是姓名、手机号或身份证号")
    return replace(caller, account=actor, importer=caller.account)
