"""One trace out of its spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from traceloc.loading import TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.records import keep_fields, state_outcome
from traceloc_plugins.spans.dialects.beeai import fold_events
from traceloc_plugins.spans.endings import failure_of
from traceloc_plugins.spans.names import GENERIC_ROOTS, guessed_name, is_placeholder
from traceloc_plugins.spans.order import in_order
from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.spans.steps import Plan
from traceloc_plugins.spans.tree import Choice, Node, build_tree
from traceloc_plugins.spans.values import decoded, moment
from traceloc_plugins.spans.verdicts import take_truth_out
from traceloc_plugins.spans.writing import Writer


@dataclass(frozen=True, slots=True)
class About:
    """What a source says of a trace as a whole, beside its spans."""

    task: str | None = None
    system: str | None = None
    session_id: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    judged: dict[str, Any] = field(default_factory=dict)
    """Verdicts and scores by name, from which the outcome is read."""


def assemble(
    builder: TraceBuilder,
    trace_id: str,
    spans: list[RawSpan],
    *,
    dialect_of: Choice,
    about: About | None = None,
    envelope: Mapping[str, Any] | None = None,
    repeated: int = 0,
    unjoined: int = 0,
) -> Trace:
    """The trace of one trace id; without steps where no agent did anything.

    Args:
        builder: Takes the trace.
        trace_id: Id of the source.
        spans: In file order, each once.
        dialect_of: Which dialect a span speaks.
        about: What the source says of the trace as a whole.
        envelope: What the documents say beside their spans.
        repeated: How often a span id was met again.
        unjoined: Content records whose span is missing.
    """
    about = about or About()
    beside = keep_fields(builder, {**(envelope or {}), **_resource(spans)})
    take_truth_out(builder, spans)
    fold_events(spans)
    nodes, order = build_tree(spans, dialect_of, builder.note)
    plan = Plan(nodes, order)
    items, broken = in_order(plan.items)
    writer = Writer(builder, plan, fallback=_fallback_agent(nodes, order))
    for item in items:
        writer.write(item)
    _diagnose(builder, plan, repeated=repeated, unjoined=unjoined, broken=broken)
    _finish_agents(builder, writer, nodes)
    for node in nodes:
        _add_span(builder, node)
        if node.kind == "llm" and node.dialect is not None:
            for tool in node.dialect.tools(node.span):
                _add_tool(builder, tool)
        elif node.tool is not None and not node.shadowed:
            span = node.span
            schema = decoded(span.text("tool.parameters", "gen_ai.tool.json_schema"))
            _add_tool(
                builder,
                {
                    "name": node.tool.name,
                    "description": span.text("tool.description", "gen_ai.tool.description"),
                    # Some write what the tool was called with under the same name.
                    "parameters": schema if _is_schema(schema) else None,
                },
            )
    if (failure := failure_of(nodes, order)) is not None:
        builder.outcome("failed", source="error", detail=failure.message[:500])
    state_outcome(builder, about.judged)
    builder.dialect = _main_dialect(nodes)
    return builder.build(
        id=trace_id,
        task=about.task or _task(builder, nodes, order),
        system=about.system or _system(spans),
        attributes={**beside, **about.attributes},
        session_id=about.session_id
        or _first(
            spans,
            "session.id",
            "gen_ai.conversation.id",
            "langfuse.session.id",
            "traceloop.association.properties.session_id",
            "traceloop.association.properties.thread_id",
            "gcp.vertex.agent.session_id",
        ),
    )


def _fallback_agent(nodes: list[Node], order: list[int]) -> str:
    """A name for steps that no span claims: the workflow's, the service's, else ``agent``."""
    for position in order:
        node = nodes[position]
        name = node.span.text("gen_ai.workflow.name", "traceloop.workflow.name")
        # A span whose parent is missing is a part of a run, and says nothing about the whole.
        if name is None and node.span.parent is None and node.dialect is not None:
            guess = guessed_name(node.span)
            if guess and node.kind not in ("llm", "tool") and guess[0] not in GENERIC_ROOTS:
                name = guess[0]
        if name:
            return name
    return next(filter(None, (_service(node.span) for node in nodes)), "agent")


def _resource(spans: list[RawSpan]) -> dict[str, Any]:
    """What the spans say of the process they were recorded in; the first of a name counts."""
    found: dict[str, Any] = {}
    for resource in {id(span.resource): span.resource for span in spans}.values():
        found = {**resource, **found}
    return {"resource": found} if found else {}


def _service(span: RawSpan) -> str | None:
    name = span.resource.get("service.name")
    if isinstance(name, str) and name.strip() and not name.startswith("unknown_service"):
        return name.strip()
    return None


def _system(spans: list[RawSpan]) -> str | None:
    services = Counter(name for span in spans if (name := _service(span)))
    if services:
        return services.most_common(1)[0][0]
    name = _first(spans, "gen_ai.workflow.name", "traceloop.workflow.name")
    return None if name is None or name in GENERIC_ROOTS or is_placeholder(name) else name


def _first(spans: list[RawSpan], *keys: str) -> str | None:
    for key in keys:
        for span in spans:
            if value := span.text(key):
                return value
    return None


def _task(builder: TraceBuilder, nodes: list[Node], order: list[int]) -> str | None:
    """What the outermost span was given, else what the first user message says."""
    for position in order:
        node = nodes[position]
        if node.dialect is not None:
            if node.kind in ("agent", "task", "workflow"):
                for message in node.dialect.content(node.span).inputs:
                    if message.role == "user" and message.text.strip():
                        return message.text.strip()
            break
    for step in builder.steps:
        if step.role == "user" and step.agent == "user":
            return step.text.strip()
    return next((step.text.strip() for step in builder.steps if step.role == "user"), None)


_STOCK_DESCRIPTIONS = frozenset({"OpenAI Agents instrumentation"})
"""What instrumentations say of every agent."""

_CAPTURE = {
    "autogen": "load AutoGen's own event log, since its spans never carry content",
    "gcp.vertex.agent": "set OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental and "
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY",
    "pydantic-ai": "use InstrumentationSettings(include_content=True)",
}
"""Frameworks that have a switch of their own, by the start of the scope's name."""


def _capture_hint(node: Node) -> str:
    for scope, hint in _CAPTURE.items():
        if node.span.scope.startswith(scope) or _is_of(scope, node.span):
            return hint
    return node.dialect.capture_hint if node.dialect else ""


def _is_of(framework: str, span: RawSpan) -> bool:
    """Whether attributes name the framework, where an export leaves the scope out."""
    stated = span.text("gen_ai.system", "gen_ai.provider.name") == framework
    return stated or any(key.startswith(f"{framework}.") for key in span.attributes)


def _diagnose(
    builder: TraceBuilder, plan: Plan, *, repeated: int, unjoined: int, broken: int
) -> None:
    if plan.silent:
        hints = {_capture_hint(plan.nodes[position]) for position in plan.silent} - {""}
        everything = "structure only: " if not plan.outputs else ""
        builder.note(
            "missing",
            f"{everything}the content of {len(plan.silent)} model and tool spans was not captured; "
            f"to capture it, {'; or '.join(sorted(hints))}",
        )
    if repeated:
        builder.note("skipped", f"{repeated} spans were exported more than once; kept once")
    if unjoined:
        builder.note("skipped", f"{unjoined} log records belong to spans that are missing")
    stacks = sum("exception.stacktrace" in e.attributes for n in plan.nodes for e in n.span.events)
    if stacks:
        builder.note("note", f"{stacks} stack traces of exceptions; their messages are kept")
    if broken:
        builder.note("inferred", f"{broken} events contradict each other in time; file order used")
    repeating = sum(node.shadowed for node in plan.nodes)
    if repeating:
        builder.note("note", f"{repeating} spans repeat another span and make no step of their own")


def _finish_agents(builder: TraceBuilder, writer: Writer, nodes: list[Node]) -> None:
    """Who is below whom, who directs, and what each was told."""
    acting = {step.agent for step in builder.steps}
    for above, name in sorted(writer.voices.nested):
        if above in acting and name in acting:
            builder.agent(name, parent=above)
    for agent, others in writer.voices.delegates.items():
        if len(others) > 1 or any((agent, other) in writer.voices.nested for other in others):
            if agent in acting:
                builder.agent(agent, kind="orchestrator")
    told = set()
    for step in builder.steps:
        if step.kind == "system" and len(step.to) == 1:
            builder.agent(step.to[0], instructions=step.text)
            told.add(step.to[0])
    for step in builder.steps:
        if step.inputs and step.role == "assistant" and step.agent not in told:
            ruled = (m.step for m in step.inputs if m.role == "system" and m.step is not None)
            if (rules := next(ruled, None)) is not None:
                # Of agents that are told the same, only the first has a step for it.
                builder.agent(step.agent, instructions=builder.steps[rules].text)
                told.add(step.agent)
    for node in nodes:
        name = node.agent or writer.voices.fallback
        if name not in acting:
            continue
        if name not in told and (text := _instructions(node)):
            builder.agent(name, instructions=text)
            told.add(name)
        description = node.span.text("gen_ai.agent.description") if node.agent else None
        if description and description not in _STOCK_DESCRIPTIONS:
            builder.agent(name, description=description)


def _instructions(node: Node) -> str | None:
    """What an agent's own span says it was told, where its model calls do not."""
    if node.dialect is None or node.kind not in ("agent", "workflow", "task"):
        return None
    if node.parent is not None and node.span.first("gen_ai.system_instructions") is None:
        return None
    inputs = node.dialect.content(node.span).inputs
    return next((m.text.strip() for m in inputs if m.role == "system" and m.text.strip()), None)


def _add_span(builder: TraceBuilder, node: Node) -> None:
    span = node.span
    about: dict[str, Any] = dict(span.attributes)
    if span.scope:
        about["otel.scope.name"] = span.scope
    events = [
        {"name": event.name, "attributes": event.attributes}
        | ({} if event.body is None else {"body": event.body})
        for event in span.events
        if not event.name.startswith("gen_ai.") and event.name != "exception"
    ]
    if events:
        about["otel.events"] = events
    if span.links:
        about["otel.links"] = span.links
    status: Literal["ok", "error", "control_flow", "unknown"]
    status = "unknown" if span.status == "unset" else span.status
    if node.error is not None:
        status = "control_flow" if node.error.kind == "control_flow" else "error"
    builder.span(
        id=span.id,
        parent_id=span.parent,
        kind=node.kind,
        name=span.name,
        agent=node.agent,
        start=moment(span.start),
        end=moment(span.end),
        status=status,
        error=node.error,
        attributes=about,
    )


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict) and (value.get("type") == "object" or "properties" in value)


def _add_tool(builder: TraceBuilder, raw: Any) -> None:
    function = raw.get("function", raw) if isinstance(raw, dict) else None
    if not isinstance(function, dict) or not isinstance(name := function.get("name"), str):
        return
    description = function.get("description")
    builder.tool(
        name,
        description=description if isinstance(description, str) else None,
        parameters=function.get("parameters") or function.get("input_schema"),
    )


def _main_dialect(nodes: list[Node]) -> str | None:
    found = Counter(node.dialect.name for node in nodes if node.dialect is not None)
    return found.most_common(1)[0][0] if found else None
