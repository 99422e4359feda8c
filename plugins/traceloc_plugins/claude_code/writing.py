"""One session as a trace."""

from __future__ import annotations

from collections import Counter
from typing import Any

from traceloc.loading import TraceBuilder, declared_error, result_error, text_of
from traceloc.trace import InputMessage, StepError, StepKind, ToolCall, Trace, Usage
from traceloc_plugins.claude_code.blocks import failed_on_server, is_server_result
from traceloc_plugins.claude_code.injected import asked_by_command, own_words, printed, queued
from traceloc_plugins.claude_code.lines import AROUND, Line
from traceloc_plugins.claude_code.sessions import Session
from traceloc_plugins.claude_code.threads import (
    DELEGATING,
    Thread,
    abandoned,
    find_threads,
    order_lines,
)
from traceloc_plugins.records import bounded, keep_fields, keep_rest

MAIN = "claude"
_OF_A_LINE = frozenset(
    """
    type subtype uuid parentUuid logicalParentUuid sessionId session_id timestamp message data
    isSidechain agentId parent_tool_use_id toolUseID parentToolUseID sourceToolAssistantUUID
    cwd gitBranch version claude_code_version userType slug requestId isMeta toolUseResult
    isApiErrorMessage isCompactSummary isVisibleInTranscriptOnly
    """.split()
)
"""Fields of a line that are read, that repeat it, or that are the same in every line."""
_INTERRUPTED = "[Request interrupted by user"
_MAX_OWN_HISTORY = 400
"""Beyond this many steps a sub-agent's inputs are left to mean "everything before"."""
_CALLS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})


def write_session(session: Session) -> Trace:
    """The trace of one session; without steps where nobody said anything."""
    return _Writer(session).write()


class _Writer:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.lines = session.lines
        self.builder = TraceBuilder(format="claude_code", source=session.path)
        self._left = abandoned(self.lines)
        self._threads = find_threads(self.lines)
        self._by_call = {t.call_id: t for t in self._threads.values() if t.call_id}
        self._pieces: dict[str, list[Line]] = {}
        self._tools: dict[str, str] = {}
        self._callers: dict[str, str] = {}
        self._results: set[str] = set()
        self._history: dict[str, list[InputMessage]] = {}
        self._skipped: Counter[str] = Counter()
        self._facts: dict[str, Any] = {}
        self._summaries: list[str] = []
        self._begun: set[str] = set()
        for line in self.lines:
            if line.message_id is not None:
                self._pieces.setdefault(line.message_id, []).append(line)

    def write(self) -> Trace:
        for place in order_lines(self.lines, self._threads):
            self._line(self.lines[place], place)
        for kind, count in sorted(self._skipped.items()):
            self.builder.note("note", f"{count} lines of type {kind!r} are no steps")
        if self.session.repeated:
            self.builder.note("skipped", f"{self.session.repeated} lines repeat an earlier uuid")
        if self._left:
            count = len(self._left)
            self.builder.note("note", f"{count} lines are on branches that a rewind left behind")
        for thread in dict.fromkeys(t.name for t in self._threads.values()):
            if thread not in self._begun:
                self.builder.note(
                    "missing",
                    f"sub-agent {thread!r} said nothing that was recorded; its file lies in "
                    "~/.claude/projects, beside the session or in its folder subagents",
                )
        if self._summaries:
            self._facts["summaries"] = self._summaries
        return self.builder.build(
            id=self.session.id,
            task=self._task(),
            session_id=self.session.id,
            attributes=self._facts,
        )

    def _line(self, line: Line, place: int) -> None:
        self._keep_facts(line)
        if line.message is not None:
            place_in_file = f"lines[{line.native}]"
            keep_rest(self.builder, line.raw, _OF_A_LINE, place=place_in_file)
        if line.kind == "assistant" and line.message is not None:
            self._assistant(line, place)
        elif line.kind == "user" and line.message is not None:
            self._user(line, place)
        elif line.kind == "result":
            self._outcome(line)
        elif line.kind == "system" and line.raw.get("subtype") in ("api_error", "compact_boundary"):
            self._system(line)
        elif line.kind == "summary":
            if isinstance(summary := line.raw.get("summary"), str):
                self._summaries.append(summary)
        elif line.kind == "attachment" and (prompt := queued(line.raw)) is not None:
            self._asked(text_of(bounded(prompt)), line, place)
        elif line.kind == AROUND:
            self._facts |= keep_fields(self.builder, line.raw)
        else:
            self._skipped[line.kind or "unknown"] += 1

    # What the model said

    def _assistant(self, line: Line, place: int) -> None:
        pieces = [line]
        if line.message_id is not None:
            pieces = self._pieces.pop(line.message_id, [])
            if not pieces:
                return  # merged into the step of its first line
        agent = self._agent(line, place)
        texts: list[str] = []
        thoughts: list[str] = []
        calls: list[ToolCall] = []
        answered: list[dict[str, Any]] = []
        for piece in pieces:
            for block in piece.blocks():
                if isinstance(block, dict) and is_server_result(block):
                    answered.append(block)
                elif isinstance(block, dict):
                    self._block(block, texts, thoughts, calls)
                elif isinstance(block, str):
                    texts.append(block)
        last = pieces[-1].message or {}
        model = last.get("model")
        synthetic = model == "<synthetic>"
        targets = []
        for call in calls:
            self._callers[call.id or ""] = agent
            if call.name in DELEGATING:
                targets.append(self._target(call))
        error = None
        if line.raw.get("isApiErrorMessage") is True:
            error = declared_error("\n".join(texts), kind="model")
        kind: StepKind = "message"
        if calls:
            kind = "handoff" if len(targets) == len(calls) else "action"
        elif error is not None:
            kind = "event"
        elif thoughts and not texts:
            kind = "thought"
        if not (texts or calls or thoughts or error):
            self._skipped["assistant without content"] += 1
            return
        step = self.builder.step(
            kind=kind,
            role="assistant",
            agent=agent,
            text="\n".join(texts),
            reasoning="\n".join(thoughts) or None,
            calls=calls,
            to=tuple(dict.fromkeys(targets)) or None,
            error=error,
            inputs=self._inputs(agent),
            model=model if isinstance(model, str) and not synthetic else None,
            usage=None if line.copied or synthetic else _usage(last.get("usage")),
            llm_call_id=line.message_id,
            **self._common(line, place, synthetic=synthetic),
        )
        self._remember(agent, step, "assistant")
        for block in answered:
            self._result(block, line, place)

    def _block(
        self, block: dict[str, Any], texts: list[str], thoughts: list[str], calls: list[ToolCall]
    ) -> None:
        kind = block.get("type")
        kind = kind if isinstance(kind, str) else None
        if kind == "thinking":
            if isinstance(thought := block.get("thinking"), str) and thought:
                thoughts.append(thought)
        elif kind in _CALLS:
            name, call_id = block.get("name"), block.get("id")
            if not isinstance(name, str):
                return
            call_id = call_id if isinstance(call_id, str) else None
            if call_id is not None:
                if call_id in self._tools:
                    return  # the same call in a resumed or progress line
                self._tools[call_id] = name
            calls.append(ToolCall(name=name, id=call_id, arguments=bounded(block.get("input"))))
        elif kind == "text" or kind is None:
            if text := text_of(block.get("text")):
                texts.append(text)
        elif kind != "redacted_thinking":
            texts.append(text_of(block))

    def _target(self, call: ToolCall) -> str:
        thread = self._by_call.get(call.id or "")
        if thread is not None:
            return thread.name
        asked = call.arguments.get("subagent_type") if isinstance(call.arguments, dict) else None
        return asked if isinstance(asked, str) and asked else "subagent"

    # What came back

    def _user(self, line: Line, place: int) -> None:
        rest = []
        for block in line.blocks():
            if isinstance(block, dict) and block.get("type") == "tool_result":
                self._result(block, line, place)
            else:
                rest.append(block)
        text = text_of(rest) if rest else ""
        if not text.strip():
            return
        if self._threads.get(place) is not None:
            self._sub_prompt(text, line, place)
        else:
            self._asked(text, line, place)

    def _asked(self, text: str, line: Line, place: int) -> None:
        """Words in the user's place, whoever wrote them."""
        self.builder.agent("user", kind="human", attribution="role")
        own = not line.raw.get("isMeta") and bool(own_words(text))
        error = None
        kind: StepKind = "message" if own else "event"
        if text.startswith(_INTERRUPTED):
            error = StepError(kind="user_rejection", message=text.strip())
            kind = "event"
        flags = self._common(line, place, synthetic=not own)
        if line.raw.get("isCompactSummary") is True:
            flags["flags"] = ("copied_context",)
        step = self.builder.step(
            kind=kind, role="user", agent="user", text=text, to=(MAIN,), error=error, **flags
        )
        self._remember(MAIN, step, "user")

    def _sub_prompt(self, text: str, line: Line, place: int) -> None:
        """The prompt a sub-agent was started with repeats what the call says."""
        name = self._agent(line, place)
        boss = self._boss(self._threads[place])
        common = self._common(line, place)
        if self._history.get(name):
            kind: StepKind = "event"
        else:
            kind = "handoff"
            common["flags"] = ("copied_context",)
        step = self.builder.step(
            kind=kind, role="user", agent=boss, text=text, to=(name,), **common
        )
        self._remember(name, step, "user")

    def _result(self, block: dict[str, Any], line: Line, place: int) -> None:
        call_id = block.get("tool_use_id")
        call_id = call_id if isinstance(call_id, str) else None
        name = self._tools.get(call_id or "", "tool")
        text = text_of(block.get("content"))
        details = line.raw.get("toolUseResult")
        if not text and details is not None:
            text = text_of(details)
        error = result_error(details)
        if block.get("is_error") is True or failed_on_server(block):
            error = declared_error(text or "the tool failed")
        elif isinstance(details, str) and details.startswith("Error"):
            error = error or declared_error(details)
        elif isinstance(details, dict) and details.get("interrupted") is True:
            error = error or StepError(kind="user_rejection", message="interrupted by the user")
        common = self._common(line, place)
        repeated = call_id is not None and call_id in self._results
        if repeated:
            common["flags"] = ("duplicate",)
        elif call_id is not None:
            self._results.add(call_id)
        self.builder.agent(name, kind="tool", attribution="role")
        step = self.builder.step(
            kind="event" if repeated else "result",
            role="tool",
            agent=name,
            tool=name,
            call_id=call_id or "",
            text=text,
            error=error,
            **common,
        )
        caller = self._callers.get(call_id or "")
        self._remember(caller or self._agent(line, place), step, "tool")

    def _system(self, line: Line) -> None:
        text = text_of(line.raw.get("content") or line.raw.get("error") or "")
        failed = line.raw.get("subtype") == "api_error"
        self.builder.agent("system", kind="system", attribution="role")
        self.builder.step(
            kind="event",
            role="system",
            agent="system",
            text=text,
            error=declared_error(text or "API error", kind="model") if failed else None,
            native_index=line.native,
            line=line.number,
            timestamp=line.time,
        )

    def _outcome(self, line: Line) -> None:
        """The last line of ``stream-json``: how the run ended, and what it cost."""
        for key in ("subtype", "num_turns", "total_cost_usd", "duration_ms", "result"):
            if (value := line.raw.get(key)) is not None:
                self._facts[key] = value
        subtype = line.raw.get("subtype")
        if line.raw.get("is_error") is True or (
            isinstance(subtype, str) and subtype.startswith("error")
        ):
            self.builder.outcome("failed", source="error", detail=str(subtype or "error"))

    # Shared

    def _agent(self, line: Line, place: int) -> str:
        thread = self._threads.get(place)
        if thread is None:
            return self.builder.agent(MAIN, kind="worker", attribution="role")
        boss = self._boss(thread)
        self.builder.agent(boss, kind="orchestrator")
        self._begun.add(thread.name)
        return self.builder.agent(thread.name, kind="worker", parent=boss)

    def _boss(self, thread: Thread) -> str:
        return self._callers.get(thread.call_id or "", MAIN)

    def _common(self, line: Line, place: int, *, synthetic: bool = False) -> dict[str, Any]:
        flags = []
        if synthetic:
            flags.append("synthetic")
        if line.copied:
            flags.append("copied_context")
        if place in self._left:
            flags.append("duplicate")
        return {
            "native_index": line.native,
            "line": line.number,
            "timestamp": line.time,
            "flags": tuple(flags) or None,
            "attributes": {"branch": "left behind"} if place in self._left else None,
        }

    def _inputs(self, agent: str) -> tuple[InputMessage, ...] | None:
        """A sub-agent sees its own thread only; the main agent sees what stands before."""
        if agent == MAIN:
            return None
        history = self._history.get(agent, [])
        return tuple(history) if len(history) <= _MAX_OWN_HISTORY else None

    def _remember(self, agent: str, step: int, role: Any) -> None:
        if agent != MAIN:
            speaker = self.builder.steps[step].agent
            message = InputMessage(role=role, step=step, agent=speaker)
            self._history.setdefault(agent, []).append(message)

    def _keep_facts(self, line: Line) -> None:
        for key in ("version", "cwd", "gitBranch", "claude_code_version"):
            if isinstance(value := line.raw.get(key), str) and value:
                self._facts.setdefault(key, value)
        if line.kind == "system" and line.raw.get("subtype") == "init":
            tools = line.raw.get("tools")
            for name in tools if isinstance(tools, list) else ():
                if isinstance(name, str):
                    self.builder.tool(name)

    def _task(self) -> str | None:
        """The first words of a person: a message, or a command that hands them to the model."""
        steps = self.builder.steps
        for step, after in zip(steps, [*steps[1:], None], strict=False):  # there may be none
            if step.role != "user" or step.error:
                continue
            if not step.flags:
                words = own_words(step.text)
                return step.text if words == step.text.strip() else words
            asked = asked_by_command(step.text) if step.flags == ("synthetic",) else None
            if asked and not (after and printed(after.text)):
                return asked
        return None


def _usage(raw: Any) -> Usage | None:
    if not isinstance(raw, dict):
        return None
    keys = {
        "input": "input_tokens",
        "output": "output_tokens",
        "cache_read": "cache_read_input_tokens",
        "cache_write": "cache_creation_input_tokens",
    }
    found = {
        name: raw[key]
        for name, key in keys.items()
        if isinstance(raw.get(key), int) and not isinstance(raw[key], bool) and raw[key] >= 0
    }
    return Usage(**found) if found else None
