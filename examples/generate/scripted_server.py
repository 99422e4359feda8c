"""An OpenAI-compatible chat-completions server on loopback that speaks a scenario's script."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from scenario import Scenario, Turn

CREATED = 1_767_225_600
"""The `created` second every answer carries; the run's clock is set by the normaliser."""


class ScriptError(RuntimeError):
    """The framework asked for a turn the script does not have."""


class ScriptedServer:
    """Serves `scenario.script` on a free port of 127.0.0.1 while the `with` block runs.

    The speaker of a request is the agent whose prompt stands in the request's text; where none
    does, it is `scenario.options["unprompted"]`. Its n-th request gets its n-th turn.
    """

    def __init__(self, scenario: Scenario) -> None:
        """Prepare to serve `scenario`."""
        self.scenario = scenario
        self.served: list[tuple[str, Turn]] = []
        """Speaker and turn of each answered request, in order."""
        self.errors: list[str] = []
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._httpd.serve_forever, daemon=True)

    @property
    def base_url(self) -> str:
        """What to give a client as `base_url`."""
        return f"http://127.0.0.1:{self._httpd.server_port}/v1"

    def __enter__(self) -> ScriptedServer:
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
        self._httpd.shutdown()
        self._httpd.server_close()
        if self.errors:
            raise ScriptError("; ".join(self.errors)) from error
        if error is None:
            self._check_spoken()

    def _check_spoken(self) -> None:
        for name, turns in self.scenario.script.items():
            if self._asked[name] != len(turns):
                raise ScriptError(f"{name!r} spoke {self._asked[name]} of {len(turns)} turns")

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The completion for `request`."""
        with self._lock:
            name = self._speaker(request)
            turns, spoken = self.scenario.script[name], self._asked[name]
            if spoken >= len(turns):
                raise ScriptError(f"{name!r} was asked for turn {spoken}, the script ends before")
            self._asked[name] += 1
            self.served.append((name, turns[spoken]))
            return self._complete(request, turns[spoken], number=len(self.served))

    def _speaker(self, request: dict[str, Any]) -> str:
        text = json.dumps(request["messages"][:2], ensure_ascii=False)
        for agent in self.scenario.agents:
            if json.dumps(agent.prompt, ensure_ascii=False)[1:-1] in text:
                return agent.name
        try:
            return self.scenario.options["unprompted"]
        except KeyError:
            raise ScriptError(f"no agent's prompt in {text[:300]}") from None

    def _complete(self, request: dict[str, Any], turn: Turn, *, number: int) -> dict[str, Any]:
        seed = f"{self.scenario.slug}:{number}"
        message: dict[str, Any] = {"role": "assistant", "content": turn.text or None}
        if turn.calls:
            message["tool_calls"] = [
                {
                    "id": f"call_{sha256(f'{seed}:{index}'.encode()).hexdigest()[:24]}",
                    "type": "function",
                    "function": {"name": call.name, "arguments": json.dumps(dict(call.args))},
                }
                for index, call in enumerate(turn.calls)
            ]
        asked = len(json.dumps(request["messages"])) // 4
        spoken = len(json.dumps(message)) // 4
        return {
            "id": f"chatcmpl-{sha256(seed.encode()).hexdigest()[:29]}",
            "object": "chat.completion",
            "created": CREATED + number,
            "model": request.get("model", "gpt-4o"),
            "choices": [
                {
                    "index": 0,
                    "message": message,
                    "finish_reason": "tool_calls" if turn.calls else "stop",
                    "logprobs": None,
                }
            ],
            "usage": {
                "prompt_tokens": asked,
                "completion_tokens": spoken,
                "total_tokens": asked + spoken,
            },
        }


def _chunks(done: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """`done` as the chunks of a streamed answer."""
    choice = done["choices"][0]
    base = {key: done[key] for key in ("id", "created", "model")}
    base["object"] = "chat.completion.chunk"
    delta = dict(choice["message"])
    if "tool_calls" in delta:
        delta["tool_calls"] = [{**c, "index": i} for i, c in enumerate(delta["tool_calls"])]
    yield {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    last = {"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}
    yield {**base, "choices": [last]}
    yield {**base, "choices": [], "usage": done["usage"]}


def _handler(server: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Keep quiet."""

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            try:
                done = server.answer(request)
            except ScriptError as error:
                server.errors.append(str(error))
                self._send(400, "application/json", json.dumps({"error": {"message": str(error)}}))
                return
            if request.get("stream"):
                lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in _chunks(done)]
                self._send(200, "text/event-stream", "".join([*lines, "data: [DONE]\n\n"]))
            else:
                self._send(200, "application/json", json.dumps(done))

        def _send(self, status: int, kind: str, body: str) -> None:
            data = body.encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler
