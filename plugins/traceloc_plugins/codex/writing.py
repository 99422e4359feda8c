"""One session, with the sub-agents it started, as a trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from traceloc.loading import TraceBuilder, declared_error, text_of
from traceloc.trace import Role, Trace
from traceloc_plugins.codex.calls import CALLS, OUTPUTS, SPAWNING, read_call, read_output
from traceloc_plugins.codex.lines import Line
from traceloc_plugins.codex.responses import Voice
from traceloc_plugins.codex.sessions import Thread
from traceloc_plugins.facts import usage_from, word
from traceloc_plugins.records import bounded, split_truth
from traceloc_plugins.turns import Turns

MAIN = "codex"
_INJECTED = (
    "<environment_context>",
    "<user_instructions>",
    "<permissions instructions>",
    "<collaboration_mode>",
    "<turn_aborted>",
    "<user_shell_command>",
    "<skill>",
    "<subagent_notification>",
    "# AGENTS.md instructions",
)
_REQUEST = "## My request for Codex:"
_REPEATING: dict[str, Role] = {"user_message": "user", "agent_message": "assistant"}
_USAGE = {
    "input_tokens": "input",
    "output_tokens": "output",
    "cached_input_tokens": "cache_read",
    "reasoning_output_tokens": "reasoning",
}
_PROMPTS = frozenset({"id", "timestamp", "instructions", "base_instructions"})


def write_session(thread: Thread) -> Trace:
    """The trace of a session; without steps where nothing was said."""
    return _Writer(thread).write()


class _Writer:
    def __init__(self, thread: Thread) -> None:
        self.root = thread
        self.builder = TraceBuilder(format="codex", source=thread.path, dialect="rollout")
        self.turns = Turns(self.builder)
        self._skipped: Counter[str] = Counter()
        self._facts: dict[str, Any] = {}
        self._names: dict[str, str] = {}
        self._task: str | None = None
        self._waiting: dict[str, Thread] = {}

    def write(self) -> Trace:
        self._thread(self.root, None)
        for kind, count in sorted(self._skipped.items()):
            self.builder.note("note", f"{count} lines of type {kind!r} are no steps")
        return self.builder.build(
            id=self.root.id,
            session_id=self.root.id,
            task=self._task,
            attributes={key: bounded(value) for key, value in self._facts.items()},
        )

    def _thread(self, root: Thread, boss: str | None) -> None:
        """Write a thread; one that a call started comes right behind the call's result."""
        stack: list[tuple[Thread, Voice, Iterator[Line]]] = []

        def enter(thread: Thread, boss: str | None) -> None:
            said = frozenset(_messages(thread))
            voice = Voice(self.turns, self._introduce(thread, boss), boss, said)
            if thread.repeated:
                self.builder.note("skipped", f"{thread.repeated} lines repeat an earlier file")
            stack.append((thread, voice, iter(thread.lines)))
            for id, helper in thread.helpers.items():
                self._waiting[id] = helper

        enter(root, boss)
        while stack:
            thread, voice, lines = stack[-1]
            line = next(lines, None)
            if line is None:
                voice.end()
                stack.pop()
                for id in reversed([id for id in thread.helpers if id in self._waiting]):
                    self.builder.note("inferred", "sub-agents stand at the end: no call names them")
                    enter(self._waiting.pop(id), voice.agent)
                continue
            try:
                started = self._line(line, voice)
            except (ValueError, RecursionError):
                self.builder.note("skipped", "lines that cannot be represented", line=line.number)
                continue
            for id in started:
                enter(self._waiting.pop(id), voice.agent)

    def _introduce(self, thread: Thread, boss: str | None) -> str:
        name = self._name(thread) if boss else MAIN
        self.turns.introduce(name, parent=boss, attribution="explicit" if boss else "role")
        if boss:
            self.builder.agent(boss, kind="orchestrator")
        return name

    def _name(self, thread: Thread) -> str:
        id = thread.id or thread.path
        if id not in self._names:
            wanted = thread.name or f"agent-{id[-8:]}"
            taken = {*self._names.values(), MAIN}
            number, name = 2, wanted
            while name in taken:
                name, number = f"{wanted} {number}", number + 1
            self._names[id] = name
        return self._names[id]

    def _line(self, line: Line, voice: Voice) -> list[str]:
        """Add a line; gives the sub-agents that it set to work."""
        kind = line.type
        if line.kind == "response_item":
            return self._item(line, voice)
        if line.kind == "event_msg":
            self._event(line, voice)
        elif line.kind == "session_meta":
            self._keep_facts(line, voice)
        elif line.kind == "turn_context":
            voice.model = word(line.payload.get("model")) or voice.model
        elif line.kind == "compacted":
            text = text_of(bounded(line.payload.get("message")))
            voice.compact(text, **_place(line))
        else:
            self._skipped[line.kind or kind or "unknown"] += 1
        return []

    def _item(self, line: Line, voice: Voice) -> list[str]:
        item, kind = line.payload, line.type
        if kind == "reasoning":
            voice.think(_thoughts(item), **_place(line))
        elif kind == "message":
            self._message(line, voice)
        elif kind in CALLS:
            voice.call(read_call(item), **_place(line))
        elif kind in OUTPUTS:
            return self._output(line, voice)
        else:
            self._skipped[kind or "unknown"] += 1
        return []

    def _message(self, line: Line, voice: Voice) -> None:
        text = text_of(bounded(line.payload.get("content")))
        role = line.payload.get("role")
        if role == "assistant":
            voice.speak(text, **_place(line))
        elif role == "user":
            self._user(text, line, voice)
        else:
            voice.end()
            voice.hear(self.turns.instruct(voice.agent, text, **_place(line)))

    def _user(self, text: str, line: Line, voice: Voice) -> None:
        voice.end()
        if text.lstrip().startswith(_INJECTED):
            extra: dict[str, Any] = {"kind": "event", "flags": ("synthetic",)}
        else:
            extra = {}
            if self._task is None:
                self._task = text.partition(_REQUEST)[2].strip() or text.strip()
        if voice.boss and not extra:
            # A sub-agent's "user" is the agent that started it, whose call holds these words.
            step = self.builder.step(
                kind="handoff",
                role="user",
                agent=voice.boss,
                text=text,
                to=(voice.agent,),
                flags=("copied_context",),
                **_place(line),
            )
        else:
            step = self.turns.ask(text, to=(voice.agent,), **extra, **_place(line))
        voice.hear(step)

    def _output(self, line: Line, voice: Voice) -> list[str]:
        voice.end()
        call_id = word(line.payload.get("call_id"))
        returned = read_output(line.payload)
        tool, place = voice.tools.get(call_id or ""), _place(line)
        voice.hear(
            self.turns.answer(
                returned.text,
                call_id=call_id or "",
                tool=tool,
                error=returned.error,
                exit_code=returned.exit_code,
                value=returned.value,
                **{**place, "attributes": {**line.others, **returned.facts} or None},
            )
        )
        if tool not in SPAWNING:
            return []
        named = [id for id in self._waiting if id in returned.text]
        for id in named:
            voice.hand_over(call_id or "", self._name(self._waiting[id]))
        return named

    def _event(self, line: Line, voice: Voice) -> None:
        payload, kind = line.payload, line.type
        if kind == "token_count":
            info = payload.get("info")
            last = info.get("last_token_usage") if isinstance(info, dict) else None
            total = info.get("total_token_usage") if isinstance(info, dict) else None
            voice.count(usage_from(last, _USAGE), total)
        elif kind in _REPEATING:
            self._repeat(line, voice, _REPEATING[kind])
        elif kind in ("error", "stream_error"):
            voice.end()
            text = text_of(bounded(payload.get("message")))
            error = declared_error(text or kind, kind="model")
            self.turns.tell(text, error=error, **_place(line))
            if kind == "error":
                self.builder.outcome("failed", source="error", detail=text[:500] or kind)
        elif kind == "turn_aborted":
            voice.end()
            reason = word(payload.get("reason")) or "aborted"
            error = declared_error(reason, kind="user_rejection")
            self.turns.tell(reason, error=error, **_place(line))
        else:
            self._skipped[kind or "event_msg"] += 1

    def _repeat(self, line: Line, voice: Voice, role: Role) -> None:
        """Each message is written twice: as an item for the model, as an event for the screen."""
        text = text_of(bounded(line.payload.get("message")))
        if (role, text.strip()) not in voice.said:
            if role == "assistant":
                voice.speak(text, **_place(line))
            else:
                self._user(text, line, voice)
            return
        agent = voice.agent if role == "assistant" else self.builder.agent("user", kind="human")
        repeat = partial(self.builder.step, kind="event", role=role, agent=agent, text=text)
        voice.afterwards(partial(repeat, flags=("duplicate",), **_place(line)))

    def _keep_facts(self, line: Line, voice: Voice) -> None:
        meta = line.payload
        if voice.agent == MAIN:
            for key, value in split_truth({**line.beside, **meta}).attributes.items():
                if key not in _PROMPTS and value is not None:
                    self._facts.setdefault(key, value)
        instructions = meta.get("instructions") or meta.get("base_instructions")
        if isinstance(instructions, dict):
            instructions = instructions.get("text")
        if text := word(instructions):
            self.turns.introduce(voice.agent, instructions=text)


def _place(line: Line) -> dict[str, Any]:
    return {
        "native_index": line.native,
        "line": line.number,
        "timestamp": line.time,
        "attributes": line.others or None,
    }


def _thoughts(item: dict[str, Any]) -> str:
    parts = [text_of(bounded(item.get(key))) for key in ("summary", "content")]
    return "\n".join(part for part in dict.fromkeys(parts) if part)


def _messages(thread: Thread) -> Iterator[tuple[str, str]]:
    for line in thread.lines:
        if line.kind == "response_item" and line.type == "message":
            yield (
                str(line.payload.get("role")),
                text_of(bounded(line.payload.get("content"))).strip(),
            )
