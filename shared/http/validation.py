"""What is wrong with an input, said in Chinese, field by field.

Pydantic's errors are translated by their type, never by their English text, and never repeat the
value: it may be a person's.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from shared.http.problem import FieldError, InvalidInput
from shared.http.storable import refuse_unstorable

T = TypeVar("T")

FALLBACK = "值不合规定"

# Pydantic error type -> reason; {names} are filled from the error's context.
_REASONS: dict[str, str] = {
    "missing": "必填",
    "extra_forbidden": "没有这个字段",
    "string_type": "应为文字",
    "string_too_short": "至少 {min_length} 个字",
    "string_too_long": "最多 {max_length} 个字",
    "string_pattern_mismatch": "格式不对",
    "string_unicode": "含有无法保存的字符",
    "enum": "只能是：{expected}",
    "literal_error": "只能是：{expected}",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_parsing_size": "数字过大",
    "int_from_float": "应为整数",
    "float_type": "应为数字",
    "float_parsing": "应为数字",
    "finite_number": "应为有限的数字",
    "decimal_type": "应为数字",
    "decimal_parsing": "应为数字",
    "decimal_max_digits": "最多 {max_digits} 位数字",
    "decimal_max_places": "最多 {decimal_places} 位小数",
    "decimal_whole_digits": "整数部分最多 {whole_digits} 位",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "不得小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "不得大于 {le}",
    "multiple_of": "应为 {multiple_of} 的倍数",
    "date_type": "应为日期，例如 2026-01-31",
    "date_parsing": "应为日期，例如 2026-01-31",
    "date_from_datetime_parsing": "应为日期，例如 2026-01-31",
    "date_from_datetime_inexact": "应为日期，不带时刻",
    "date_past": "应早于今天",
    "date_future": "应晚于今天",
    "datetime_type": "应为时间，例如 2026-01-31T09:00:00+08:00",
    "datetime_parsing": "应为时间，例如 2026-01-31T09:00:00+08:00",
    "datetime_from_date_parsing": "应为时间，例如 2026-01-31T09:00:00+08:00",
    "datetime_object_invalid": "应为时间，例如 2026-01-31T09:00:00+08:00",
    "datetime_past": "应早于现在",
    "datetime_future": "应晚于现在",
    "timezone_aware": "应带时区，例如 +08:00",
    "timezone_naive": "不应带时区",
    "time_parsing": "应为时刻，例如 09:00",
    "uuid_type": "应为 UUID",
    "uuid_parsing": "应为 UUID",
    "url_parsing": "应为网址",
    "url_scheme": "网址应以 {expected_schemes} 开头",
    "url_type": "应为网址",
    "list_type": "应为列表",
    "set_type": "应为列表",
    "tuple_type": "应为列表",
    "too_short": "至少 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "dict_type": "应为 JSON 对象",
    "model_type": "应为 JSON 对象",
    "model_attributes_type": "应为 JSON 对象",
    "dataclass_type": "应为 JSON 对象",
    "union_tag_not_found": "缺少类别字段 {discriminator}",
    "union_tag_invalid": "类别只能是：{expected_tags}",
    "none_required": "应为空",
    "bytes_type": "应为文字",
    "json_invalid": "不是合法的 JSON",
    "json_type": "不是合法的 JSON",
}
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_SOURCES = frozenset({"body", "query", "path", "header", "cookie"})


def validate_json(adapter: TypeAdapter[T], raw: bytes) -> T:
    """Parse and check a request body in one step, without the framework's own body handling.

    Strict as the published schema is: `"1"` is no integer.

    Args:
        adapter: the shape wanted.
        raw: the body, JSON in UTF-8.

    Raises:
        InvalidInput: with the path and the reason of every field at fault.
    """
    refuse_unstorable(raw)
    try:
        return adapter.validate_json(raw, strict=True)
    except ValidationError as error:
        raise invalid_input(error.errors(include_url=False, include_input=False)) from None


def invalid_input(errors: Iterable[Mapping[str, Any]]) -> InvalidInput:
    """The problem for Pydantic's or FastAPI's list of errors."""
    return InvalidInput(
        errors=[
            FieldError(field=_path(error["loc"], error["type"]), reason=_reason(error))
            for error in errors
        ]
    )


def _path(loc: tuple[str | int, ...], kind: str) -> str:
    """`("body", "parties", 0, "name")` as `parties[0].name`; the source is left out."""
    if kind == "json_invalid":  # FastAPI gives the offset, which is no field
        return ""
    parts = loc[1:] if loc and loc[0] in _SOURCES else loc
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return path.removeprefix(".")


def _reason(error: Mapping[str, Any]) -> str:
    context = error.get("ctx") or {}
    template = _REASONS.get(error["type"])
    if template is not None:
        return template.format_map(context).replace(" or ", "、").replace("'", "")
    # Validators of ours speak Chinese; anything else would be the library's English.
    own = str(context.get("error", ""))
    return own if _CHINESE.search(own) else FALLBACK
