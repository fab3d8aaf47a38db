"""What a caller sees of an item's persons: masked in ordinary reads, whole once disclosed.

Identity numbers, phones and addresses of natural persons are masked for everyone (个人信息保护法
6: 限于实现处理目的的最小范围); so are the phone and the identity number given for an organisation,
which are those of a person in it. Names are shown, since the handling is of that person; but of a
table that the procedure keeps confidential (举报人保密) not even a name is, unless to its roles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.http.problem import RoleForbidden
from shared.personal import replace_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.identity.caller import Caller
    from shared.workflow.table import Procedure

SHOWN = ("id", "kind", "name", "code", "id_number", "phone", "address")
HIDDEN = "***"
IDENTITY_NUMBER, MOBILE = 18, 11


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen: tables of persons `withheld` from the caller, and whether the rest is whole."""

    withheld: frozenset[str]
    whole: bool = False

    def person(self, table: str, person: Mapping[str, Any]) -> dict[str, Any]:
        """A person's row as seen."""
        shown = {name: person[name] for name in SHOWN if person[name] is not None}
        if table in self.withheld:
            hidden = {name: HIDDEN for name in shown if name not in {"id", "kind"}}
            return {**shown, **hidden, "masked": True}
        return shown if self.whole else masked(shown)

    def text(self, value: Any) -> Any:
        """Free text, a list of it, or what else a fact holds, as seen.

        Whoever reported may be named in any text, so it is whole only where nobody is withheld.
        """
        if self.whole and not self.withheld:
            return value
        if isinstance(value, str):
            return replace_numbers(value, masked_number)
        if isinstance(value, list):
            return [self.text(inner) for inner in value]
        return value


def ordinary(procedure: Procedure, caller: Caller) -> Sight:
    """How a caller sees an item who has given no reason."""
    return Sight(
        frozenset(
            table
            for table, roles in procedure.confidential.items()
            if caller.roles.isdisjoint(roles)
        )
    )


def disclosed(procedure: Procedure, caller: Caller) -> Sight:
    """How a caller sees an item who has given a reason.

    Raises `RoleForbidden` where the caller takes no step of the procedure.
    """
    if not caller.holds(procedure.handlers):
        allowed = "、".join(sorted(role.title for role in procedure.handlers))
        raise RoleForbidden(f"查阅未遮盖的个人信息须由{allowed}办理")
    return Sight(ordinary(procedure, caller).withheld, whole=True)


def masked(person: Mapping[str, Any]) -> dict[str, Any]:
    """A person with numbers and, of a natural person, the address masked."""
    shown = dict(person)
    for name in ("id_number", "phone"):
        if name in shown:
            shown[name] = masked_number(shown[name])
    if "address" in shown and person["kind"] == "individual":
        shown["address"] = HIDDEN
    return shown if shown == person else {**shown, "masked": True}


def masked_number(number: str) -> str:
    """Enough of an identity or mobile number to tell it from another; nothing of any else."""
    if len(number) == IDENTITY_NUMBER:
        return f"{number[:6]}********{number[-4:]}"
    if len(number) == MOBILE:
        return f"{number[:3]}****{number[-4:]}"
    return HIDDEN
