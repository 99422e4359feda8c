"""The span tree: who is whose child, which agent each span belongs to, which spans say it twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from traceloc.loading import declared_error
from traceloc.loading.tool_errors import error_kind, is_control_flow
from traceloc.trace import SpanKind, StepError
from traceloc_plugins.spans.delegation import handoff_target
from traceloc_plugins.spans.dialect import Attribution, Content, Dialect, ToolUse
from traceloc_plugins.spans.dialects.langgraph import STEPS_OF_AN_AGENT
from traceloc_plugins.spans.names import GENERIC_ROOTS, is_placeholder
from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.spans.retelling import is_retold

_TOLD_APART = 16
"""Errors below a span that its own is compared with."""
NO_MESSAGE = "the span failed"
Note = Callable[[str, str], None]
Choice = Callable[[RawSpan], Dialect | None]
"""Which dialect a span speaks; ``None`` for spans of something else, such as HTTP calls."""


@dataclass(slots=True)
class Node:
    """A span with its place in the tree and its meaning."""

    span: RawSpan
    dialect: Dialect | None
    kind: SpanKind
    parent: int | None = None
    agent: str | None = None
    attribution: Attribution = "guess"
    starts_agent: str | None = None
    """The agent above, where this span belongs to another one."""
    tool_above: int | None = None
    """The nearest tool span this one ran inside."""
    llm_above: int | None = None
    """The model call this one is a part of, with no tool or agent between them."""
    error: StepError | None = None
    failed_below: list[str] = field(default_factory=list)
    """What the errors of spans below say, the first few of them."""
    speaks_below: bool = False
    """Whether a model call below has its output recorded."""
    shadowed: bool = False
    """Another span tells the same."""
    content: Content = field(default_factory=Content)
    tool: ToolUse | None = None

    @property
    def failed_itself(self) -> bool:
        """Whether the error is its own, and not one that came up from a span below.

        A run that stands a tool's failure may still end by another one.
        """
        if self.error is None or self.error.kind == "control_flow":
            return False
        said = self.error.message
        if not self.failed_below:
            return True
        if said in (NO_MESSAGE, self.error.type) or len(self.failed_below) == _TOLD_APART:
            return False
        return not any(is_retold(said, below) for below in self.failed_below)


def build_tree(
    spans: list[RawSpan], dialect_of: Choice, note: Note
) -> tuple[list[Node], list[int]]:
    """Nodes in file order, and their positions with parents before children."""
    nodes = []
    for span in spans:
        dialect = dialect_of(span)
        kind: SpanKind = span.kind or (dialect.kind(span) if dialect else "other")
        nodes.append(Node(span, dialect, kind, error=span_error(span, kind)))
    order = _link(nodes, note)
    graphs = _agent_graphs(nodes)
    for position in order:
        _inherit(nodes, position, graphs)
    for position in reversed(order):
        node = nodes[position]
        if node.parent is not None:
            above = nodes[node.parent]
            said = list(node.failed_below)
            if node.error is not None and node.error.kind != "control_flow":
                said.append(node.error.message)
            room = _TOLD_APART - len(above.failed_below)
            above.failed_below += [m for m in said if m not in above.failed_below][:room]
            above.speaks_below |= node.speaks_below or (
                node.kind == "llm" and bool(node.content.outputs)
            )
    _heed_neighbours(nodes)
    _shadow(nodes)
    return nodes, order


def _link(nodes: list[Node], note: Note) -> list[int]:
    positions = {node.span.id: position for position, node in enumerate(nodes)}
    children: list[list[int]] = [[] for _ in nodes]
    roots = []
    for position, node in enumerate(nodes):
        above = node.span.parent
        if above is None:
            roots.append(position)
        elif (parent := positions.get(above)) is None:
            note(
                "missing",
                "the parent spans of some spans are not in the trace; export those of every "
                "process, and scan all files at once",
            )
            roots.append(position)
        else:
            node.parent = parent
            children[parent].append(position)
    order = _descend(roots, children)
    if len(order) < len(nodes):
        reached = set(order)
        for position in range(len(nodes)):
            if position not in reached:
                # Nothing above leads to a root: a circle, cut where the file first shows it.
                note("skipped", "parent links that form a circle were cut")
                parent = nodes[position].parent
                if parent is not None:
                    children[parent].remove(position)
                nodes[position].parent = None
                found = _descend([position], children)
                reached.update(found)
                order.extend(found)
    return order


def _descend(roots: list[int], children: list[list[int]]) -> list[int]:
    order, waiting = [], list(reversed(roots))
    while waiting:
        position = waiting.pop()
        order.append(position)
        waiting.extend(reversed(children[position]))
    return order


def _agent_graphs(nodes: list[Node]) -> set[int]:
    """Spans around the inner nodes of a LangGraph agent: their name is the agent's.

    For exports that lost the metadata in which LangGraph says so itself.
    """
    graphs = {n.parent for n in nodes if n.parent is not None and n.span.name in STEPS_OF_AN_AGENT}
    return {
        position
        for position in graphs
        if nodes[position].kind in ("task", "workflow", "agent")
        and nodes[position].span.name not in GENERIC_ROOTS
        and not is_placeholder(nodes[position].span.name)
    }


def _inherit(nodes: list[Node], position: int, graphs: set[int]) -> None:
    """Take over what the span above says, then add the span's own."""
    node = nodes[position]
    above = nodes[node.parent] if node.parent is not None else None
    if above is not None:
        node.tool_above = node.parent if above.kind == "tool" else above.tool_above
        if above.kind == "llm":
            node.llm_above = node.parent
        elif above.kind not in ("tool", "agent", "handoff", "workflow"):
            node.llm_above = above.llm_above
        node.agent, node.starts_agent = above.agent, above.starts_agent
        node.attribution = "ancestor" if above.attribution == "explicit" else above.attribution
    if node.dialect is None:
        return
    own = node.dialect.agent(node.span, node.kind)
    if own is None and position in graphs and node.attribution == "guess":
        own = (node.span.name.strip(), "guess")
    if own is None and above is not None and above.tool is not None:
        # A delegation that waits for the answer: what runs inside is the other agent's.
        target = handoff_target(above.tool.name, above.tool.arguments)
        own = (target, "ancestor") if target else None
    if own is not None and own[0] != node.agent:
        node.starts_agent = node.agent
        node.agent, node.attribution = own
    elif own is not None and own[1] != "guess":
        node.attribution = own[1]
    if node.kind == "llm":
        node.content = node.dialect.content(node.span)
    elif node.kind in ("tool", "retrieval"):
        node.tool = node.dialect.tool_use(node.span)


def _heed_neighbours(nodes: list[Node]) -> None:
    """What ran below a span may be recorded below one beside it, which failed of the same."""
    told = {(node.parent, node.error.message) for node in nodes if node.error and node.failed_below}
    for node in nodes:
        if node.error and not node.failed_below and (node.parent, node.error.message) in told:
            if node.kind not in ("llm", "tool"):
                node.failed_below.append(node.error.message)


def _shadow(nodes: list[Node]) -> None:
    """Mark spans that repeat another: a client call inside a model call, a tool inside itself."""
    inner: dict[int, list[int]] = {}
    for position, node in enumerate(nodes):
        if node.kind == "llm" and node.llm_above is not None:
            inner.setdefault(node.llm_above, []).append(position)
        if node.kind == "tool" and node.tool is not None:
            if node.tool.name.startswith("(merged"):
                node.shadowed = True  # Google ADK repeats parallel results in one more span
            elif node.tool_above is not None:
                above = nodes[node.tool_above].tool
                node.shadowed = (
                    above is not None
                    and above.name == node.tool.name
                    and (above.call_id == node.tool.call_id or node.tool.call_id is None)
                    and above.arguments == node.tool.arguments
                )
    for outer, positions in inner.items():
        telling = [p for p in positions if nodes[p].content.outputs]
        if nodes[outer].content.outputs and len(telling) < 2:
            for position in positions:
                nodes[position].shadowed = True
        else:
            nodes[outer].shadowed = True


def span_error(span: RawSpan, kind: SpanKind) -> StepError | None:
    """The error a span declares; control flow is told apart, whatever the status says."""
    type_, message = "", ""
    for event in span.events:
        if event.name == "exception":
            type_ = str(event.attributes.get("exception.type", ""))
            message = str(event.attributes.get("exception.message", ""))
            if is_control_flow(message, type=type_):
                return declared_error(message, type=type_)
    if is_control_flow(span.message):
        return declared_error(span.message)
    if span.status != "error":
        return None
    type_ = type_ or span.text("error.type") or ""
    message = message or span.message
    if kind == "handoff" and not message:
        return declared_error("", type=type_ or None, kind="control_flow")
    what = error_kind(f"{type_}: {message}")
    if kind == "llm" and what == "tool":
        what = "model"
    return declared_error(message or type_ or NO_MESSAGE, type=type_ or None, kind=what)
