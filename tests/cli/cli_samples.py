"""Traces and types that the tests of the command line share."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from typer.testing import Result

Invoke = Callable[..., Result]


def native(identifier: str, *texts: str, passed: bool | None = None, **fields: Any) -> str:
    """A native trace as JSON: agents take turns saying the texts."""
    steps = [
        {
            "index": i,
            "native_index": i,
            "kind": "message",
            "role": "assistant",
            "agent": ("Planner", "Writer")[i % 2],
            "text": text,
        }
        for i, text in enumerate(texts)
    ]
    outcome = {} if passed is None else {"status": "passed" if passed else "failed"}
    agents = [{"name": "Planner", "kind": "orchestrator"}, {"name": "Writer", "kind": "worker"}]
    document = {
        "schema_version": 1,
        "id": identifier,
        "format": "native",
        "agents": agents,
        "steps": steps,
        "outcome": outcome,
    }
    return json.dumps(document | fields)
