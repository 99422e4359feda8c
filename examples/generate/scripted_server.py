"""An OpenAI-compatible chat-completions server on loopback that speaks a scenario's script."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from loopback import LoopbackServer, ScriptError, make_completion
from scenario import Scenario, Turn


class ScriptedServer(LoopbackServer):
    """Serves `scenario.script`.

    The speaker of a request is the agent whose prompt stands in the request's text; where none
    does, it is `scenario.options["unprompted"]`. Its n-th request gets its n-th turn.
    """

    def __init__(self, scenario: Scenario) -> None:
        """Prepare to serve `scenario`."""
        super().__init__()
        self.scenario = scenario
        self.served: list[tuple[str, Turn]] = []
        """Speaker and turn of each answered request, in order."""
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    def respond(
        self, path: str, request: dict[str, Any]
    ) -> dict[str, Any] | Iterator[dict[str, Any]]:
        """The completion for `request`, whole or in chunks."""
        done = self.answer(request)
        return _chunks(done) if request.get("stream") else done

    def check_spoken(self) -> None:
        """Raise unless every agent spoke all its turns."""
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
        digest = sha256(seed.encode()).hexdigest()[:29]
        return make_completion(request, message, id=f"chatcmpl-{digest}", number=number)


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
