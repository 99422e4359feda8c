"""Values as exporters write them: typed OTLP values, ids, times, JSON inside strings."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import from_json

from traceloc.loading.bounding import MAX_DEPTH, bounded
from traceloc_plugins.literals import read_literal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HEX = re.compile(r"[0-9a-fA-F]+")
_ZEROS = re.compile(r"0*")
_DURATION = re.compile(
    r"P(?:(?P<d>[\d.]+)D)?(?:T(?:(?P<h>[\d.]+)H)?(?:(?P<m>[\d.]+)M)?(?:(?P<s>[\d.]+)S)?)?"
)
_MAX_REPR = 200_000
"""Longest Python literal that is parsed."""

NS = 1_000_000_000


def any_value(value: Any) -> Any:
    """An OTLP ``AnyValue`` as plain JSON, in camel case, snake case or filled up with nulls."""
    if not isinstance(value, dict):
        return value
    for key, inner in value.items():
        if inner is None:
            continue
        if key in ("stringValue", "string_value", "boolValue", "bool_value"):
            return inner
        if key in ("intValue", "int_value"):
            return _integer(inner)
        if key in ("doubleValue", "double_value"):
            return _number(inner)
        if key in ("arrayValue", "array_value"):
            values = inner.get("values") if isinstance(inner, dict) else inner
            return [any_value(item) for item in values] if isinstance(values, list) else []
        if key in ("kvlistValue", "kvlist_value"):
            return attributes(inner.get("values") if isinstance(inner, dict) else inner)
        if key in ("bytesValue", "bytes_value"):
            return inner
        return value  # not an AnyValue: some exporters write the plain object
    return None


def attributes(pairs: Any) -> dict[str, Any]:
    """Attributes as a flat dict, from OTLP key-value pairs or from a dict."""
    if isinstance(pairs, dict):
        return {str(key): value for key, value in pairs.items() if value is not None}
    if not isinstance(pairs, list):
        return {}
    found = {}
    for pair in pairs:
        if isinstance(pair, dict) and isinstance(key := pair.get("key"), str):
            value = pair.get("value")
            # The common case by far, kept out of the call.
            if isinstance(value, dict) and len(value) == 1 and "stringValue" in value:
                found[key] = value["stringValue"]
            elif (plain := any_value(value)) is not None:
                found[key] = plain
    return found


def identifier(raw: Any) -> str | None:
    """A trace or span id in lower-case hex; ``None`` for no id, other spellings as they are.

    Seen: hex, ``0x`` and hex, and base64 (protobuf's own JSON mapping).
    """
    if isinstance(raw, int) and not isinstance(raw, bool):
        return f"{raw:x}"
    if not isinstance(raw, str):
        return None
    text = raw.strip().removeprefix("0x")
    if len(text) in (16, 32) and _HEX.fullmatch(text):
        return None if _ZEROS.fullmatch(text) else text.lower()
    if len(text) in (11, 12, 22, 24):
        try:
            data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except (binascii.Error, ValueError):
            return text
        if len(data) in (8, 16):
            return data.hex() if any(data) else None
    return text or None


def nanoseconds(raw: Any) -> int | None:
    """A time as nanoseconds since 1970, from numbers of any unit or an ISO text."""
    if isinstance(raw, bool) or raw is None:
        return None
    if isinstance(raw, str):
        text = raw.strip()
        if not text:
            return None
        try:
            return _scaled(int(text))
        except ValueError:
            pass
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
    if isinstance(raw, int | float):
        return _scaled(raw)
    return None


def moment(nanos: int | None) -> datetime | None:
    """The same time as an aware UTC datetime; ``None`` where it is out of any calendar."""
    if nanos is None:
        return None
    try:
        return _EPOCH + timedelta(microseconds=nanos // 1000)
    except OverflowError:
        return None


def duration(raw: Any) -> int | None:
    """An ISO 8601 duration (``PT24.6S``) in nanoseconds."""
    match = _DURATION.fullmatch(raw) if isinstance(raw, str) else None
    if match is None:
        return None
    days, hours, minutes, seconds = (float(match[unit] or 0) for unit in "dhms")
    total = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * NS
    return int(total) if total < 2**63 else None


def decoded(value: Any) -> Any:
    """What a string encodes: JSON, JSON inside JSON, or a Python literal; else the string."""
    for _ in range(3):
        if not isinstance(value, str):
            return value
        text = value.strip()
        if text[:1] not in ("{", "[", '"', "("):
            return value
        try:
            value = from_json(text)
        except ValueError:
            return _literal(text, value)
        if not isinstance(value, str):
            # Counted first, because nearly all values are flat and need no copy.
            is_nested = text.count("{") + text.count("[") > MAX_DEPTH
            return bounded(value) if is_nested else value
    return value


def _literal(text: str, fallback: Any) -> Any:
    """Frameworks that call ``str()`` on arguments leave a Python literal behind."""
    if len(text) > _MAX_REPR or ("'" not in text and text[:1] != "("):
        return fallback
    try:
        value = read_literal(text)
    except ValueError:
        return fallback
    return value if isinstance(value, dict | list | str) else fallback


def _integer(raw: Any) -> Any:
    try:
        return int(raw)
    except (TypeError, ValueError, OverflowError):
        return raw


def _number(raw: Any) -> Any:
    try:
        return float(raw)
    except (TypeError, ValueError, OverflowError):
        return raw


def _scaled(number: float) -> int | None:
    if number != number or number <= 0 or number > 1e20:
        return None
    for limit, factor in ((1e17, 1), (1e14, 1000), (1e11, 1_000_000)):
        if number >= limit:
            return int(number) * factor if isinstance(number, int) else int(number * factor)
    return int(number * NS)


_MEDIA = frozenset({"blob", "uri", "file"})
_MEDIA_KEYS = ("image", "document", "video", "audio", "inline_data", "inlineData", "fileData")
"""Where Bedrock and Gemini keep media."""


def media_in_words(part: dict[str, Any]) -> str | None:
    """A picture, a recording or a file in a few words; its bytes are nothing to read."""
    kind = part.get("type")
    if isinstance(kind, str) and kind in _MEDIA:
        named, where = part.get("modality"), part.get("uri") or part.get("file_id")
        words = named if isinstance(named, str) else kind
        is_told = isinstance(where, str) and where and not where.startswith("data:")
        return f"[{words} {where}]" if is_told else f"[{words}]"
    for key in _MEDIA_KEYS:
        if isinstance(part.get(key), dict) and "text" not in part:
            return "[file]" if "ata" in key else f"[{key}]"
    return None
