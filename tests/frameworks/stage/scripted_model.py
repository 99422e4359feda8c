"""A model on loopback that speaks a script, behind OpenAI's two protocols.

Run by the interpreters of the frameworks: nothing but the standard library.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from story import Turn

CREATED = 1_767_225_600
MODEL = "gpt-4o"
"""A name that frameworks know something about; nothing of that model is asked."""


class ScriptError(RuntimeError):
    """Somebody asked for words the script does not have, or left before a decisive one."""


class ScriptedModel:
    """Serves a script on a free port of 127.0.0.1 while the ``with`` block runs.

    Args:
        script: Prompt and turns of each agent. Who asks is known by the prompt; the n-th request of
            an agent gets its n-th turn.
    """

    def __init__(self, script: Mapping[str, tuple[str, tuple[Turn, ...]]]) -> None:
        self.script = script
        self.asked: Counter[str] = Counter()
        self.errors: list[str] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def base_url(self) -> str:
        """What a client wants as ``base_url``."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> ScriptedModel:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        if self.errors:
            raise ScriptError("; ".join(self.errors)) from error
        for name, (_, turns) in self.script.items():
            # A first agent that does not get its work back has no last turn.
            if error is None and self.asked[name] < max(2, len(turns) - 1):
                raise ScriptError(f"{name!r} spoke {self.asked[name]} of {len(turns)} turns")

    def answer(self, request: dict[str, Any]) -> tuple[int, Turn]:
        """Number and words of the turn for ``request``."""
        with self._lock:
            name = self._find_speaker(request)
            spoken = self.asked[name]
            if spoken >= len(self.script[name][1]):
                raise ScriptError(f"{name!r} was asked for turn {spoken}, the script ends before")
            self.asked[name] += 1
            return self.asked.total(), self.script[name][1][spoken]

    def _find_speaker(self, request: dict[str, Any]) -> str:
        said = request.get("messages") or request.get("input")
        rules = [m for m in said if m.get("role") in ("system", "developer")]
        text = json.dumps([request.get("instructions"), rules] if rules else request)
        found = [(text.rfind(prompt), name) for name, (prompt, _) in self.script.items()]
        place, name = max(found)
        if place < 0:
            raise ScriptError(f"no agent's prompt in {text[:300]}")
        return name


def complete(request: dict[str, Any], number: int, turn: Turn) -> dict[str, Any]:
    """``turn`` as a chat completion."""
    message: dict[str, Any] = {"role": "assistant", "content": turn.text or None}
    if turn.calls:
        message["tool_calls"] = [
            {
                "id": f"call_{number}_{place}",
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(dict(call.arguments))},
            }
            for place, call in enumerate(turn.calls)
        ]
    asked, spoken = _count(request["messages"]), _count(message)
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": CREATED + number,
        "model": request.get("model", MODEL),
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


def cut(done: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A chat completion as the chunks of a stream."""
    choice = done["choices"][0]
    base = {key: done[key] for key in ("id", "created", "model")}
    base["object"] = "chat.completion.chunk"
    message = choice["message"]
    deltas = [{"role": "assistant", "content": message["content"]}]
    # A call a piece, as OpenAI does: not every client reads several from one.
    for place, call in enumerate(message.get("tool_calls", ())):
        deltas.append({"tool_calls": [{**call, "index": place}]})
    for delta in deltas:
        yield {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    last = {"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}
    yield {**base, "choices": [last]}
    yield {**base, "choices": [], "usage": done["usage"]}


def respond(request: dict[str, Any], number: int, turn: Turn) -> dict[str, Any]:
    """``turn`` as an answer of the Responses API."""
    output: list[dict[str, Any]] = []
    if turn.text:
        content = {"type": "output_text", "text": turn.text, "annotations": [], "logprobs": []}
        output.append(
            {
                "id": f"msg_{number}",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [content],
            }
        )
    output += [
        {
            "id": f"fc_{number}_{place}",
            "type": "function_call",
            "status": "completed",
            "call_id": f"call_{number}_{place}",
            "name": call.name,
            "arguments": json.dumps(dict(call.arguments)),
        }
        for place, call in enumerate(turn.calls)
    ]
    asked, spoken = _count(request["input"]), _count(output)
    return {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": CREATED + number,
        "status": "completed",
        "model": request.get("model", MODEL),
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": request.get("tools") or [],
        "temperature": 1.0,
        "top_p": 1.0,
        "instructions": request.get("instructions"),
        "error": None,
        "incomplete_details": None,
        "metadata": {},
        "usage": {
            "input_tokens": asked,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": spoken,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": asked + spoken,
        },
    }


def _count(value: Any) -> int:
    return len(json.dumps(value)) // 4


def _make_handler(model: ScriptedModel) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Keep quiet."""

        def do_GET(self) -> None:
            self._send(200, "application/json", json.dumps({"object": "list", "data": []}))

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            try:
                number, turn = model.answer(request)
            except ScriptError as error:
                model.errors.append(str(error))
                sys.stderr.write(f"{error}\n")
                self._send(400, "application/json", json.dumps({"error": {"message": str(error)}}))
                return
            if self.path.endswith("/responses"):
                body = json.dumps(respond(request, number, turn))
                self._send(200, "application/json", body)
                return
            done = complete(request, number, turn)
            if request.get("stream"):
                lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in cut(done)]
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
