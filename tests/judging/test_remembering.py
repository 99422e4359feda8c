"""Hints from the failure memory."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from judge_samples import FakeJudge, judge_trace, make_panel, rank, verdict

from traceloc import Trace
from traceloc.attribution import Citation, Evidence
from traceloc.judging.hints import RandomHints
from traceloc.judging.remembering import MemoryHints
from traceloc.memory.recall import Match, Recollection
from traceloc.memory.schema import ErrorSchema, Sighting, Signature, name_schema


def make_schema(text: str) -> ErrorSchema:
    signature = Signature(text=text)
    return ErrorSchema(
        id=name_schema("bot", signature),
        system="bot",
        signature=signature,
        heuristics=(f"Does it say {text}?",),
        agentrx="Invalid Invocation",
        origin="confirmed",
        sightings=(Sighting(locator="secret-run-07#5", origin="confirmed"),),
    )


class FakeMemory:
    """Recalls what it is told to, at the second candidate."""

    empty = False

    def __init__(self, *matches: Match) -> None:
        self.matches = matches

    def recall(self, sketch: object, *, n_candidates: int) -> Recollection:
        return Recollection(np.zeros(n_candidates), {1: self.matches})

    def schemata(self) -> list[ErrorSchema]:
        return [match.schema for match in self.matches]


def remembering(*matches: Match) -> MemoryHints:
    localizer = SimpleNamespace(memory=FakeMemory(*matches), sketch=lambda trace: None)
    return MemoryHints(localizer)  # type: ignore[arg-type]


def test_what_is_recalled_becomes_questions_the_likeliest_first(trip: Trace) -> None:
    far, near = make_schema("a far one"), make_schema("a near one")
    source = remembering(Match(far, 0.5), Match(near, 0.9), Match(near, 0.7))
    hints = source.find(trip, rank(trip))
    assert [h.signature for h in hints] == ["a near one", "a far one"]
    assert hints[0].similarity == 0.9 and hints[0].category == "Invalid Invocation"
    judge = FakeJudge(lambda prompt: verdict(3))
    judge_trace(make_panel(judge, hints=source), trip)
    user = judge.prompts[0].user
    assert "? Does it say a near one?" in user
    assert "secret-run" not in user and "#5" not in user.split("LOG")[0]


def test_nothing_similar_is_no_hint(trip: Trace) -> None:
    judge = FakeJudge(lambda prompt: verdict(3))
    judge_trace(make_panel(judge, hints=remembering()), trip)
    assert "FAILURES OF OTHER RUNS" not in judge.prompts[0].user


def test_the_pool_is_the_whole_memory(trip: Trace) -> None:
    source = remembering(*(Match(make_schema(f"schema {i}"), 0.8) for i in range(9)))
    assert len(source.pool) == 9 and len(source.find(trip, rank(trip))) == 3
    assert len(RandomHints(source).find(trip, rank(trip))) == 3


def test_where_a_neighbour_failed_is_not_told(trip: Trace) -> None:
    attribution = rank(trip)
    claim = "looks like schema S1, seen 6 times, in secret-run-07#5"
    recalled = Evidence(signal="memory.recall", claim=claim, cites=(Citation(step=3),))
    first = attribution.candidates[0]
    told = first.model_copy(update={"evidence": (recalled, *first.evidence)})
    attribution = attribution.model_copy(update={"candidates": (told, *attribution.candidates[1:])})
    judge = FakeJudge(lambda prompt: verdict(3))
    judge_trace(make_panel(judge), trip, attribution)
    assert "secret-run" not in judge.prompts[0].user
