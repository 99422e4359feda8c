"""What a tool returned, in words."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

from traceloc.loading import text_of
from traceloc_plugins.spans.values import decoded


def result_text(value: Any) -> str:
    """What a tool returned, in words: wrappers of text parts are taken off, other JSON is kept."""
    if isinstance(value, str):
        if not value.lstrip().startswith(_WRAPPED):
            return value
        inner = decoded(value)
        if value[:1] == '"' and not isinstance(inner, str):
            return value
        value = inner
    if isinstance(value, dict):
        value = _unwrapped(value)
    if isinstance(value, list) and value and all(_is_text_part(part) for part in value):
        return text_of(value)
    if value is None or isinstance(value, str):
        return value or ""
    return json_text(value)


_WRAPPED = (
    '[{"text"',
    '[{"type":"text"',
    '[{"type": "text"',
    '{"content":',
    '{"result":',
    '{"id":',
    '"',
)
"""How results start that stand inside something."""


def _unwrapped(value: dict[str, Any]) -> Any:
    """What a function's or a server's answer is packed in, taken off."""
    stated = {key for key, inner in value.items() if inner is not None}
    if stated == {"id", "name", "response"} and isinstance(value["response"], dict):
        value = value["response"]
    if len(value) == 1:
        if isinstance(only := value.get("result"), str):
            return only
        if isinstance(parts := value.get("content"), list):
            return parts
    return value


def json_text(value: Any) -> str:
    """A JSON value as one line."""
    return to_json(value, inf_nan_mode="constants").decode()


def _is_text_part(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("text"), str) and len(part) <= 3
