"""What a whole run looks like: absolute measures, for telling failed runs from passed ones.

A ranking within a trace only needs what differs between its steps. Whether anything went wrong at
all shows in sums: runs that fail are longer, read more, ask the same again, doubt, and end with
much to say. Each measure says beforehand which way it may count, so that a habit of one system (a
support agent that rightly refuses) cannot turn it round. All are linear in the text and read
nothing but the blinded trace.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from traceloc.graph import Origin, TokenKind, TraceGraph
from traceloc.graph.lexical import clip, tokenize
from traceloc.graph.task import ANSWER_LOOK_BACK, ANSWER_MARKS, asked, compile_marks

TAIL = 3000
"""Characters of the last message that are read as its conclusion."""
PHRASE = 80
"""Longest answer that is looked for word by word in what was read."""
NEAR = 400
"""Characters around an answer within which the words of the question are looked for."""
DENIAL = 600
"""Characters of an answer in which a denial is looked for."""
HITS = 8
"""Places of an answer in one result that are looked at."""


class SummarySpec(NamedTuple):
    """What is known of a measure of a whole run before anything is fitted."""

    name: str
    sign: int
    """+1: more of it can only speak for a run that passed; -1: only against it."""
    meaning: str


SUMMARIES: tuple[SummarySpec, ...] = (
    SummarySpec("run.steps", -1, "log of the steps that agents took"),
    SummarySpec("run.words", -1, "log of the words that agents said"),
    SummarySpec("run.read", -1, "log of the words that came back from tools"),
    SummarySpec("run.gives_up", -1, "log of the mentions of what cannot be done; one-shot runs"),
    SummarySpec("run.doubts", -1, "log of the mentions of gaps and mix-ups; one-shot runs"),
    SummarySpec("final.values", -1, "log of the names, numbers and links of the last step"),
    SummarySpec("final.hedges", -1, "log of the hedges of the last message; one-shot runs"),
    SummarySpec("answer.items", -1, "log of the parts of the answer"),
    SummarySpec("answer.denies", -1, "the answer is that there is none; one-shot runs"),
    SummarySpec("answer.near_question", 1, "share of the question's words around the answer, read"),
    SummarySpec("task.names_missing", -1, "share of the task's names in nothing that was read"),
    SummarySpec("calls.alike", -1, "mean overlap of each call with the one before"),
    SummarySpec("calls.repeated", -1, "log of the calls made before to the letter"),
    SummarySpec("errors.at_end", -1, "the last result is an error"),
)
"""Measures of a run; one-shot ones are 0 where a person speaks after an agent has acted, because in
a conversation a refusal may be what is right."""

_MARK = compile_marks(ANSWER_MARKS)
_CLOSE = re.compile(r"</answer>|\n\n")
_THOUGHT = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_ITEMS = re.compile(r",|;| or | and |/|\n")
_HEDGES = re.compile(
    r"\b(?:likely|probably|might|may be|perhaps|possibly|appears?|seems?|suggests?|assum\w+"
    r"|presum\w+|i think|not sure|unclear|roughly|approximately|could be|best guess|however"
    r"|although|but|alternatively|wait|maybe|ambiguous|confus\w+)\b",
    re.IGNORECASE,
)
# Each begins with a literal, for which the expression engine searches many times faster than for
# a choice; the rest are plain words. Matched on lower-case text.
_GIVES_UP = (
    (
        "unable to",
        "none found",
        "insufficient",
        "does not exist",
        "unfortunately",
        "apologi",
        "sorry",
        "beyond",
    ),
    (
        re.compile(r"could(?: not|n't) (?:find|be|determine)"),
        re.compile(r"can ?not (?:be )?(?:find|found|determin|establish|confirm)"),
        re.compile(r"no (?:information|evidence|record|such|result|specific)"),
        re.compile(r"not (?:found|available|possible|enough|provided|mention|explicit|clear)"),
    ),
)
_DOUBTS = (
    ("unclear", "ambiguous", "confus", "incorrect", "premise", "mistake"),
    (
        re.compile(r"not (?:directly|explicitly|specif)"),
        re.compile(r"does(?:n't| not) (?:mention|provide|specify|contain)"),
        re.compile(r"did(?:n't| not) (?:find|reveal|provide|mention)"),
        re.compile(r"no (?:direct|mention|specific|clear)"),
    ),
)
_DENIES = re.compile(
    r"\bnone\b|no such|no evidence|no information|not (?:found|exist|possible|available|enough"
    r"|determin)|cannot|unknown|unclear|n/a|there (?:is|are|was|were) no|does not exist"
    r"|insufficient",
    re.IGNORECASE,
)
_COMMON = frozenset(
    """the and that this was were are what which who when where how did does for from with its
    not but has have had""".split()
)


def summarise_run(graph: TraceGraph) -> dict[str, float]:
    """Every measure of :data:`SUMMARIES` by name; all finite, all 0 for an empty trace."""
    found = dict.fromkeys((spec.name for spec in SUMMARIES), 0.0)
    steps, lengths = graph.steps, graph.lexical.lengths
    acting = np.flatnonzero(graph.is_acting)
    given = np.flatnonzero(graph.is_environment)
    if not len(acting):
        return found
    said = [clip(steps[i].text) for i in acting.tolist()]
    results = [clip(steps[i].text).lower() for i in given.tolist()]
    found["run.steps"] = math.log1p(len(acting))
    found["run.words"] = math.log1p(float(lengths[acting].sum()))
    found["run.read"] = math.log1p(float(lengths[given].sum()))
    last = steps[given[-1]].error if len(given) else None
    found["errors.at_end"] = float(last is not None and last.kind != "control_flow")
    message = _final_message(said)
    answer = state_answer(message)
    found["final.values"] = math.log1p(len(graph.lexical.values(int(acting[-1]))))
    found["answer.items"] = math.log1p(len(_ITEMS.findall(answer)))
    if not _is_conversation(graph, int(acting[0])):
        everything = "\n".join(said).lower()
        found["run.gives_up"] = math.log1p(_count(everything, *_GIVES_UP))
        found["run.doubts"] = math.log1p(_count(everything, *_DOUBTS))
        found["final.hedges"] = math.log1p(len(_HEDGES.findall(message[-TAIL:])))
        found["answer.denies"] = float(bool(_DENIES.search(answer[:DENIAL])))
    found |= _of_calls(graph)
    found |= _of_reading(graph, answer, results, given)
    return found


def _count(text: str, words: Sequence[str], patterns: Sequence[re.Pattern[str]]) -> int:
    return sum(map(text.count, words)) + sum(len(each.findall(text)) for each in patterns)


def state_answer(message: str) -> str:
    """The answer that a last message gives: what follows its mark, else all but its thoughts."""
    marks = list(_MARK.finditer(message))
    if marks:
        return _CLOSE.split(message[marks[-1].end() :], maxsplit=1)[0]
    return _THOUGHT.sub("", message)[-TAIL // 2 :]


def _final_message(said: Sequence[str]) -> str:
    """The last message of an agent with a mark of an answer, else the last that is no mere word."""
    recent = said[::-1][:ANSWER_LOOK_BACK]
    marked = (text for text in recent if _MARK.search(text[-TAIL // 2 :]))
    worded = (text for text in recent if len(text.split(maxsplit=3)) >= 3)
    return next(marked, None) or next(worded, recent[0])


def _is_conversation(graph: TraceGraph, first: int) -> bool:
    """Whether a person speaks after an agent has acted."""
    return bool((graph.origins[first:] == Origin.HUMAN).any())


def _of_calls(graph: TraceGraph) -> dict[str, float]:
    calls = [(call.name, str(call.arguments).lower()) for s in graph.steps for call in s.tool_calls]
    words = [set(tokenize(clip(arguments))) for _, arguments in calls]
    overlap = [len(one & other) / max(len(one | other), 1) for one, other in pairwise(words)]
    return {
        "calls.alike": float(np.mean(overlap)) if overlap else 0.0,
        "calls.repeated": math.log1p(len(calls) - len(set(calls))),
    }


def _of_reading(
    graph: TraceGraph, answer: str, results: Sequence[str], given: NDArray[np.int64]
) -> Mapping[str, float]:
    """How what was read bears on the question and on the answer."""
    if not results:
        return {}
    index = graph.lexical
    task = asked(graph)
    read = np.zeros(len(index.kinds), dtype=np.bool_)
    read[index.tokens[np.isin(index.step_of, given)]] = True
    names = task[index.kinds[task] == TokenKind.NAME]
    found = {"task.names_missing": float(1.0 - read[names].mean()) if len(names) else 0.0}
    phrase = " ".join(answer.lower().split()).strip(" .")
    if 0 < len(phrase) < PHRASE:
        words = {word.lower() for word in index.spell(task.tolist())}
        wanted = [word for word in words if len(word) > 2 and word not in _COMMON]
        places = [
            text[max(0, at - NEAR) : at + NEAR] for text in results for at in _at(text, phrase)
        ]
        shares = [sum(w in place for w in wanted) / max(len(wanted), 1) for place in places]
        found["answer.near_question"] = max(shares, default=0.0)
    return found


def _at(text: str, phrase: str) -> list[int]:
    """The first places of a phrase in a text."""
    found: list[int] = []
    at = text.find(phrase)
    while at >= 0 and len(found) < HITS:
        found.append(at)
        at = text.find(phrase, at + len(phrase))
    return found
