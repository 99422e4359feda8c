"""An HTTP server that speaks OpenAI's chat completions, on loopback, answered by a function.

It is what ``traceloc judge-replay`` runs, and what the tests put behind the real clients: plain,
streamed, with tools and with a JSON schema; and every way in which an endpoint can fail.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from traceloc.judging.tokens import bound_tokens

LOOPBACK = "127.0.0.1"
LARGEST_REQUEST = 64 * 1024 * 1024
CHUNK = 16
"""Characters of one piece of a stream."""

Fault = Literal["cut", "malformed", "drop"]


@dataclass(frozen=True)
class ChatRequest:
    """What a client asked."""

    model: str
    system: str
    user: str
    body: dict[str, Any] = field(repr=False, default_factory=dict)
    """The whole request."""


@dataclass(frozen=True)
class ChatAnswer:
    """What it gets."""

    text: str = ""
    status: int = 200
    retry_after: float | None = None
    delay: float = 0.0
    """Seconds to wait first."""
    finish: Literal["stop", "length", "content_filter"] = "stop"
    refusal: str | None = None
    fault: Fault | None = None
    """``cut``: the connection ends in the body. ``malformed``: the body is no JSON. ``drop``: no
    response at all."""


Answerer = Callable[[ChatRequest], ChatAnswer]


class ChatServer:
    """Serves until it is closed; a thread for each connection.

    Args:
        answer: Called in the thread of the connection.
        port: 0 takes a free one.
    """

    def __init__(self, answer: Answerer, *, port: int = 0) -> None:
        self._server = _Server((LOOPBACK, port), _Handler)
        self._server.answer = answer
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base URL for a client."""
        return f"http://{LOOPBACK}:{self._server.server_port}/v1"

    def serve(self) -> None:
        """Serve in this thread until somebody interrupts."""
        self._server.serve_forever(poll_interval=0.1)

    def __enter__(self) -> ChatServer:
        self._thread = threading.Thread(target=self.serve, name="chat-server", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take no more connections."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    answer: Answerer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is none of our errors."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 60
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: prompts do not belong into a log."""

    def do_GET(self) -> None:
        if self.path.rstrip("/").endswith("/models"):
            self._send(200, {"object": "list", "data": [{"id": "replay", "object": "model"}]})
        else:
            self._send(404, _error("not found", "not_found"))

    def do_POST(self) -> None:
        try:
            length = int(self.headers.get("Content-Length", 0))
        except ValueError:
            length = -1
        if not 0 <= length <= LARGEST_REQUEST:
            self.close_connection = True
            self._send(413, _error("too large", "invalid_request_error"))
            return
        raw = self.rfile.read(length)
        if not self.path.rstrip("/").endswith("/chat/completions"):
            self._send(404, _error("not found", "not_found"))
            return
        try:
            request = read_request(json.loads(raw))
        except (ValueError, TypeError, AttributeError, RecursionError):
            self._send(400, _error("the body is no chat request", "invalid_request_error"))
            return
        self._respond(request, self.server.answer(request))

    def _respond(self, request: ChatRequest, answer: ChatAnswer) -> None:
        if answer.delay:
            time.sleep(answer.delay)
        if answer.fault == "drop":
            self.close_connection = True
        elif answer.status != 200:
            self._send(answer.status, _error(answer.text, "error"), retry=answer.retry_after)
        elif request.body.get("stream"):
            self._stream(request, answer)
        else:
            self._send(200, completion(request, answer), fault=answer.fault)

    def _send(
        self,
        status: int,
        document: dict[str, Any],
        *,
        retry: float | None = None,
        fault: Fault | None = None,
    ) -> None:
        body = json.dumps(document).encode()
        if fault == "malformed":
            body = body[: len(body) // 2] + b"<html>"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if retry is not None:
            self.send_header("Retry-After", f"{retry:g}")
        self.end_headers()
        if fault == "cut":
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)

    def _stream(self, request: ChatRequest, answer: ChatAnswer) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, event in enumerate(stream(request, answer)):
            if answer.fault == "cut" and number == 2:
                self.close_connection = True
                return
            data = "{" if answer.fault == "malformed" and number == 1 else json.dumps(event)
            self._chunk(f"data: {data}\n\n")
        self._chunk("data: [DONE]\n\n")
        self._chunk("")

    def _chunk(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))


def read_request(body: Any) -> ChatRequest:
    """A request by its parts; contents may be texts or lists of parts.

    Raises:
        ValueError: If it is no chat request.
    """
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        raise ValueError("a chat request has messages")
    texts: dict[str, list[str]] = {"system": [], "user": []}
    for message in body["messages"]:
        role = "system" if message.get("role") in ("system", "developer") else "user"
        content = message.get("content") or ""
        if isinstance(content, list):
            content = "".join(str(part.get("text", "")) for part in content)
        texts[role].append(str(content))
    joined = {role: "\n\n".join(parts) for role, parts in texts.items()}
    return ChatRequest(str(body.get("model", "")), joined["system"], joined["user"], body)


def completion(request: ChatRequest, answer: ChatAnswer) -> dict[str, Any]:
    """The document of a finished answer."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text}
    finish: str = answer.finish
    if answer.refusal is not None:
        message |= {"content": None, "refusal": answer.refusal}
    elif (tool := _forced_tool(request.body)) is not None:
        message |= {"content": None, "tool_calls": [_tool_call(tool, answer.text)]}
        finish = "tool_calls" if finish == "stop" else finish
    return {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 0,
        "model": request.model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": _usage(request, answer),
    }


def stream(request: ChatRequest, answer: ChatAnswer) -> list[dict[str, Any]]:
    """The same in pieces."""
    whole = completion(request, answer)
    message = whole["choices"][0]["message"]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if message.get("tool_calls"):
        deltas.append({"tool_calls": [{"index": 0, **message["tool_calls"][0]}]})
    elif message.get("refusal"):
        deltas.append({"refusal": message["refusal"]})
    else:
        text = answer.text
        deltas += [{"content": text[i : i + CHUNK]} for i in range(0, len(text), CHUNK)]
    base = {k: whole[k] for k in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    events = [
        {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        for delta in deltas
    ]
    finish = whole["choices"][0]["finish_reason"]
    events.append({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    events.append({**base, "choices": [], "usage": whole["usage"]})
    return events


def _forced_tool(body: dict[str, Any]) -> str | None:
    tools, choice = body.get("tools") or [], body.get("tool_choice")
    if not tools or choice in (None, "auto", "none"):
        return None
    if isinstance(choice, dict):
        return str(choice.get("function", {}).get("name"))
    return str(tools[0]["function"]["name"])


def _tool_call(name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": "call_0", "type": "function", "function": function}


def _usage(request: ChatRequest, answer: ChatAnswer) -> dict[str, int]:
    given = bound_tokens(request.system) + bound_tokens(request.user)
    made = bound_tokens(answer.text)
    return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}


def _error(message: str, kind: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "code": None}}
