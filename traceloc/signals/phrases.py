"""Turns of phrase that agents use, looked for once for all families.

Literal phrases, matched on lower-cased text: substring search is an order of magnitude cheaper than
one regular expression for each, and the lists can be read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.graph import TraceGraph

PHRASES: dict[str, tuple[str, ...]] = {
    "assume": (
        "assume",
        "assuming",
        "assumption",
        "let's say",
        "suppose ",
        "presum",
        "hypothetical",
        "i'll take it that",
        "for the sake of",
        "in the absence of",
    ),
    "simulate": (
        "simulat",
        "mock ",
        "mock_",
        "mocked",
        "dummy",
        "placeholder",
        "sample data",
        "example data",
        "for demonstration",
        "for illustration",
        "illustrative",
        "fictional",
        "made-up",
        "made up",
        "hardcode",
        "hard-code",
        "representative figure",
        "stand-in",
        "pretend",
    ),
    "memory": (
        "my knowledge",
        "as of my last",
        "training data",
        "general knowledge",
        "known information",
        "commonly known",
        "i recall",
        "from memory",
        "well-known",
        "well known",
        "existing knowledge",
        "prior knowledge",
        "historical data",
        "publicly known",
        "common knowledge",
        "typically",
    ),
    "no_access": (
        "cannot access",
        "can't access",
        "unable to access",
        "have access to",
        "no direct access",
        "i'm unable",
        "i am unable",
        "cannot directly",
        "can't directly",
        "not able to",
        "cannot browse",
        "can't browse",
        "manually",
        "without access",
        "not have the ability",
    ),
    "hedge": (
        "likely",
        "probably",
        "might be",
        "may be",
        "perhaps",
        "appears to",
        "seems",
        "possibly",
        "i think",
        "not sure",
        "unclear",
        "roughly",
        "approximately",
        "estimate",
        "should be around",
    ),
    "verify": (
        "verified",
        "verify",
        "confirm",
        "is correct",
        "are correct",
        "is accurate",
        "are accurate",
        "validated",
        "double-check",
        "checks out",
        "looks good",
        "no issues",
        "cross-check",
        "consistent with",
        "as expected",
    ),
    "conclude": (
        "therefore",
        "thus",
        "in conclusion",
        "final answer",
        "the answer is",
        "terminate",
        "in summary",
        "hence",
        "the result is",
        "to summarize",
        "final result",
        "we have found",
    ),
    "complain": (
        "incorrect",
        "wrong",
        "mistake",
        "not correct",
        "inaccura",
        "inconsisten",
        "discrepan",
        "unfortunately",
        "did not",
        "didn't",
        "failed",
        "failure",
        "no progress",
        "stuck",
        "try again",
        "not found",
        "cannot be",
        "missing",
        "invalid",
        "unexpected",
        "contradict",
        "does not match",
        "doesn't match",
        "not available",
        "issue with",
        "there was an error",
    ),
    "admit": (
        "apologize",
        "apologies",
        "sorry",
        "my mistake",
        "correction",
        "let me correct",
        "i made a",
        "i misread",
        "i misunderstood",
        "upon review",
        "on second thought",
        "oversight",
        "let's revise",
        "let me fix",
        "let's fix",
        "to resolve this",
        "let's correct",
        "revised",
        "corrected",
    ),
    "give_up": (
        "unable to",
        "could not find",
        "couldn't find",
        "no results",
        "was not able",
        "cannot find",
        "can't find",
        "could not be",
        "couldn't be",
        "not possible",
        "no information",
        "not provide",
        "not explicitly",
        "give up",
        "beyond my",
    ),
    "plan": (
        "plan:",
        "the plan",
        "step 1",
        "steps:",
        "first,",
        "we will",
        "we need to",
        "let's",
        "next step",
        "to solve",
        "approach",
        "here's how",
        "here is how",
        "outline",
    ),
    "replan": (
        "new plan",
        "revised plan",
        "updated plan",
        "re-plan",
        "replan",
        "update the plan",
        "different approach",
        "another approach",
        "alternative",
        "instead,",
        "start over",
        "root cause",
        "fact sheet",
    ),
    "request": (
        "please",
        "could you",
        "can you",
        "would you",
        "you should",
        "make sure",
        "provide",
        "?",
    ),
    "done": (
        "success",
        "completed",
        "complete.",
        "done",
        "finished",
        "has been",
        "i've updated",
        "i have updated",
        "all set",
    ),
    "stall": (
        "no progress",
        "not making progress",
        "stalled",
        "stuck",
        "in a loop",
        "repeating",
        "looping",
        "unable to make progress",
        "same action",
        "no new information",
        "try again",
    ),
    "click": ("clicked", "scrolled", "typed", "navigat", "opened", "visited", "viewport"),
}
"""Lower-case literals by theme."""

THEMES = tuple(PHRASES)


def themes(graph: TraceGraph) -> dict[str, NDArray[Any]]:
    """How many different phrases of each theme a step uses: a column of shape ``(n,)`` by theme."""
    return graph.memo("phrases", _scan)


def found_phrase(graph: TraceGraph, step: int, theme: str) -> str | None:
    """The first phrase of a theme that a step uses."""
    text = graph.steps[step].text.lower()
    positions = [(at, phrase) for phrase in PHRASES[theme] if (at := text.find(phrase)) >= 0]
    return min(positions)[1] if positions else None


def _scan(graph: TraceGraph) -> dict[str, NDArray[Any]]:
    n = len(graph)
    columns = {theme: np.zeros(n, np.float32) for theme in THEMES}
    acting = graph.is_acting.tolist()
    for i in range(n):
        if not acting[i]:
            continue
        text = graph.content(i).lower().replace("\u2019", "'")
        for theme, phrases in PHRASES.items():
            hits = 0
            for phrase in phrases:
                if phrase in text:
                    hits += 1
            if hits:
                columns[theme][i] = hits
    return columns
