"""The trace as a graph: who answers whom, and which step brought in what later steps rely on."""

from traceloc.graph.lexical import LexicalIndex, Origin, TokenKind
from traceloc.graph.trace_graph import EdgeKind, Edges, TraceGraph

__all__ = ["EdgeKind", "Edges", "LexicalIndex", "Origin", "TokenKind", "TraceGraph"]
