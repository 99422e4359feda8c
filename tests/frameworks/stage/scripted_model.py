"""A model on loopback that speaks a script, behind OpenAI's two protocols.

Run by the interpreters of the frameworks: nothing but the standard library.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from loopback import (
    CREATED,
    MODEL,
    LoopbackServer,
    ScriptError,
    count_tokens,
    make_completion,
)
from story import Turn


class ScriptedModel(LoopbackServer):
    """Serves a script.

    Args:
        script: Prompt and turns of each agent. Who asks is known by the prompt; the n-th request of
            an agent gets its n-th turn.
    """

    def __init__(self, script: Mapping[str, tuple[str, tuple[Turn, ...]]]) -> None:
        super().__init__()
        self.script = script
        self.asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    def respond(
        self, path: str, request: dict[str, Any]
    ) -> dict[str, Any] | Iterator[dict[str, Any]]:
        """The answer in the protocol of ``path``; of the older one as a stream where asked for."""
        number, turn = self.answer(request)
        if path.endswith("/responses"):
            return respond(request, number, turn)
        done = complete(request, number, turn)
        return cut(done) if request.get("stream") else done

    def check_spoken(self) -> None:
        """Raise unless every agent spoke its decisive turn."""
        for name, (_, turns) in self.script.items():
            # A first agent that does not get its work back has no last turn.
            if self.asked[name] < max(2, len(turns) - 1):
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
    return make_completion(request, message, id=f"chatcmpl-{number}", number=number)


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
    asked, spoken = count_tokens(request["input"]), count_tokens(output)
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
