"""Every refusal the platform gives, as RFC 9457 problem details in Chinese.

An error is a class that carries its status and its stable `type`
(`urn:ecocase:problem:<slug>`). It is raised where the rule is known, in words the reader can act
on, and rendered in one place (`shared.http.handlers`). This module does no I/O and knows no web
framework, so that pure code may raise what is here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypedDict

MEDIA_TYPE = "application/problem+json"


class CitesLaw(Protocol):
    """Anything that renders itself as a citation of an article of law (依据)."""

    def as_json(self) -> Mapping[str, Any]:
        """The citation as a JSON object."""
        ...


class FieldError(TypedDict):
    """One thing wrong with one field: its path (`parties[0].name`) and the reason in Chinese."""

    field: str
    reason: str


class Problem(Exception):  # noqa: N818  RFC 9457 calls it a problem
    """A refusal that the caller sees.

    Args:
        detail: what is wrong here and now, in Chinese, with no personal data in it.
        field: path of the field at fault.
        article: the article of law that refuses the step.
        errors: every field at fault, where there are several.
        headers: response headers that go with the answer.
    """

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal"
    title: ClassVar[str] = "系统内部错误"

    def __init__(
        self,
        detail: str | None = None,
        *,
        field: str | None = None,
        article: CitesLaw | str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.field = field if field is not None or not errors else errors[0]["field"]
        self.article = article
        self.errors = errors
        self.headers = dict(headers or {})

    @property
    def type(self) -> str:
        """The problem's stable identifier, a URN."""
        return f"urn:ecocase:problem:{self.slug}"

    def as_json(self) -> dict[str, Any]:
        """The members of the problem document; absent ones are left out."""
        document: dict[str, Any] = {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "field": self.field,
            "article": self._cited(),
            "errors": list(self.errors),
        }
        return {name: value for name, value in document.items() if value not in (None, [])}

    def _cited(self) -> Mapping[str, Any] | str | None:
        if self.article is None or isinstance(self.article, str):
            return self.article
        return self.article.as_json()


class MissingIdempotencyKey(Problem):
    """A command without `Idempotency-Key`: a retry could not be told from a second command."""

    status = 400
    slug = "missing-idempotency-key"
    title = "缺少幂等键（Idempotency-Key）"


class BadRequest(Problem):
    """A request that cannot be understood at all."""

    status = 400
    slug = "bad-request"
    title = "请求无法识别"


class Unauthenticated(Problem):
    """No access token, or one that does not hold (RFC 6750)."""

    status = 401
    slug = "unauthenticated"
    title = "未登录或登录已失效"

    def __init__(self, detail: str | None = None, **rest: Any) -> None:
        super().__init__(detail, **rest)
        self.headers.setdefault("WWW-Authenticate", 'Bearer realm="ecocase"')


class RoleForbidden(Problem):
    """The account's roles do not allow this step."""

    status = 403
    slug = "role-forbidden"
    title = "没有办理权限"


class NotFound(Problem):
    """Nothing there, or nothing this bureau may see."""

    status = 404
    slug = "not-found"
    title = "未找到"


class MethodNotAllowed(Problem):
    """The address exists, the method does not."""

    status = 405
    slug = "method-not-allowed"
    title = "不支持这种请求方法"


class WrongState(Problem):
    """The step does not follow from the state the matter is in."""

    status = 409
    slug = "wrong-state"
    title = "当前状态下不能办理"


class RefusedByLaw(Problem):
    """An article of law refuses the step; `article` says which."""

    status = 409
    slug = "refused-by-law"
    title = "不符合法律规定"


class ClockBehind(Problem):
    """The server's clock is far behind what was recorded before: an operator must look."""

    status = 409
    slug = "clock-behind"
    title = "服务器时钟有误"


class RaceLost(Problem):
    """Others changed the same matter at the same moment, again and again: try once more."""

    status = 409
    slug = "race-lost"
    title = "他人同时办理了此事项，请重试"


class Stale(Problem):
    """`If-Match` names a version that is no longer the latest (RFC 9110 §13.1.1)."""

    status = 412
    slug = "stale"
    title = "内容已被他人更新，请刷新后再办理"


class BodyTooLarge(Problem):
    """The body is larger than this address takes."""

    status = 413
    slug = "body-too-large"
    title = "提交的内容过大"


class UnsupportedMediaType(Problem):
    """The body is of a kind this address does not read (RFC 9110 §15.5.16)."""

    status = 415
    slug = "unsupported-media-type"
    title = "不支持这种内容类型"


class InvalidInput(Problem):
    """Fields that are missing or wrong; `errors` lists each."""

    status = 422
    slug = "invalid-input"
    title = "填写的内容不合规定"


class KeyReused(Problem):
    """The idempotency key was used before with another content."""

    status = 422
    slug = "key-reused"
    title = "幂等键已用于另一项请求"


class TooManyRequests(Problem):
    """More requests than the limit allows; `Retry-After` says how many seconds to wait."""

    status = 429
    slug = "too-many-requests"
    title = "请求过于频繁，请稍后再试"

    def __init__(self, detail: str | None = None, *, retry_after: int = 1, **rest: Any) -> None:
        super().__init__(detail, **rest)
        self.headers.setdefault("Retry-After", str(retry_after))


class Unavailable(Problem):
    """Something the service needs does not answer; `Retry-After` says how many seconds to wait."""

    status = 503
    slug = "unavailable"
    title = "服务暂时不可用，请稍后再试"

    def __init__(self, detail: str | None = None, *, retry_after: int = 2, **rest: Any) -> None:
        super().__init__(detail, **rest)
        self.headers.setdefault("Retry-After", str(retry_after))
