"""What no database can store, refused before anything reads it.

PostgreSQL takes no NUL character and no lone surrogate in text, no NaN in JSON, and no integer
beyond 64 bits; left alone, each would come back as an error of the server's.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from shared.http.problem import FieldError, InvalidInput

_UNSTORABLE = "含有无法保存的字符"
_TOO_LARGE = "数字过大"
_MAX_DEPTH = 64
_ESCAPES = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_NUMBERS = re.compile(rb"\d(?:\d{18}|[eE]\+?\d\d)")
_BOUND = 2**63


def refuse_unstorable(raw: bytes) -> None:
    """Refuse JSON that holds what PostgreSQL cannot: NUL, lone surrogates, NaN, over 64 bits.

    A scan of the bytes passes nearly every body; only what looks suspicious is parsed and walked.
    JSON that does not parse is left to the parser to refuse.

    Raises:
        InvalidInput: with the path of every value at fault.
    """
    suspicious = (
        b"\0" in raw  # not UTF-8 JSON; UTF-16, which some parsers take, is full of them
        or (b"\\u" in raw and _ESCAPES.search(raw))
        or _NUMBERS.search(raw)
        or b"NaN" in raw
        or b"Infinity" in raw
    )
    if not suspicious:
        return
    try:
        document = json.loads(raw.decode())
        errors = [FieldError(field=path, reason=why) for path, why in _unstorable(document, "")]
    except UnicodeDecodeError:
        raise InvalidInput("JSON 应使用 UTF-8 编码") from None
    except RecursionError:
        raise InvalidInput("JSON 嵌套过深") from None
    except json.JSONDecodeError:
        return
    except ValueError:  # more digits than Python converts
        raise InvalidInput(_TOO_LARGE) from None
    if errors:
        raise InvalidInput(errors=errors)


def refuse_unstorable_text(text: str, *, field: str) -> None:
    """Refuse a path or query string with a NUL in it.

    Raises:
        InvalidInput: naming `field`.
    """
    if "\0" in text or "%00" in text:
        raise InvalidInput(errors=[FieldError(field=field, reason=_UNSTORABLE)])


def _unstorable(value: Any, path: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Path and reason of each value that cannot be stored."""
    if depth > _MAX_DEPTH:
        raise RecursionError
    if isinstance(value, dict):
        for name, inner in value.items():
            if _storable(name):
                yield from _unstorable(inner, f"{path}.{name}".removeprefix("."), depth + 1)
            else:
                yield path, _UNSTORABLE
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unstorable(inner, f"{path}[{index}]", depth + 1)
    elif isinstance(value, str) and not _storable(value):
        yield path, _UNSTORABLE
    elif isinstance(value, int | float) and not -_BOUND <= value < _BOUND:  # NaN: never within
        yield path, _TOO_LARGE


def _storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)
