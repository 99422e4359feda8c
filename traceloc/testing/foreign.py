"""Files of other formats, and files that are no traces: nobody else's loader may claim them."""

from __future__ import annotations

import json
from typing import Any


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _lines(*values: Any) -> bytes:
    return b"\n".join(map(_json, values)) + b"\n"


NO_TRACES: dict[str, bytes] = {
    "an empty file": b"",
    "a note": b"# Minutes\n\nWe met and talked about {braces} and [brackets].\n",
    "a page": b"<!doctype html><title>{}</title><script>var a = [1];</script>",
    "a table": b"id,role,content\n1,user,hello\n2,assistant,hi\n",
    "code": b"def main() -> None:\n    print({'role': 'user'})\n",
    "a package description": _json({"name": "p", "version": "1.0", "scripts": {"test": "x"}}),
    "a lock file": _json({"name": "p", "packages": {"": {"dependencies": {"a": "^1"}}}}),
    "labels": _lines(*({"file": f, "trace": "1", "agent": "A", "step": 2} for f in ("1", "2"))),
    "numbers": b"[1, 2, 3]",
    "an empty object": b"{}",
    "an empty list": b"[]",
    "a list of objects": _json([{"a": 1}, {"b": [2]}]),
    "messages that are none": _json({"messages": "none", "history": [1, 2], "steps": 3}),
    "a schema": _json({"$schema": "https://json-schema.org/schema", "type": "object"}),
    "a binary file": b"\x89PNG\r\n\x1a\n" + bytes(64),
}  # fmt: skip
"""By what they are."""

_CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"q": "tea"}'}}

FORMATS: dict[str, bytes] = {
    "openai_chat": _json(
        {
            "messages": [
                {"role": "system", "content": "You sell tea."},
                {"role": "user", "content": "Which tea is left?"},
                {"role": "assistant", "content": None, "tool_calls": [_CALL]},
                {"role": "tool", "tool_call_id": "c1", "content": "green"},
                {"role": "assistant", "content": "Green tea."},
            ]
        }
    ),
    "sharegpt": _json(
        {"conversations": [{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Hi"}]}
    ),
    "native": _json(
        {
            "schema_version": 1,
            "id": "t",
            "format": "native",
            "agents": [{"name": "Ann"}],
            "steps": [
                {"index": 0, "native_index": 0, "kind": "message", "role": "user", "agent": "Ann"}
            ],
        }
    ),
    "otel": _json(
        {
            "resourceSpans": [
                {
                    "resource": {"attributes": []},
                    "scopeSpans": [
                        {
                            "scope": {"name": "shop"},
                            "spans": [
                                {
                                    "traceId": "5b8efff798038103d269b633813fc60c",
                                    "spanId": "eee19b7ec3c1b174",
                                    "name": "chat m",
                                    "startTimeUnixNano": "1544712660000000000",
                                    "endTimeUnixNano": "1544712661000000000",
                                    "attributes": [
                                        {
                                            "key": "gen_ai.operation.name",
                                            "value": {"stringValue": "chat"},
                                        }
                                    ],
                                }
                            ],
                        }
                    ],
                }
            ]
        }
    ),
    "claude_code": _lines(
        {
            "type": "user",
            "uuid": "u1",
            "parentUuid": None,
            "sessionId": "s",
            "message": {"role": "user", "content": "Which tea is left?"},
        },
        {
            "type": "assistant",
            "uuid": "u2",
            "parentUuid": "u1",
            "sessionId": "s",
            "message": {"role": "assistant", "content": [{"type": "text", "text": "Green."}]},
        },
    ),
}
"""A small file of some formats, by the name of their loader."""
