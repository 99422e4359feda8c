"""One trace out of its spans."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Literal

from traceloc.loading import TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.otel.dialects.genai import guessed_name
from traceloc_plugins.otel.order import in_order
from traceloc_plugins.otel.spans import RawSpan
from traceloc_plugins.otel.steps import Plan
from traceloc_plugins.otel.tree import Node, build_tree
from traceloc_plugins.otel.values import decoded, moment
from traceloc_plugins.otel.writing import Writer

_TRUTH = re.compile(
    r"(?:gen_ai\.)?(?:eval|evals|evaluation|evaluator|feedback|score|scores|reward|annotation|"
    r"annotations|label|labels|ground_truth|mistake)(?:[._].*)?"
    r"|(?:.*[._])?(?:ground_?truth|reward|is_correct|human_feedback|"
    r"(?:expected|reference|gold|golden|correct)_(?:answer|label|output|result|solution)s?|"
    r"gold|answer_text|step_labels|verdict|mistake_(?:agent|step|reason))",
    re.IGNORECASE,
)
"""Attributes that say how good the run was: nothing that a signal may see."""
_EVALUATIONS = ("gen_ai.evaluation.result", "gen_ai.evaluation.explanation")


def assemble(
    trace_id: str, spans: list[RawSpan], *, path: str, repeated: int = 0, unjoined: int = 0
) -> Trace:
    """The trace of one trace id; without steps where no agent did anything.

    Args:
        trace_id: Hex id.
        spans: In file order, each once.
        path: Source as the user named it.
        repeated: How often a span id was met again.
        unjoined: Content records whose span is missing.
    """
    builder = TraceBuilder(format="otel", source=path)
    _take_truth_out(builder, spans)
    nodes, order = build_tree(spans, builder.note)
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
            about = node.span
            _add_tool(
                builder,
                {
                    "name": node.tool.name,
                    "description": about.text("tool.description", "gen_ai.tool.description"),
                    "parameters": decoded(about.text("tool.parameters", "gen_ai.tool.json_schema")),
                },
            )
    for position in order:
        node = nodes[position]
        if node.parent is None and node.error is not None and node.error.kind != "control_flow":
            builder.outcome("failed", source="error", detail=node.error.message[:500])
            break
    builder.dialect = _main_dialect(nodes)
    return builder.build(
        id=trace_id,
        task=_task(builder, nodes, order),
        system=_system(spans),
        session_id=_first(
            spans,
            "session.id",
            "gen_ai.conversation.id",
            "langfuse.session.id",
            "traceloop.association.properties.session_id",
            "traceloop.association.properties.thread_id",
            "gcp.vertex.agent.session_id",
        ),
    )


def _take_truth_out(builder: TraceBuilder, spans: list[RawSpan]) -> None:
    for span in spans:
        hidden = {k: v for k, v in span.attributes.items() if _TRUTH.fullmatch(k)}
        if isinstance(metadata := span.attributes.get("metadata"), str | dict):
            known = decoded(metadata)
            if isinstance(known, dict) and (
                inner := [k for k in known if _TRUTH.fullmatch(str(k))]
            ):
                hidden["metadata"] = {key: known[key] for key in inner}
                kept = {key: value for key, value in known.items() if key not in inner}
                span.attributes["metadata"] = kept
        for key in hidden:
            if key != "metadata":
                del span.attributes[key]
        for event in [e for e in span.events if e.name in _EVALUATIONS]:
            hidden.update(event.attributes)
            span.events.remove(event)
        if str(span.attributes.get("openinference.span.kind", "")).upper() == "EVALUATOR":
            hidden.update({k: v for k, v in span.attributes.items() if "value" in k})
            span.attributes = {k: v for k, v in span.attributes.items() if "value" not in k}
        if hidden:
            builder.truth(**{f"{span.id}": hidden})


def _fallback_agent(nodes: list[Node], order: list[int]) -> str:
    """A name for steps that no span claims: the workflow's, the service's, else ``agent``."""
    for position in order:
        node = nodes[position]
        name = node.span.text("gen_ai.workflow.name", "traceloop.workflow.name")
        if name is None and node.parent is None and node.dialect is not None:
            guess = guessed_name(node.span)
            if guess and node.kind not in ("llm", "tool") and guess[0] not in _GENERIC_ROOTS:
                name = guess[0]
        if name:
            return name
    return next(filter(None, (_service(node.span) for node in nodes)), "agent")


_GENERIC_ROOTS = frozenset({"LangGraph", "RunnableSequence", "invocation", "unknown", "main", ""})


def _service(span: RawSpan) -> str | None:
    name = span.resource.get("service.name")
    if isinstance(name, str) and name.strip() and not name.startswith("unknown_service"):
        return name.strip()
    return None


def _system(spans: list[RawSpan]) -> str | None:
    services = Counter(name for span in spans if (name := _service(span)))
    if services:
        return services.most_common(1)[0][0]
    return _first(spans, "gen_ai.workflow.name", "traceloop.workflow.name")


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


_CAPTURE = {
    "autogen": "load AutoGen's own event log, since its spans never carry content",
    "gcp.vertex.agent": "set ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS=true",
    "pydantic-ai": "use InstrumentationSettings(include_content=True)",
}
"""Frameworks that have a switch of their own, by the start of the scope's name."""


def _capture_hint(node: Node) -> str:
    for scope, hint in _CAPTURE.items():
        if node.span.scope.startswith(scope):
            return hint
    return node.dialect.capture_hint if node.dialect else ""


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
    for step in builder.steps:
        if step.kind == "system" and len(step.to) == 1:
            builder.agent(step.to[0], instructions=step.text)
    for node in nodes:
        if node.agent in acting and (text := node.span.text("gen_ai.agent.description")):
            builder.agent(node.agent, description=text)


def _add_span(builder: TraceBuilder, node: Node) -> None:
    span = node.span
    about: dict[str, Any] = dict(span.attributes)
    if span.scope:
        about["otel.scope.name"] = span.scope
    events = [
        {"name": event.name, "attributes": event.attributes}
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
