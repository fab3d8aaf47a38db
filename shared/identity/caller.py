"""Who is calling: an account, its roles and the one bureau whose rows it may see.

An account is a short code that stands for one person (`officer1`, a number, a UUID). It goes into
events, which cannot be erased, so it may be neither a name nor a phone or identity number.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shared.identity.roles import Role

ACCOUNT_PATTERN: Final = r"^(?!1[0-9]{10}$)(?![0-9]{17}[0-9Xx]$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""An ASCII code of at most 64 characters, neither a mobile nor an identity number (身份证号)."""

BUREAU_PATTERN: Final = r"^[1-9][0-9]{5}$"
"""行政区划代码 (GB/T 2260): six digits."""

_ACCOUNT = re.compile(ACCOUNT_PATTERN, re.ASCII)
_BUREAU = re.compile(BUREAU_PATTERN, re.ASCII)


def is_account(text: str) -> bool:
    """Whether `text` may stand for a person in an event."""
    return _ACCOUNT.fullmatch(text) is not None


def is_bureau(text: str) -> bool:
    """Whether `text` has the form of a 行政区划代码."""
    return _BUREAU.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified caller.

    `account` is the person answerable for the step, and what separation of duty compares. When a
    past caseload is imported, that is the person named by the importer, and `importer` is the
    account that sent the request. `session` is what the token's `sid` names.
    """

    account: str
    roles: frozenset[Role]
    bureau: str
    issuer: str
    importer: str | None = None
    session: str | None = None

    def sees(self, bureau: str) -> bool:
        """Whether rows of `bureau` (行政区划代码) lie within the caller's scope."""
        return bureau == self.bureau

    def holds(self, roles: Iterable[Role]) -> bool:
        """Whether the caller has at least one of `roles`."""
        return not self.roles.isdisjoint(roles)

    @property
    def on_behalf_of(self) -> str | None:
        """The event column of that name: who entered the step for `actor`, if another did.

        `actor` stays the person whom the law holds to the step, so that rules which compare actors
        need not know about imports; this column tells the audit who typed it in.
        """
        return self.importer
