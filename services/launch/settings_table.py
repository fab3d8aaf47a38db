"""Every setting with its meaning, default and present value, for people; no secret is shown."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pydantic import SecretStr

from services.launch.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "ECOCASE_"
NONE = "—"
MASK = "***"
SECRET_PARAMETERS = frozenset({"password", "sslpassword"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: the variable's name, its meaning (Chinese), and its values as text."""

    name: str
    meaning: str
    default: str
    value: str
    origin: str


def table(settings: Settings) -> list[Setting]:
    """Every setting in the order in which they are defined."""
    return [
        Setting(
            name=PREFIX + name.upper(),
            meaning=field.description or "",
            default=_shown(field.get_default(call_default_factory=True)),
            value=_shown(getattr(settings, name)),
            origin="环境变量" if name in settings.model_fields_set else "缺省",
        )
        for name, field in Settings.model_fields.items()
    ]


def unknown(environment: Mapping[str, str]) -> list[str]:
    """What to say of each variable that begins like a setting and is none: a slip of the pen."""
    known = [name.upper() for name in Settings.model_fields]
    said = []
    for name in sorted(environment):
        short = name.upper().removeprefix(PREFIX)
        if short == name.upper() or short in known:
            continue
        near = difflib.get_close_matches(short, known, n=1)
        said.append(
            f"没有设置 {name}，不起作用" + (f"；是否应为 {PREFIX}{near[0]}" if near else "")
        )
    return said


def _shown(value: Any) -> str:
    match value:
        case SecretStr():
            return "已设置" if value.get_secret_value() else NONE
        case None | "":
            return NONE
        case dict():
            return "，".join(f"{name} → {_shown(one)}" for name, one in value.items()) or NONE
        case _:
            return _masked(str(value))


def _masked(text: str) -> str:
    """An address without the password in it."""
    if "://" not in text:
        return text
    try:
        parts = urlsplit(text)
    except ValueError:
        return MASK
    account, at, host = parts.netloc.rpartition("@")
    name, colon, _ = account.partition(":")
    query = urlencode(
        [
            (key, MASK if key.lower() in SECRET_PARAMETERS else given)
            for key, given in parse_qsl(parts.query, keep_blank_values=True)
        ],
        quote_via=quote,
        safe="/*",
    )
    netloc = f"{name}{colon}{MASK if colon else ''}{at}{host}"
    return urlunsplit((parts.scheme, netloc, parts.path, query, parts.fragment))
