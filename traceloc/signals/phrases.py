"""Turns of phrase that agents use, looked for once for all families.

Literal phrases, matched on lower-cased text, so that the lists can be read. A phrase is looked for
only in steps with a token that begins like one of its words, which spares nearly all the searching.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.graph import TraceGraph

# fmt: off
PHRASES: dict[str, tuple[str, ...]] = {
    "assume": (
        "assume", "assuming", "assumption", "let's say", "suppose ", "presum", "hypothetical",
        "i'll take it that", "for the sake of", "in the absence of",
    ),
    "simulate": (
        "simulat", "mock ", "mock_", "mocked", "dummy", "placeholder", "sample data",
        "example data", "for demonstration", "for illustration", "illustrative", "fictional",
        "made-up", "made up", "hardcode", "hard-code", "representative figure", "stand-in",
        "pretend",
    ),
    "memory": (
        "my knowledge", "as of my last", "training data", "general knowledge",
        "known information", "commonly known", "i recall", "from memory", "well-known",
        "well known", "existing knowledge", "prior knowledge", "historical data",
        "publicly known", "common knowledge", "typically",
    ),
    "no_access": (
        "cannot access", "can't access", "unable to access", "have access to", "no direct access",
        "i'm unable", "i am unable", "cannot directly", "can't directly", "not able to",
        "cannot browse", "can't browse", "manually", "without access", "not have the ability",
    ),
    "hedge": (
        "likely", "probably", "might be", "may be", "perhaps", "appears to", "seems", "possibly",
        "i think", "not sure", "unclear", "roughly", "approximately", "estimate",
        "should be around",
    ),
    "verify": (
        "verified", "verify", "confirm", "is correct", "are correct", "is accurate",
        "are accurate", "validated", "double-check", "checks out", "looks good", "no issues",
        "cross-check", "consistent with", "as expected",
    ),
    "conclude": (
        "therefore", "thus", "in conclusion", "final answer", "the answer is", "terminate",
        "in summary", "hence", "the result is", "to summarize", "final result", "we have found",
    ),
    "complain": (
        "incorrect", "wrong", "mistake", "not correct", "inaccura", "inconsisten", "discrepan",
        "unfortunately", "did not", "didn't", "failed", "failure", "no progress", "stuck",
        "try again", "not found", "cannot be", "missing", "invalid", "unexpected", "contradict",
        "does not match", "doesn't match", "not available", "issue with", "there was an error",
    ),
    "admit": (
        "apologize", "apologies", "sorry", "my mistake", "correction", "let me correct",
        "i made a", "i misread", "i misunderstood", "upon review", "on second thought",
        "oversight", "let's revise", "let me fix", "let's fix", "to resolve this",
        "let's correct", "revised", "corrected",
    ),
    "give_up": (
        "unable to", "could not find", "couldn't find", "no results", "was not able",
        "cannot find", "can't find", "could not be", "couldn't be", "not possible",
        "no information", "not provide", "not explicitly", "give up", "beyond my",
    ),
    "plan": (
        "plan:", "the plan", "step 1", "steps:", "first,", "we will", "we need to", "let's",
        "next step", "to solve", "approach", "here's how", "here is how", "outline",
    ),
    "replan": (
        "new plan", "revised plan", "updated plan", "re-plan", "replan", "update the plan",
        "different approach", "another approach", "alternative", "instead,", "start over",
    ),
    "request": (
        "please", "could you", "can you", "would you", "you should", "make sure", "provide", "?",
    ),
    "done": (
        "success", "completed", "complete.", "done", "finished", "has been", "i've updated",
        "i have updated", "all set",
    ),
    "stall": (
        "no progress", "not making progress", "stalled", "stuck", "in a loop", "repeating",
        "looping", "unable to make progress", "same action", "no new information", "try again",
    ),
    "claims_act": (
        "i have retrieved", "i've retrieved", "retrieved from", "i have located", "i've located",
        "i have found", "i've found", "i found", "we have found", "manually retrieved",
        "i have checked", "i checked", "i have reviewed", "after reviewing", "upon reviewing",
        "upon checking", "i have executed", "i ran", "i have run", "i have verified",
        "i've verified", "according to", "based on the search", "based on the data",
        "from the website", "as per", "i have looked", "i looked", "the following are",
        "here are the", "i have calculated", "has been verified", "verification indicates",
    ),
    "stub": (
        "your_", "your api", "your-", "example.com", "path/to", "<your", "xxxx", "todo",
        "replace with", "replace this", "api_key", "placeholder", "insert ", "dummy", "# example",
        "#example", "for example purposes", "not implemented", "pass  #", "fill in",
    ),
    "agree": (
        "i agree", "agreed", "sounds good", "great work", "well done", "thank you for",
        "thanks for", "everyone agree", "no further", "no objections",
    ),
    "infers": (
        "therefore", "thus,", "thus ", "hence", "so the ", "this means", "which means", "implies",
        "it follows", "consequently", "as a result",
    ),
    "grounds": ("based on", "according to", "given that", "given the"),
    "expects": (
        "should be", "should have", "typically", "usually", "generally", "commonly", "normally",
        "known to", "well-known", "known for", "expected to",
    ),
    "swallow": (
        "except:", "except exception", "except requests", "catch (", "errors='ignore'", "|| true",
    ),
}
# fmt: on
"""Lower-case literals by theme."""

THEMES = tuple(PHRASES)


def themes(graph: TraceGraph) -> dict[str, NDArray[Any]]:
    """How many different phrases of each theme a step uses: a column of shape ``(n,)`` by theme."""
    return graph.memo("phrases", _scan)


def found_phrase(graph: TraceGraph, step: int, theme: str) -> str | None:
    """The first phrase of a theme that a step uses."""
    text = graph.steps[step].text.lower().replace("\u2019", "'")
    positions = [(at, phrase) for phrase in PHRASES[theme] if (at := text.find(phrase)) >= 0]
    return min(positions)[1] if positions else None


def _scan(graph: TraceGraph) -> dict[str, NDArray[Any]]:
    columns = {theme: np.zeros(len(graph), np.float32) for theme in THEMES}
    index = graph.lexical
    hints = _hints(index.spelling)
    hinted = np.zeros(len(index.kinds), bool)
    hinted[list(hints)] = True
    for i in np.flatnonzero(graph.is_acting).tolist():
        ids = index.ids(i)
        candidates = set(_UNANCHORED)
        for token in ids[hinted[ids]].tolist():
            candidates.update(hints[token])
        text = graph.content(i).lower().replace("\u2019", "'")
        for theme, phrase in candidates:
            if phrase in text:
                columns[theme][i] += 1
    return columns


def _hints(spelling: Sequence[str]) -> dict[int, list[tuple[str, str]]]:
    """For each token that begins like the anchor of a phrase: the phrases to look for."""
    found: dict[int, list[tuple[str, str]]] = {}
    for token, word in enumerate(spelling):
        bucket = _ANCHORED.get(word[:_ANCHOR_LENGTH].lower())
        if bucket:
            word = word.lower()
            hits = [entry for anchor, entry in bucket if word.startswith(anchor)]
            if hits:
                found[token] = hits
    return found


def _anchor(phrase: str) -> str | None:
    """The longest run of letters that stands at the start of a word of the phrase."""
    words = [w for w in re.findall(r"(?<![\w'-])[a-z]+", phrase) if len(w) >= _ANCHOR_LENGTH]
    return max(words, key=len) if words else None


_ANCHOR_LENGTH = 3
_ANCHORED: dict[str, list[tuple[str, tuple[str, str]]]] = {}
_UNANCHORED: list[tuple[str, str]] = []
for _theme, _phrases in PHRASES.items():
    for _phrase in _phrases:
        _word = _anchor(_phrase)
        if _word is None:
            _UNANCHORED.append((_theme, _phrase))
        else:
            _key = _word[:_ANCHOR_LENGTH]
            _ANCHORED.setdefault(_key, []).append((_word, (_theme, _phrase)))
