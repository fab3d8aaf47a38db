"""Enforcement certificates (行政执法证): who may investigate on a given day.

行政处罚法 art. 42 asks for at least two officers with a certificate; the services ask a directory
for the certificates of the accounts named in a step. A bureau publishes its officers' certificates
(国办发〔2018〕118号), so an answer holds number and validity only and never a name.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Protocol

import httpx
from pydantic import BaseModel, Field, ValidationError

from shared.http.problem import Unavailable


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate of one account; both dates are days on which it is valid."""

    account: str
    number: str
    valid_from: date
    valid_to: date

    def valid_on(self, day: date) -> bool:
        """Whether the certificate is in force on `day` (a day of Asia/Shanghai)."""
        return self.valid_from <= day <= self.valid_to


class OfficerDirectory(Protocol):
    """Where certificates are looked up."""

    async def certificates(
        self, accounts: Sequence[str], bureau: str
    ) -> Mapping[str, tuple[Certificate, ...]]:
        """The certificates of each of `accounts` in `bureau`; an account without one maps to ()."""
        ...


class OfficerAnswer(BaseModel):
    """What `GET /officers` answers: the certificates, in no order."""

    certificates: Annotated[list[Certificate], Field(description="执法证件")]


class HttpOfficerDirectory:
    """Asks an issuer's `GET /officers`.

    `url` is that endpoint's full address; `access_token` gives a valid access token for each call.
    Raises `Unavailable` when no usable answer comes.
    """

    def __init__(
        self, url: str, client: httpx.AsyncClient, access_token: Callable[[], Awaitable[str]]
    ) -> None:
        self._url = url
        self._client = client
        self._access_token = access_token

    async def certificates(
        self, accounts: Sequence[str], bureau: str
    ) -> Mapping[str, tuple[Certificate, ...]]:
        """See `OfficerDirectory`."""
        try:
            response = await self._client.get(
                self._url,
                params={"accounts": ",".join(accounts), "bureau": bureau},
                headers={"Authorization": f"Bearer {await self._access_token()}"},
            )
            response.raise_for_status()
            answer = OfficerAnswer.model_validate_json(response.content)
        except (httpx.HTTPError, ValidationError) as error:
            raise Unavailable("执法人员名录暂时无法查询") from error
        return by_account(accounts, answer.certificates)


class CachedOfficerDirectory:
    """Remembers each account's certificates for `seconds`; at most `size` accounts."""

    def __init__(
        self,
        directory: OfficerDirectory,
        *,
        seconds: float = 60,
        size: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._seconds = seconds
        self._size = size
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], tuple[float, tuple[Certificate, ...]]] = (
            OrderedDict()
        )

    async def certificates(
        self, accounts: Sequence[str], bureau: str
    ) -> Mapping[str, tuple[Certificate, ...]]:
        """See `OfficerDirectory`."""
        now = self._clock()
        found: dict[str, tuple[Certificate, ...]] = {}
        for account in accounts:
            entry = self._known.get((bureau, account))
            if entry is not None and entry[0] > now:
                found[account] = entry[1]
        missing = [account for account in accounts if account not in found]
        if missing:
            fetched = await self._directory.certificates(missing, bureau)
            for account in missing:
                found[account] = fetched.get(account, ())
                self._known[bureau, account] = (now + self._seconds, found[account])
            while len(self._known) > self._size:
                self._known.popitem(last=False)
        return found


def by_account(
    accounts: Sequence[str], certificates: Sequence[Certificate]
) -> dict[str, tuple[Certificate, ...]]:
    """`certificates` grouped under each of `accounts`, the empty ones included."""
    return {
        account: tuple(found for found in certificates if found.account == account)
        for account in accounts
    }
