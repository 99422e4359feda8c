"""What the tests of the memory share: a memory in this process, and sketches of traces."""

from __future__ import annotations

from fleeting_store import FleetingStore

from traceloc.graph import TraceGraph
from traceloc.memory import FailureMemory, MemorySettings
from traceloc.memory.embedders.hashed import HashedEmbedder
from traceloc.memory.learning import make_lesson
from traceloc.memory.settings import DEFAULTS
from traceloc.memory.sketch import TraceSketch, sketch_trace
from traceloc.ranking.table import measure
from traceloc.trace import Trace

LESSON = make_lesson("labelled", category="Step Repetition")


def new_memory(settings: MemorySettings = DEFAULTS) -> FailureMemory:
    """An empty memory that lives in this process."""
    return FailureMemory(FleetingStore(), embedder=HashedEmbedder(), settings=settings)


def sketch(trace: Trace, **extra: object) -> TraceSketch:
    """A trace as a memory sees it, without signals."""
    graph = TraceGraph(trace)
    return sketch_trace(trace, graph, measure(graph, ()), **extra)  # type: ignore[arg-type]
