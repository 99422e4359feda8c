"""Find the step that broke a failed LLM-agent run, the agent that took it, and the evidence.

    from traceloc import load, localize

    for trace in load("runs/"):
        print(localize(trace).candidates[0])

Names are imported when first used, so that ``import traceloc`` costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true; typing itself is most of the import's cost
if TYPE_CHECKING:
    from typing import Any

    from traceloc.attribution import Attribution, Candidate, Evidence
    from traceloc.errors import TraceFormatError, TracelocError
    from traceloc.graph import TraceGraph
    from traceloc.loading import load
    from traceloc.localizer import Localizer, localize
    from traceloc.trace import Step, StepRef, Trace

__version__ = "0.1.0"

_HOMES = {
    "Attribution": "traceloc.attribution",
    "Candidate": "traceloc.attribution",
    "Evidence": "traceloc.attribution",
    "Localizer": "traceloc.localizer",
    "Step": "traceloc.trace",
    "StepRef": "traceloc.trace",
    "Trace": "traceloc.trace",
    "TraceFormatError": "traceloc.errors",
    "TraceGraph": "traceloc.graph",
    "TracelocError": "traceloc.errors",
    "load": "traceloc.loading",
    "localize": "traceloc.localizer",
}

__all__ = [
    "Attribution",
    "Candidate",
    "Evidence",
    "Localizer",
    "Step",
    "StepRef",
    "Trace",
    "TraceFormatError",
    "TraceGraph",
    "TracelocError",
    "load",
    "localize",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'traceloc' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
