"""Trajectories that traceloc wrote itself are read back as they were."""

from __future__ import annotations

from traceloc.exporting.atif import OWN, from_atif
from traceloc.trace import Trace
from traceloc_plugins.atif.documents import Document


def is_own(document: Document) -> bool:
    """Whether traceloc wrote the trajectory."""
    extra = document.raw.get("extra")
    return isinstance(extra, dict) and OWN in extra


def restore(document: Document) -> Trace | None:
    """The trace that was written; ``None`` where it must be read like anybody's trajectory."""
    trace = from_atif(document.raw) if is_own(document) else None
    return trace and trace.model_copy(update={"source": document.source.path})
