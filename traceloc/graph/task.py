"""What a run is asked, and the words that mark its answer."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from traceloc.graph.lexical import Origin
from traceloc.graph.trace_graph import TraceGraph

ANSWER_MARKS = (
    "final answer", "the answer is", "answer:", "<answer>", "\\boxed{", "final result",
)  # fmt: skip
"""Lower-case literals before an answer."""
ANSWER_LOOK_BACK = 6
"""Acting steps from the end among which the answer is looked for."""


def stated_task(graph: TraceGraph) -> NDArray[np.int32]:
    """Ids of the tokens of the task as the source states it; empty where it states none."""
    return np.flatnonzero(graph.lexical.first_step == -1).astype(np.int32)


def asked(graph: TraceGraph) -> NDArray[np.int32]:
    """Ids of the tokens of the task: as the source states it, else as the first person says it."""
    stated = stated_task(graph)
    people = np.flatnonzero(graph.origins == Origin.HUMAN)
    if len(stated) or not len(people):
        return stated
    return graph.lexical.ids(int(people[0]))


def compile_marks(marks: Iterable[str]) -> re.Pattern[str]:
    """Finds marks of an answer, in either case, with the blanks and the colon behind them."""
    return re.compile(f"(?:{'|'.join(map(re.escape, marks))})\\s*:?\\s*", re.IGNORECASE)
