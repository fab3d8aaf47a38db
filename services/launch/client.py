"""A client of the platform for the command line: finds it, signs in, and survives its absences."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import httpx
import orjson

from services.launch.settings import Settings
from shared.identity.dependency import ACTOR_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

PATIENCE = 10.0
"""Seconds without any answer after which the platform counts as away."""
_EARLY = 30.0
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
_LONGEST_PAUSE = 120.0
"""Seconds of `Retry-After` beyond which waiting is the user's affair: a locked account."""
_PASSING = frozenset({429, 502, 503, 504})


class PlatformAwayError(Exception):
    """The platform has not answered for ten seconds."""


class CredentialsError(Exception):
    """No credentials to sign in with; the message says where they were looked for."""


class RefusedError(Exception):
    """The platform refused: `problem` is its problem document."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = problem
        super().__init__(said(problem))


def said(problem: Mapping[str, Any]) -> str:
    """A problem document in one line of Chinese: which field, what, which article."""
    field = problem.get("field")
    named = field and not problem.get("errors")
    return f"{field}：{reason(problem)}" if named else reason(problem)


def reason(problem: Mapping[str, Any]) -> str:
    """What a problem document says is wrong, and by which article; no field unless of several."""
    text = str(problem.get("detail") or problem.get("title") or "请求被拒绝")
    errors = problem.get("errors") or []
    if errors:
        text = "；".join(f"{e['field']}：{e['reason']}" for e in errors)
    article = problem.get("article")
    if article:
        text += f"（依据：{article['text'] if isinstance(article, dict) else article}）"
    return text


@dataclass(slots=True)
class Credentials:
    """Who may be signed in: accounts with passwords, or one ready-made token of an importer.

    The file holds `{"accounts": {NAME: {"password", "roles"}}}`, or `{"token": …}` where an
    outside issuer gave one to an account of the role 导入.
    """

    passwords: dict[str, str]
    roles: dict[str, tuple[str, ...]]
    token: str | None = None
    codes: dict[str, str] = field(default_factory=dict)
    """A code of the second factor for the first sign-in of accounts that have one."""
    chosen: str | None = None
    """The one account to do everything as, whatever the file says of others."""

    @classmethod
    def read(cls, path: Path) -> Credentials:
        """Read a credentials file; raises `CredentialsError`."""
        try:
            document = orjson.loads(path.read_bytes())
            accounts = document.get("accounts", {})
            return cls(
                passwords={name: entry["password"] for name, entry in accounts.items()},
                roles={name: tuple(entry.get("roles", ())) for name, entry in accounts.items()},
                token=document.get("token"),
            )
        except OSError as error:
            raise CredentialsError(
                f"读不到账号文件 {path}（{error.strerror}）：请先启动平台，或用 --credentials 指定"
            ) from error
        except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
            raise CredentialsError(f"账号文件 {path} 不是所需的格式") from error

    def reader(self) -> str:
        """An account that may read figures; raises `CredentialsError`."""
        return self._one_of("supervisor", "leader", "importer")

    def operator(self) -> str:
        """An account that may operate the platform; raises `CredentialsError`."""
        return self._one_of("system_admin")

    def auditor(self) -> str:
        """An account that may audit; raises `CredentialsError`."""
        return self._one_of("audit_admin", "supervisor", "system_admin")

    def administrator(self, role: str | None) -> str:
        """An account of an administrator's role, or of any; raises `CredentialsError`."""
        return self._one_of(*([role] if role else ["security_admin", "system_admin"]))

    def administrator_other_than(self, role: str) -> str:
        """An administrator's account of another kind; raises `CredentialsError`."""
        kinds = {"system_admin", "security_admin", "audit_admin"}
        return self._one_of(*sorted(kinds - {role}))

    def stands_for(self, account: str) -> bool:
        """Whether steps of an account can be sent: signed in, or named by an importer.

        A file with nothing but importers, or a token, stands for every account; in one that holds
        other accounts too, who is missing is not known.
        """
        importers = {name for name, held in self.roles.items() if "importer" in held}
        alone = bool(self.passwords) and importers >= self.passwords.keys()
        return account in self.passwords or self.token is not None or alone

    def comparer(self) -> str:
        """An account that may compare services and statistics; raises `CredentialsError`."""
        return self._one_of("system_admin", "supervisor", "audit_admin")

    def _one_of(self, *roles: str) -> str:
        if self.chosen is not None:
            return self.chosen
        for role in roles:
            if (account := self.with_role(role)) is not None:
                return account
        raise CredentialsError(f"账号文件中没有所需角色的账号：{'、'.join(roles)}")

    def with_role(self, role: str) -> str | None:
        """The first account that holds a role."""
        return next((name for name, held in self.roles.items() if role in held), None)


@dataclass(slots=True)
class _Session:
    token: str = ""
    until: float = 0.0
    refresh_token: str | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Client:
    """Calls the platform's APIs as one of several accounts.

    `told` is called with what each sign-in answers, for what the owner is to be shown.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        connections: int = 16,
        transport: httpx.AsyncBaseTransport | None = None,
        told: Callable[[Mapping[str, Any]], None] = lambda _: None,
    ) -> None:
        self.url = url.rstrip("/")
        self._told = told
        self.credentials = credentials
        self._sessions: dict[str, _Session] = {}
        self._last_answer = time.monotonic()
        self._http = httpx.AsyncClient(
            base_url=self.url,
            timeout=httpx.Timeout(PATIENCE),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            trust_env=False,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        """Start counting how long the platform stays away."""
        self._last_answer = time.monotonic()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def call(
        self,
        method: str,
        path: str,
        account: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        patience: float = PATIENCE,
    ) -> httpx.Response:
        """Call as an account, again and again while the platform is away or busy.

        `patience` is how many seconds an answer may take. Raises `RefusedError` for any other
        answer than 2xx, and `PlatformAwayError`.
        """
        content = None if json is None else orjson.dumps(json)
        return await self.send(
            method, path, account, content, params=params, headers=headers, patience=patience
        )

    async def send(
        self,
        method: str,
        path: str,
        account: str,
        content: bytes | None,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        patience: float = PATIENCE,
    ) -> httpx.Response:
        """`call` with a body that is JSON already."""
        for attempt in range(2):
            signed = {**await self.signed(account), **(headers or {})}
            if content is not None:
                signed["content-type"] = "application/json"
            response = await self._patiently(
                method, path, content=content, params=params, headers=signed, timeout=patience
            )
            if response.status_code == httpx.codes.UNAUTHORIZED and attempt == 0:
                self._sessions.pop(account, None)
                continue
            break
        if response.is_success:
            return response
        raise RefusedError(response.status_code, _problem(response))

    async def ask(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """Post without signing in: for what is asked with a password. Raises as `call` does."""
        answer = await self._patiently("POST", path, json=dict(body))
        if answer.is_success:
            return answer
        raise RefusedError(answer.status_code, _problem(answer))

    async def _patiently(self, method: str, path: str, **request: Any) -> httpx.Response:
        attempt = 0
        while True:
            pause = _PAUSES[min(attempt, len(_PAUSES) - 1)]
            attempt += 1
            try:
                response = await self._http.request(method, path, **request)
            except httpx.TransportError:
                if time.monotonic() - self._last_answer > PATIENCE:
                    raise PlatformAwayError(f"{self.url} 已有 {PATIENCE:g} 秒没有应答") from None
            else:
                wanted = response.headers.get("retry-after", "")
                retry_after = float(wanted) if wanted.isdigit() else 0.0
                if response.status_code not in _PASSING or retry_after > _LONGEST_PAUSE:
                    self._last_answer = time.monotonic()
                    return response
                if time.monotonic() - self._last_answer > PATIENCE:
                    raise PlatformAwayError(f"{self.url} 已有 {PATIENCE:g} 秒不能办理")
                pause = max(pause, min(retry_after, 5.0))
            await asyncio.sleep(pause)

    async def signed(self, account: str) -> dict[str, str]:
        """The headers by which a request is the account's."""
        if account in self.credentials.passwords:
            return {"authorization": f"Bearer {await self._token(account)}"}
        importer = self.credentials.with_role("importer")
        if self.credentials.token is not None:
            token = self.credentials.token
        elif importer is not None and self.credentials.stands_for(account):
            token = await self._token(importer)
        else:
            raise CredentialsError(f"账号文件中没有账号 {account}")
        return {"authorization": f"Bearer {token}", ACTOR_HEADER: account}

    async def _token(self, account: str) -> str:
        session = self._sessions.setdefault(account, _Session())
        async with session.lock:
            if session.until < time.monotonic():
                granted = (await self._granted(account, session.refresh_token)).json()
                session.token = granted["access_token"]
                session.until = time.monotonic() + float(granted["expires_in"]) - _EARLY
                session.refresh_token = granted["refresh_token"]
            return session.token

    async def _granted(self, account: str, refresh_token: str | None) -> httpx.Response:
        if refresh_token is not None:
            renewal = {"grant_type": "refresh_token", "refresh_token": refresh_token}
            answer = await self._patiently("POST", "/identity/token", json=renewal)
            if answer.is_success:
                return answer
        proof = {"username": account, "password": self.credentials.passwords[account]}
        if code := self.credentials.codes.get(account):
            proof["code"] = code
        granted = await self.ask("/identity/token", {"grant_type": "password", **proof})
        self._told(granted.json())
        return granted


def _problem(response: httpx.Response) -> Mapping[str, Any]:
    try:
        document = response.json()
    except ValueError:
        document = None
    if isinstance(document, dict):
        return document
    return {"detail": f"平台以 {response.status_code} 应答"}


def client_for(url: str | None, credentials: Path | None) -> Client:
    """A client of the platform of this folder and port, or of the one named.

    Raises `CredentialsError`.
    """
    settings = Settings.read()
    return Client(url or settings.url, Credentials.read(credentials_path(settings, credentials)))


def credentials_path(settings: Settings, given: Path | None) -> Path:
    """Where accounts that may be signed in are written."""
    return given or settings.data / "credentials.json"
