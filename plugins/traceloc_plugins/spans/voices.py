"""Who acts in a trace, and who sets whom to work."""

from __future__ import annotations

from typing import Any

from traceloc.loading import TraceBuilder
from traceloc_plugins.spans.delegation import handoff_target, known_name
from traceloc_plugins.spans.tree import Node


class Voices:
    """Keeps the agents of a trace while its steps are written.

    Args:
        builder: Takes the agents.
        nodes: All spans.
        fallback: Agent of steps that nobody claims.
    """

    def __init__(self, builder: TraceBuilder, nodes: list[Node], *, fallback: str) -> None:
        self.builder = builder
        self.nodes = nodes
        self.fallback = fallback
        self.names = {node.agent: None for node in nodes if node.agent}
        self.delegates: dict[str, set[str]] = {}
        """Whom each agent set to work."""
        self.nested: set[tuple[str, str]] = set()
        """Pairs of agents of which the second ran inside the first."""
        self.last_by: dict[str, int] = {}
        """Last step of each agent."""
        self.last_said: dict[str, int] = {}
        """Last model response of each agent."""
        self._set_to_work: dict[str, int] = {}
        self._open_handoff: int | None = None
        self._after_whom: dict[str, str] = {}
        self._inside: dict[int, set[str]] = {}
        for node in nodes:
            previous = node.span.text("graph.node.parent_id")
            if previous and node.agent and previous != node.agent:
                self._after_whom.setdefault(node.agent, previous)
            if node.tool_above is not None and node.agent and node.starts_agent != node.agent:
                if node.agent != nodes[node.tool_above].agent:
                    self._inside.setdefault(node.tool_above, set()).add(node.agent)

    def agent_of(self, node: Node) -> str:
        """Name of the agent a span belongs to, introduced on first sight."""
        name = node.agent or self.fallback
        fields: dict[str, Any] = {"attribution": node.attribution if node.agent else "guess"}
        above = node.starts_agent
        if above and above != name and (above, name) not in self.nested:
            self.nested.add((above, name))
            if node.tool_above is not None:
                self.delegates.setdefault(above, set()).add(name)
        if node.dialect is not None and node.kind == "llm":
            fields["model"] = node.dialect.model(node.span)
        return self.builder.agent(name, kind="worker", **fields)

    def was_called(self, agent: str) -> bool:
        """Whether somebody set an agent to work and it has not acted since."""
        return self._set_to_work.get(agent, -1) > self.last_by.get(agent, -1)

    def targets(self, tool: str, arguments: Any, span: int | None) -> tuple[str, ...]:
        """The agents a call sets to work: those that ran inside it, else the one it names."""
        inside = self._inside.get(span) if span is not None else None
        if inside:
            return tuple(sorted(inside))
        name = handoff_target(tool, arguments)
        if name is None and (agent := known_name(tool, self.names)) in self.names:
            name = agent  # an agent offered as a tool under its own name
        return (known_name(name, self.names),) if name else ()

    def redirect(self, caller: int, agent: str) -> None:
        """An ordinary call turned out to set another agent to work."""
        step = self.builder.steps[caller]
        self.nested.add((step.agent, agent))
        self.delegates.setdefault(step.agent, set()).add(agent)
        if agent not in step.to:
            kind = "handoff" if len(step.tool_calls) == 1 else step.kind
            self.builder.steps[caller] = step.model_copy(
                update={"to": (*step.to, agent), "kind": kind}
            )

    def acted(self, step: int, agent: str, targets: tuple[str, ...], *, waits: bool) -> None:
        """Keep the edges: whom this step set to work, and whom the last one meant."""
        sender = None
        if self._open_handoff is not None and self.builder.steps[self._open_handoff].agent != agent:
            sender, self._open_handoff = self._open_handoff, None
        elif agent not in self.last_by and agent not in self._set_to_work:
            # One task after the other: the last word of the agent before is the hand-off.
            sender = self.last_by.get(self._after_whom.get(agent, ""))
        if sender is not None:
            before = self.builder.steps[sender]
            self.builder.steps[sender] = before.model_copy(update={"to": (*before.to, agent)})
            self.delegates.setdefault(before.agent, set()).add(agent)
        self.last_by[agent] = step
        for target in targets:
            self.delegates.setdefault(agent, set()).add(target)
            self._set_to_work[target] = step
        if waits:
            self._open_handoff = step
