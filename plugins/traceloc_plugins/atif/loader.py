"""Reads ATIF trajectories of any 1.x version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source
from traceloc.trace import Trace
from traceloc_plugins.atif.documents import keys_of, link, read_documents
from traceloc_plugins.atif.own import restore
from traceloc_plugins.atif.writing import write_trajectory
from traceloc_plugins.facts import word


class AtifLoader:
    """Trajectories, with the continuations and sub-agents they refer to."""

    name = "atif"
    api_version = 1
    capture: Mapping[Content, str] = {
        "instructions": "have the producer write the system prompt as a step whose `source` is "
        "`system`",
        "schemas": "have the producer write `tool_definitions` of the agent",
        "calls": "have the producer write `tool_calls`: an agent that answers in plain text "
        "leaves none",
        "results": "have the producer write `observation` of the steps",
        "inputs": "the format does not hold it; each sub-agent's trajectory is taken for what it "
        "read",
        "times": "have the producer write `timestamp` of the steps",
        "usage": "have the producer write `metrics` of the steps",
    }

    def sniff(self, head: Head) -> float:
        """A schema version that names the format."""
        for record in head.records[:1]:
            version = word(record.get("schema_version")) or ""
            if version.startswith("ATIF-"):
                return 0.99
            if {"agent", "steps"} <= record.keys() and _looks_alike(record["steps"]):
                return 0.7
            if any(_is_wrapped(value) for value in record.values()):
                return 0.6
        return 0.0

    def group_keys(self, source: Source) -> Iterable[str]:
        """Its own names and those of the files it refers to."""
        return [key for document in read_documents(source) for key in keys_of(document)]

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each trajectory that no other one refers to."""
        documents = [document for source in sources for document in read_documents(source)]
        for document in link(documents):
            trace = restore(document) or write_trajectory(document)
            if trace.steps:
                yield trace
            else:
                document.source.report("trajectory holds no step", code="TL106", line=document.line)


def _looks_alike(steps: Any) -> bool:
    first = steps[0] if isinstance(steps, list) and steps else None
    return isinstance(first, dict) and {"step_id", "source", "message"} <= first.keys()


def _is_wrapped(value: Any) -> bool:
    return isinstance(value, dict) and str(value.get("schema_version", "")).startswith("ATIF-")
