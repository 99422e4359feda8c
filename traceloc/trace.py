"""The trace model: one execution of one agent system on one task, without loss.

Two layers. **Spans** are the tree a framework recorded, kept as they were. **Steps** are the
linear, 0-based view that people and signals read: one step for each thing an agent emitted in one
go (its words together with the tool calls it made), and one for each thing that came back. A
decision is one emission, so a step is the unit that can be blamed.

Everything is frozen. Whatever a source has and these models do not name is kept in ``attributes``.
Ground truth (labels, expected answers, known outcomes) sits in ``Trace.truth`` and
``Trace.outcome``; :meth:`Trace.blind` is the same trace without it, all that a signal sees.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, JsonValue

SCHEMA_VERSION: Literal[1] = 1

StepKind = Literal["message", "thought", "action", "result", "handoff", "system", "event"]
Role = Literal["system", "user", "assistant", "tool", "other"]
AgentKind = Literal["orchestrator", "worker", "tool", "human", "system", "unknown"]
ErrorKind = Literal[
    "tool", "model", "parse", "timeout", "limit", "permission", "user_rejection", "control_flow"
]
StepFlag = Literal["duplicate", "copied_context", "demo", "synthetic"]
SpanKind = Literal[
    "workflow",
    "agent",
    "task",
    "llm",
    "tool",
    "handoff",
    "retrieval",
    "memory",
    "guardrail",
    "other",
]


class Document(BaseModel):
    """Base of traceloc's own documents: frozen, closed, and exact in a JSON round trip."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class StepRef(NamedTuple):
    """The one address of a step: ``run-42#17``."""

    trace: str
    step: int

    def __str__(self) -> str:
        return f"{self.trace}#{self.step}"

    @classmethod
    def parse(cls, text: str) -> StepRef:
        """Read ``trace#step``.

        Raises:
            ValueError: If there is no ``#`` followed by a non-negative integer at the end.
        """
        trace, mark, step = text.rpartition("#")
        if not mark or not step.isdecimal():
            raise ValueError(f"{text!r} is not a step address; expected 'TRACE#STEP'")
        return cls(trace, int(step))


class Usage(Document):
    """Tokens and money of one model call; ``None`` where the source does not say."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    cost_usd: float | None = None


class Agent(Document):
    """Who takes steps."""

    name: str
    """Unique within the trace, as the source calls it."""
    kind: AgentKind = "unknown"
    description: str | None = None
    instructions: str | None = None
    """The agent's own system prompt, where the source gives it apart from the messages."""
    model: str | None = None
    parent: str | None = None
    """The agent that started this one, for sub-agents."""
    attribution: Literal["explicit", "ancestor", "namespace", "role", "alternation", "guess"] = (
        "explicit"
    )
    """How the loader knows the name."""


class ToolSpec(Document):
    """A tool the agents were offered, as the trace states it."""

    name: str
    description: str | None = None
    parameters: dict[str, JsonValue] | None = None
    """JSON Schema of the arguments."""


class ToolCall(Document):
    """A call made inside a step."""

    name: str
    id: str | None = None
    arguments: JsonValue = None
    """Parsed arguments; a string where they could not be parsed."""
    result_step: int | None = None
    """Index of the step that carries the result, where the trace has one."""


class ToolResult(Document):
    """Which call a ``result`` step answers. The content is the step's text."""

    name: str | None = None
    call_id: str | None = None
    call_step: int | None = None
    """Index of the step that made the call, where the trace has it."""


class StepError(Document):
    """What went wrong in a step, as the source declares it or as its text shows."""

    kind: ErrorKind
    message: str
    type: str | None = None
    """Exception class or error code."""
    declared: bool = True
    """False when traceloc inferred it from text, exit code or payload."""


class InputMessage(Document):
    """One message of what an agent was given before it took a step."""

    role: Role
    step: int | None = None
    """The earlier step this repeats; its text is then left out here."""
    text: str = ""
    agent: str | None = None


class Step(Document):
    """One numbered event of a trace."""

    index: int
    """0-based position in ``Trace.steps``."""
    native_index: int
    """0-based position in the source's own list; labels join on it. Several steps may share one."""
    kind: StepKind
    role: Role
    agent: str
    """Name of the agent that took the step."""
    text: str = ""
    """What was said, or what a tool returned."""
    to: tuple[str, ...] = ()
    """Agents it is addressed to; empty for everybody."""
    reasoning: str | None = None
    """Private reasoning emitted with the step."""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_result: ToolResult | None = None
    error: StepError | None = None
    inputs: tuple[InputMessage, ...] | None = None
    """What the agent was given; ``None`` means everything before, as in a shared conversation."""
    span_id: str | None = None
    timestamp: datetime | None = None
    model: str | None = None
    usage: Usage | None = None
    llm_call_id: str | None = None
    """Groups steps that came from one model response; usage counts once per id."""
    flags: tuple[StepFlag, ...] = ()
    """Why the step is kept but not counted: a duplicate, a copied context, a demonstration …"""
    line: int | None = None
    """1-based line of the source, where it has lines."""
    # A factory: pydantic deep-copies a default dict, a quarter of the cost of a step.
    attributes: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def is_environment(self) -> bool:
        """Whether the step came back from a tool or the environment and not from an agent."""
        return self.kind == "result" or self.role == "tool"


class Span(Document):
    """A node of the tree the framework recorded."""

    id: str
    parent_id: str | None = None
    kind: SpanKind = "other"
    name: str = ""
    agent: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    status: Literal["ok", "error", "cancelled", "control_flow", "unknown"] = "unknown"
    error: StepError | None = None
    attributes: dict[str, JsonValue] = Field(default_factory=dict)


class Outcome(Document):
    """Whether the run reached its goal, and who says so."""

    status: Literal["passed", "failed", "unknown"] = "unknown"
    source: Literal["label", "score", "grader", "error", "guess", "none"] = "none"
    score: float | None = None
    detail: str | None = None


class Label(Document):
    """An answer somebody gave: this step, or nothing, is the decisive error."""

    native_index: int | None = None
    """0-based position in the source's list; ``None`` where no step is blamed."""
    agent: str | None = None
    category: str | None = None
    reason: str | None = None
    source: str | None = None
    """Who labelled: ``human``, ``injected``, ``scripted`` …"""


class Truth(Document):
    """Ground truth that was found in or beside a file. Never shown to a signal."""

    labels: tuple[Label, ...] = ()
    expected: JsonValue = None
    """Reference answer, where there is one."""
    fields: dict[str, JsonValue] = {}
    """The source's own fields, as they stood."""


class Diagnostic(Document):
    """What a loader skipped, inferred or missed."""

    kind: Literal["skipped", "inferred", "missing", "note", "failed"]
    message: str
    line: int | None = None
    count: int = 1


class Trace(Document):
    """One execution of one agent system on one task."""

    schema_version: Literal[1] = SCHEMA_VERSION
    id: str = Field(min_length=1)
    """From the source, else a hash of its content; never random."""
    format: str
    """Name of the loader that read it."""
    dialect: str | None = None
    source: str = ""
    """Path the user named, for locators; empty for traces made in memory."""
    alone: bool = True
    """Whether it is the only trace of its source, so that ``path#17`` addresses a step."""
    system: str | None = None
    """The agent system it came from; labels and calibration are kept per system."""
    session_id: str | None = None
    task: str | None = None
    """What was asked for, where the source or the first message says it."""
    agents: tuple[Agent, ...] = ()
    steps: tuple[Step, ...] = ()
    spans: tuple[Span, ...] = ()
    tools: tuple[ToolSpec, ...] = ()
    outcome: Outcome = Outcome()
    truth: Truth | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    attributes: dict[str, JsonValue] = {}

    def blind(self) -> Trace:
        """The trace as a signal may see it: without truth, outcome, file name and system."""
        return self.model_copy(
            update={
                "truth": None,
                "outcome": Outcome(),
                "source": "",
                "system": None,
                "attributes": {},
            }
        )

    def agent(self, name: str) -> Agent:
        """The agent called ``name``; an ``unknown`` one if the source never introduced it."""
        for agent in self.agents:
            if agent.name == name:
                return agent
        return Agent(name=name, attribution="guess")

    def locator(self, step: int | None = None) -> str:
        """What a user pastes to come back here: ``path#17`` or ``path:trace-id#17``."""
        base = self.source or self.id
        if self.source and not self.alone:
            base = f"{base}:{self.id}"
        return base if step is None else f"{base}#{step}"
