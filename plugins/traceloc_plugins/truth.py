"""Names that tell how good a run was, or what it should have said: nothing that a signal may see.

Data sets put them in fields (``ground_truth``, ``mistake_step``), observability tools in attributes
of spans (``feedback.score``, ``gen_ai.evaluation.score.value``). The words are the same. In an
attribute a word alone is often something else (``http.target``, ``retrieval.documents.0.score``),
so there it counts only where it heads the name, or as part of a longer word.
"""

from __future__ import annotations

import re
from functools import lru_cache

MAX_KEY = 64
"""Longer keys are data and no field names; attributes have long prefixes and may be four times."""

_JUDGEMENT = (
    r"(?:eval|evaluation|evaluator|assessment|feedback|label|reward|score|annotation|review|grade"
    r"|rating|verdict)s?"
)
_SHOULD_BE = r"(?:ground_?truth|gold(?:en)?|gt|expected|expectation|reference|target|solution)s?"
_BLAME = (
    r"mistake_\w+|annotator\w*|root_cause\w*|failure_\w+|decisive_\w+"
    r"|error_(?:step|agent|category|reason)s?"
    r"|(?:is_)?(?:correct|corrected|incorrect|wrong|faulty)(?:_\w+)?"
)
_OUTCOME = re.compile(r"passed|success|successful|resolved|solved|outcome", re.IGNORECASE)
_FIELD = re.compile(
    rf"{_BLAME}|{_SHOULD_BE}(?:_\w+)?|(?:\w+_)?(?:{_JUDGEMENT}|answers?)(?:_\w+)?", re.IGNORECASE
)
_HEAD = re.compile(rf"(?:{_JUDGEMENT}|ground_?truth|mistake)(?:_\w+)?", re.IGNORECASE)
_TAIL = re.compile(
    rf"{_BLAME}|(?:\w+_)?ground_?truth|gold|answer_text|step_labels"
    r"|(?:\w+_)?(?:reward|verdict|human_feedback)"
    rf"|{_SHOULD_BE}_(?:answer|label|output|result|response|solution)s?",
    re.IGNORECASE,
)
_SEEN = re.compile(
    r"(?:llm|tool|ai|mlflow|retrieval|embedding|reranker|input|output|exception|http|error|"
    r"gen_ai\.(?:tool|input|output|request|response))\."
)
"""Prefixes of what the agents were given or said themselves."""


def is_truth(field: str, *, whole_trace: bool = False) -> bool:
    """Whether a field of a record holds ground truth.

    Args:
        field: Its name.
        whole_trace: Whether the record describes the run, where ``success`` is an outcome; of a
            single tool result it is something the agents saw.
    """
    return len(field) <= MAX_KEY and _is_truth(field, whole_trace)


# Every field of every record is asked for, and there are few names.
@lru_cache(maxsize=4096)
def _is_truth(field: str, whole_trace: bool) -> bool:
    return bool(_FIELD.fullmatch(field) or (whole_trace and _OUTCOME.fullmatch(field)))


def is_truth_attribute(name: str) -> bool:
    """Whether a span's attribute, with a dotted name, holds ground truth."""
    if len(name) > 4 * MAX_KEY or _SEEN.match(name):
        return False
    head, _, rest = name.removeprefix("gen_ai.").partition(".")
    return bool(_HEAD.fullmatch(head) or _TAIL.fullmatch(rest.rpartition(".")[2] or head))
