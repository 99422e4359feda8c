"""Builds a trace step by step, so that loaders say only what their format means.

The builder numbers steps, joins results to calls, spots undeclared errors, introduces agents and
keeps the diagnostics. A loader that uses it cannot get these wrong.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from traceloc.loading.bounding import MAX_DEPTH, as_json, bounded, is_small
from traceloc.loading.tool_errors import exit_error, infer_error
from traceloc.trace import (
    Agent,
    AgentKind,
    Diagnostic,
    Label,
    Outcome,
    Role,
    Span,
    Step,
    StepKind,
    ToolCall,
    ToolResult,
    ToolSpec,
    Trace,
    Truth,
)

_KIND_BY_ROLE: dict[str, AgentKind] = {
    "user": "human",
    "tool": "tool",
    "system": "system",
    "assistant": "worker",
}
_CERTAINTY: dict[AgentKind, int] = {
    "unknown": 0,
    "system": 1,
    "tool": 1,
    "human": 2,
    "worker": 2,
    "orchestrator": 3,
}
_ALL_FIELDS = set(Step.model_fields)
MAX_FIELD = 2000
"""Characters and items of a field that has no place in the model; a larger one is left out."""
MAX_FIELDS = 64
"""Such fields of one record, and of all records that make no step."""


class TraceBuilder:
    """Collects one trace.

    Args:
        format: Name of the loader.
        source: Path as the user named it.
        dialect: Variant of the format, where there are several.
    """

    def __init__(self, *, format: str, source: str = "", dialect: str | None = None) -> None:
        self.format = format
        self.source = source
        self.dialect = dialect
        self.steps: list[Step] = []
        self.spans: list[Span] = []
        self._agents: dict[str, Agent] = {}
        self._tools: dict[str, ToolSpec] = {}
        self._open_calls: dict[str, deque[tuple[int, int]]] = {}
        self._unnamed_calls: deque[tuple[int, int]] = deque(maxlen=256)
        self._answers: dict[int, dict[int, int]] = {}
        """Result of each answered call, by step and position; written into the steps at the end."""
        self._diagnostics: dict[tuple[str, str], Diagnostic] = {}
        self._labels: list[Label] = []
        self._truth: dict[str, Any] = {}
        self._expected: Any = None
        self._outcome = Outcome()
        self._beside: dict[str, Any] = {}
        """Fields of the record at hand that wait for its step."""
        self._homeless: dict[str, Any] = {}
        """Fields of records that made no step."""

    def agent(self, name: str, *, kind: AgentKind = "unknown", **fields: Any) -> str:
        """Introduce an agent, or add to what is known of it; gives its name back."""
        known = self._agents.get(name)
        if known is None:
            self._agents[name] = Agent(name=name, kind=kind, **fields)
        else:
            update = {
                key: value for key, value in fields.items() if value and not getattr(known, key)
            }
            if _CERTAINTY[kind] > _CERTAINTY[known.kind]:
                update["kind"] = kind
            if update:
                self._agents[name] = known.model_copy(update=update)
        return name

    def step(
        self,
        *,
        kind: StepKind,
        role: Role,
        agent: str,
        native_index: int,
        text: str = "",
        calls: Sequence[ToolCall] = (),
        call_id: str | None = None,
        tool: str | None = None,
        exit_code: int | None = None,
        **fields: Any,
    ) -> int:
        """Add a step and give its index.

        Args:
            kind: What happened.
            role: Role the source states.
            agent: Who took it; introduced with a kind guessed from the role if it is new.
            native_index: Position in the source's own list.
            text: What was said or returned.
            calls: Tool calls made in it.
            call_id: For results: id of the call that is answered.
            tool: For results: name of the tool.
            exit_code: For results: how the process ended, where the source says it. Then its words
                are not searched: a log that is printed may hold anybody's errors.
            **fields: Other fields of :class:`~traceloc.trace.Step`.
        """
        if agent not in self._agents:
            self.agent(agent, kind=_KIND_BY_ROLE.get(role, "unknown"))
        index = len(self.steps)
        result = None
        if kind == "result":
            result = self._join(index, call_id=call_id, tool=tool)
            if fields.get("error") is None:
                fields["error"] = infer_error(text) if exit_code is None else exit_error(exit_code)
        if self._beside:
            fields["attributes"] = {**self._beside, **(fields.get("attributes") or {})}
            self._beside = {}
        step = Step(
            index=index,
            native_index=native_index,
            kind=kind,
            role=role,
            agent=agent,
            text=text,
            tool_calls=tuple(calls),
            tool_result=result,
            **{key: value for key, value in fields.items() if value is not None},
        )
        if result is None and self._unnamed_calls:
            self._drop_stale_calls(agent)
        self.steps.append(lean(step))
        self._open(index, first=0)
        return index

    def add_calls(self, step: int, calls: Sequence[ToolCall]) -> None:
        """Add calls to a step that turns out to have made them."""
        before = self.steps[step]
        made = (*before.tool_calls, *calls)
        kind = "action" if before.kind in ("message", "thought") else before.kind
        self.steps[step] = lean(before.model_copy(update={"tool_calls": made, "kind": kind}))
        self._open(step, first=len(before.tool_calls))

    def _open(self, step: int, *, first: int) -> None:
        """Wait for the results of a step's calls, from the ``first`` one on."""
        calls = self.steps[step].tool_calls
        for position in range(first, len(calls)):
            if name := calls[position].id:
                waiting = self._open_calls.setdefault(name, deque())
                if waiting and waiting[0][0] != step:
                    waiting.clear()  # an id that comes again later means the later call
                waiting.append((step, position))
            self._unnamed_calls.append((step, position))

    def _join(self, index: int, *, call_id: str | None, tool: str | None) -> ToolResult:
        waiting = self._open_calls.get(call_id) if call_id else None
        found = waiting.popleft() if waiting else None
        if call_id and not waiting:
            self._open_calls.pop(call_id, None)
        if found is None and call_id is None:
            found = self._oldest_open_call(tool)
            if found is not None:
                self.note("inferred", "tool results without a call id were joined by order")
        if found is None:
            if call_id is not None:
                self.note("missing", "tool results answer calls that the trace does not contain")
            return ToolResult(name=tool, call_id=call_id)
        made, position = found
        call = self.steps[made].tool_calls[position]
        self._answers.setdefault(made, {})[position] = index
        return ToolResult(name=tool or call.name, call_id=call_id or call.id, call_step=made)

    def _oldest_open_call(self, tool: str | None) -> tuple[int, int] | None:
        while self._unnamed_calls and self.is_answered(*self._unnamed_calls[0]):
            self._unnamed_calls.popleft()
        for step, position in self._unnamed_calls:
            if self.is_answered(step, position):
                continue
            if tool is None or self.steps[step].tool_calls[position].name == tool:
                return step, position
        return None

    def _drop_stale_calls(self, agent: str) -> None:
        """Wait no longer for calls of an agent that acts again after somebody else's turn."""
        last = next((s for s in reversed(self.steps[-8:]) if s.kind != "result"), None)
        if last is not None and last.agent != agent:
            fresh = (c for c in self._unnamed_calls if self.steps[c[0]].agent != agent)
            self._unnamed_calls = deque(fresh, maxlen=self._unnamed_calls.maxlen)

    def is_answered(self, step: int, position: int) -> bool:
        """Whether a result was joined to this call of a step."""
        return position in self._answers.get(step, ())

    def _write_answers(self) -> None:
        """Tell the calls where their results are, each step once however many calls it made."""
        for index, answers in self._answers.items():
            step = self.steps[index]
            calls = list(step.tool_calls)
            for position, result in answers.items():
                calls[position] = calls[position].model_copy(update={"result_step": result})
            self.steps[index] = lean(step.model_copy(update={"tool_calls": tuple(calls)}))
        self._answers.clear()

    def span(self, **fields: Any) -> None:
        """Add a node of the recorded tree."""
        self.spans.append(Span(**fields))

    def tool(self, name: str, *, description: str | None = None, parameters: Any = None) -> None:
        """Note a tool the agents were offered, or add to what is known of it."""
        schema = parameters if isinstance(parameters, dict) else None
        known = self._tools.get(name)
        if known is None:
            self._tools[name] = ToolSpec(name=name, description=description, parameters=schema)
        elif (known.description is None and description) or (known.parameters is None and schema):
            self._tools[name] = ToolSpec(
                name=name,
                description=known.description or description,
                parameters=known.parameters or schema,
            )

    def note(self, kind: Any, message: str, *, line: int | None = None) -> None:
        """Add a diagnostic; equal ones are counted."""
        known = self._diagnostics.get((kind, message))
        if known is None:
            self._diagnostics[kind, message] = Diagnostic(kind=kind, message=message, line=line)
        else:
            update = {"count": known.count + 1}
            self._diagnostics[kind, message] = known.model_copy(update=update)

    def beside(self, fields: Mapping[str, Any], *, whole_trace: bool = False) -> None:
        """Keep what a record says beyond what the loader reads; called before its steps are added.

        The fields go into the attributes of the record's first step, and into those of the trace if
        it makes none. Ground truth must have been taken out.

        Args:
            fields: By name; may be empty, which ends the record before.
            whole_trace: Whether the record is about the run and not about a step.
        """
        self._shelter()
        for key, value in fields.items():
            if len(self._beside) >= MAX_FIELDS or not is_small(value, size=MAX_FIELD):
                self.note("skipped", f"the field {key[:60]!r}, which is too large to be kept")
            else:
                self._beside[key] = value
        if whole_trace:
            self._shelter()

    def _shelter(self) -> None:
        """Keep the fields of a record that made no step: of each name the first value."""
        for key, value in self._beside.items():
            if key not in self._homeless and len(self._homeless) >= MAX_FIELDS:
                self.note("skipped", "fields of records that make no step")
            elif self._homeless.setdefault(key, value) != value:
                self.note("skipped", f"other values of the field {key[:60]!r}")
        self._beside = {}

    def label(self, **fields: Any) -> None:
        """Keep an answer found in the file, apart from what signals read."""
        self._labels.append(Label(**fields))

    def truth(self, /, *, expected: Any = None, **fields: Any) -> None:
        """Keep other ground truth found in the file, apart from what signals read."""
        if expected is not None:
            self._expected = expected
        self._truth.update({key: value for key, value in fields.items() if value is not None})

    def outcome(
        self, status: Any, *, source: Any, score: float | None = None, detail: str | None = None
    ) -> None:
        """Say whether the run reached its goal, and who says so."""
        self._outcome = Outcome(status=status, source=source, score=score, detail=detail)

    def build(
        self,
        *,
        id: str | None = None,
        task: str | None = None,
        system: str | None = None,
        session_id: str | None = None,
        attributes: dict[str, Any] | None = None,
    ) -> Trace:
        """The finished trace; without an id from the source, a hash of the content is taken."""
        self._write_answers()
        self._shelter()
        unanswered = sum(
            call.result_step is None for step in self.steps for call in step.tool_calls
        )
        if unanswered:
            self.note("missing", f"{unanswered} tool calls have no result in the trace")
        truth = None
        if self._labels or self._truth or self._expected is not None:
            truth = Truth(labels=tuple(self._labels), expected=self._expected, fields=self._truth)
        return Trace(
            id=id or content_id(self.steps),
            format=self.format,
            dialect=self.dialect,
            source=self.source,
            system=system,
            session_id=session_id,
            task=task or None,
            agents=tuple(self._agents.values()),
            # Built and validated one by one; a second pass over a long trace would double its cost.
            steps=(),
            spans=tuple(self.spans),
            tools=tuple(self._tools.values()),
            outcome=self._outcome,
            truth=truth,
            diagnostics=tuple(self._diagnostics.values()),
            attributes={**self._homeless, **(attributes or {})},
        ).model_copy(update={"steps": tuple(self.steps)})


def lean(step: Step) -> Step:
    """The same step, sharing one set of field names: its own is half the memory of a long trace."""
    object.__setattr__(step, "__pydantic_fields_set__", _ALL_FIELDS)
    return step


def content_id(steps: Sequence[Step]) -> str:
    """A deterministic id from what happened, for sources that give none."""
    digest = hashlib.blake2b(digest_size=6)
    for step in steps:
        digest.update(f"{step.kind}\x1f{step.agent}\x1f{step.text}\x1e".encode("utf-8", "replace"))
        for call in step.tool_calls:
            digest.update(call.name.encode("utf-8", "replace"))
            digest.update(as_json(call.arguments).encode("utf-8", "replace"))
    return digest.hexdigest()


def parse_arguments(raw: Any) -> Any:
    """Tool arguments as JSON; what cannot be parsed stays the string it was."""
    if not isinstance(raw, str):
        return bounded(raw)
    text = raw.strip()
    for _ in range(3):  # some exporters encode JSON inside JSON, up to three times
        if text[:1] not in ("{", "[", '"'):
            return raw
        try:
            value = from_json(text)
        except ValueError:
            return raw
        if not isinstance(value, str):
            # Counted first: nearly all arguments are flat, and need no copy.
            is_deep = text.count("{") + text.count("[") > MAX_DEPTH
            return bounded(value) if is_deep else value
        text, raw = value.strip(), value
    return raw
