"""A model's endpoint on loopback that answers from a script; nothing but the standard library.

Run by the interpreters of the frameworks, here and where ``examples/generate`` records.
"""

from __future__ import annotations

import json
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

CREATED = 1_767_225_600
"""Second from which on answers say they were made; frameworks want some."""


MODEL = "gpt-4o"
"""A name that frameworks know something about; nothing of that model is asked."""


class ScriptError(RuntimeError):
    """Somebody asked for words the script does not have, or left before it was spoken."""


class LoopbackServer(ABC):
    """Serves on a free port of 127.0.0.1 while the ``with`` block runs."""

    def __init__(self) -> None:
        """Prepare to serve."""
        self.errors: list[str] = []
        """What was asked for that the script does not have."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @abstractmethod
    def respond(self, path: str, request: dict[str, Any]) -> dict[str, Any] | Iterator[Any]:
        """The document for a request, or the events of a stream.

        Raises:
            ScriptError: If the script has no words for it.
        """

    @abstractmethod
    def check_spoken(self) -> None:
        """Raise ``ScriptError`` if the script was left too early."""

    @property
    def base_url(self) -> str:
        """What to give a client as ``base_url``."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        """Start serving."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop serving; raise if the script was left, or not spoken to its end."""
        self._server.shutdown()
        self._server.server_close()
        if self.errors:
            raise ScriptError("; ".join(self.errors)) from error
        if error is None:
            self.check_spoken()


def make_completion(
    request: dict[str, Any], message: dict[str, Any], *, id: str, number: int
) -> dict[str, Any]:
    """A chat completion around a message; tokens are counted roughly."""
    asked, spoken = count_tokens(request["messages"]), count_tokens(message)
    return {
        "id": id,
        "object": "chat.completion",
        "created": CREATED + number,
        "model": request.get("model", MODEL),
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": "tool_calls" if message.get("tool_calls") else "stop",
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": asked,
            "completion_tokens": spoken,
            "total_tokens": asked + spoken,
        },
    }


def count_tokens(value: Any) -> int:
    """About how many tokens a JSON value has."""
    return len(json.dumps(value)) // 4


def _make_handler(server: LoopbackServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Keep quiet."""

        def do_GET(self) -> None:
            self._send(200, "application/json", json.dumps({"object": "list", "data": []}))

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            try:
                done = server.respond(self.path, request)
            except ScriptError as error:
                server.errors.append(str(error))
                sys.stderr.write(f"{error}\n")
                self._send(400, "application/json", json.dumps({"error": {"message": str(error)}}))
                return
            if isinstance(done, dict):
                self._send(200, "application/json", json.dumps(done))
            else:
                lines = [f"data: {json.dumps(event)}\n\n" for event in done]
                self._send(200, "text/event-stream", "".join([*lines, "data: [DONE]\n\n"]))

        def _send(self, status: int, kind: str, body: str) -> None:
            data = body.encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler
