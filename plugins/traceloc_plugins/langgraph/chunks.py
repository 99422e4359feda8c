"""Tokens of a stream, put together to the messages they are pieces of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from traceloc_plugins.langgraph.messages import unwrap
from traceloc_plugins.records import id_field


class Chunks:
    """Takes ``[piece, metadata]`` items of ``stream_mode="messages"``."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}
        self._first: dict[str, tuple[dict[str, Any], int, Any]] = {}
        self._calls: dict[str, dict[Any, dict[str, Any]]] = {}

    def add(self, content: Any, position: int) -> None:
        """Take in one piece."""
        if not isinstance(content, list) or len(content) != 2:
            return
        fields = unwrap(content[0])
        if fields is None:
            return
        name = id_field(fields, "id") or f"#{position}"
        if name not in self._first:
            about = content[1] if isinstance(content[1], dict) else {}
            namespace = about.get("langgraph_checkpoint_ns") or about.get("checkpoint_ns")
            self._first[name] = (fields, position, namespace)
        if isinstance(text := fields["content"], str):
            self._texts.setdefault(name, []).append(text)
        if isinstance(usage := fields.get("usage_metadata"), dict):
            self._first[name][0]["usage_metadata"] = usage
        pieces = fields.get("tool_call_chunks")
        for piece in pieces if isinstance(pieces, list) else ():
            if isinstance(piece, dict):
                self._add_call(name, piece)

    def _add_call(self, name: str, piece: dict[str, Any]) -> None:
        calls = self._calls.setdefault(name, {})
        number = piece.get("index")
        number = number if isinstance(number, int) else len(calls) if piece.get("id") else 0
        call = calls.setdefault(number, {"name": None, "id": None, "pieces": []})
        call["name"] = call["name"] or piece.get("name")
        call["id"] = call["id"] or piece.get("id")
        if isinstance(text := piece.get("args"), str):
            call["pieces"].append(text)

    def merged(self) -> Iterator[tuple[dict[str, Any], int, Any]]:
        """Whole messages, each with the position of its first piece and its namespace."""
        for name, (fields, position, namespace) in self._first.items():
            whole = dict(fields)
            if texts := self._texts.get(name):
                whole["content"] = "".join(texts)
            if calls := self._calls.get(name):
                whole["tool_calls"] = [
                    {"name": c["name"], "id": c["id"], "args": "".join(c["pieces"])}
                    for c in calls.values()
                ]
            yield whole, position, namespace
