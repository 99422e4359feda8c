"""Field names in one spelling: frameworks write the same models in camel and in snake case."""

from __future__ import annotations

import re
from typing import Any

_CAMEL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_LONGEST = 200
"""Longer keys are data and no field names."""


def snake(fields: Any) -> dict[str, Any]:
    """An object with its own keys in snake case; those of inner objects stay as they are."""
    if not isinstance(fields, dict):
        return {}
    return {
        (key if key.islower() else _CAMEL.sub(r"_\1", key).lower()): value
        for key, value in fields.items()
        if len(key) < _LONGEST
    }
