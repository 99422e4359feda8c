"""What traceloc makes of an export."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from expectations import Export, Requirement
from story import DECISIVE, LOAN, LOOK_UP, SERVICE_DOWN, TASK

from traceloc import Step, Trace, TraceGraph, load, localize

REDACTED = "An error occurred while running the tool"
"""OpenAI's SDK keeps exceptions to itself."""


@dataclass(frozen=True)
class Finding:
    """One export, read without a word about what it is."""

    export: Export
    traces: tuple[Trace, ...]

    @property
    def trace(self) -> Trace:
        """The run."""
        return self.traces[0]

    @property
    def agents(self) -> tuple[str, ...]:
        """Whoever decides something: neither people nor tools."""
        apart = ("human", "tool", "system")
        return tuple(a.name for a in self.trace.agents if a.kind not in apart)

    @property
    def decisive(self) -> Step | None:
        """The wrong call, by the right agent, with its arguments and its result."""
        for step in self.trace.steps:
            for call in step.tool_calls:
                if call.name != DECISIVE.name or call.arguments != dict(DECISIVE.arguments):
                    continue
                if step.agent != self.export.loan_desk or call.result_step is None:
                    continue
                result = self.trace.steps[call.result_step]
                if LOAN in result.text and _says(result.text, DECISIVE.arguments["copy"]):
                    return step
        return None

    @property
    def rank(self) -> int | None:
        """Where the decisive step stands among all that traceloc suspects, from 1."""
        if self.decisive is None:
            return None
        found = localize(self.trace, top_k=len(self.trace.steps)).candidates
        steps = [candidate.step for candidate in found]
        return steps.index(self.decisive.index) + 1 if self.decisive.index in steps else None

    def meets(self, requirement: Requirement) -> bool:
        """Whether the trace shows what is asked."""
        trace = self.trace
        if requirement == "loader":
            return len(self.traces) == 1 and trace.format == self.export.loader
        if requirement == "task":
            return TASK in (trace.task or "")
        if requirement == "decisive":
            return self.decisive is not None
        if requirement == "calls":
            return self._calls_once()
        if requirement == "error":
            return self._marked_errors() == [True]
        return self._hands_over()

    def _calls_once(self) -> bool:
        """Whether each agent made each of its calls, once, and each got its result."""
        made = Counter(
            (step.agent, call.name, call.result_step is not None)
            for step in self.trace.steps
            if "duplicate" not in step.flags
            for call in step.tool_calls
        )
        export = self.export
        wanted = {(export.archivist, call.name, True) for call in LOOK_UP}
        wanted.add((export.loan_desk, DECISIVE.name, True))
        return wanted <= made.keys() and set(made.values()) == {1} and all(d for *_, d in made)

    def _marked_errors(self) -> list[bool]:
        """For each error that is counted, whether it is the benign one; there must be no other."""
        return [
            step.tool_result is not None
            and step.tool_result.name == "read_condition"
            and step.tool_result.call_step is not None
            and self.trace.steps[step.tool_result.call_step].agent == self.export.archivist
            and any(words in step.text for words in (SERVICE_DOWN, REDACTED))
            for step in self.trace.steps
            if step.error is not None and "duplicate" not in step.flags
        ]

    def _hands_over(self) -> bool:
        graph = TraceGraph(self.trace)
        edges = graph.edges("delegates")
        ends = zip(edges.source.tolist(), edges.target.tolist(), strict=True)
        agents = {(graph.steps[a].agent, graph.steps[b].agent) for a, b in ends}
        kinds = {step.to for step in self.trace.steps if step.kind == "handoff"}
        pair = (self.export.archivist, self.export.loan_desk)
        return (self.export.loan_desk,) in kinds and (
            pair in agents or self.export.loan_desk not in {s.agent for s in self.trace.steps}
        )


def _says(text: str, value: str) -> bool:
    return value in text or value in json.dumps(text)


def read_export(export: Export, folder: Path) -> Finding:
    """What an export of ``folder`` says.

    Raises:
        TraceFormatError: If it is read as no trace.
        ValueError: If the framework did not write it, or there is nothing in it.
    """
    path = folder / export.path
    if not path.exists():
        raise ValueError(f"the team of {export.framework} wrote no {export.path}")
    traces = tuple(load(path, strict=True))
    if not traces:
        raise ValueError(f"nothing is read from {export}")
    return Finding(export, traces)
