from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from traceloc.attribution import Citation, Evidence
from traceloc.categories import CATEGORIES, find_category, normalise_category
from traceloc.contracts import Feature
from traceloc.graph import TraceGraph
from traceloc.ranking.table import describe, measure
from traceloc.registry import Registry
from traceloc.trace import Step, Trace

NAMES = {each.name: each for each in CATEGORIES}


def test_both_taxonomies_are_whole() -> None:
    assert Counter(each.taxonomy for each in CATEGORIES) == {"mast": 14, "agentrx": 10}
    codes = [each.code for each in CATEGORIES if each.taxonomy == "mast"]
    assert codes == [f"{part}.{i}" for part, n in ((1, 5), (2, 6), (3, 3)) for i in range(1, n + 1)]


def test_nearest_names_belong_to_the_other_taxonomy() -> None:
    for each in CATEGORIES:
        if each.nearest is not None:
            assert NAMES[each.nearest].taxonomy != each.taxonomy


def test_no_spelling_means_two_categories() -> None:
    for each in CATEGORIES:
        for spelling in (each.name, *each.variants, each.name.upper(), f"{each.name} failure"):
            assert normalise_category(spelling) is each


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Instruction Adherence Failure", "Instruction/Plan Adherence Failure"),
        ("instruction/plan adherence failure", "Instruction/Plan Adherence Failure"),
        ("Invention of new information", "Invention of New Information"),
        ("Intent Plan Misalignment", "Intent-Plan Misalignment"),
        ("Intent not supported", "Intent Not Supported"),
        ("System Failure", "System Failure"),
        ("3.1", "Premature Termination"),
        ("FM-2.6 reasoning action mismatch", "Reasoning-Action Mismatch"),
        ("Ignored other agents' input", "Ignored Other Agent's Input"),
    ],
)
def test_released_spellings_are_understood(label: str, name: str) -> None:
    found = normalise_category(label)
    assert found is not None
    assert found.name == name


def test_a_stranger_has_no_category() -> None:
    assert normalise_category("Tool Param Redundant") is None


def test_every_rule_rests_on_something_that_is_measured() -> None:
    measured = {each.name for each in describe(Registry().all("signals"))}
    for each in CATEGORIES:
        assert not each.rules or any(name in measured for name, _ in each.rules), each.name


class Scripted:
    """Gives the last step the features it is told to."""

    api_version = 1

    def __init__(self, family: str, *names: str) -> None:
        self.name = family
        self.features = tuple(Feature(name, name) for name in names)

    def measure(self, graph: TraceGraph) -> np.ndarray:
        matrix = np.zeros((len(graph), len(self.features)), np.float32)
        matrix[-1] = 1
        return matrix

    def explain(self, graph: TraceGraph, step: int, feature: str) -> Evidence:
        return Evidence(signal="any", claim=feature, cites=(Citation(step=step),))


def name_last_step(*signals: Scripted) -> object:
    steps = tuple(
        Step(index=i, native_index=i, kind="message", role="assistant", agent="a", text=f"say {i}")
        for i in range(12)
    )
    graph = TraceGraph(Trace(id="t", format="native", steps=steps))
    families = {each.name: each for each in signals}
    return find_category(graph, measure(graph, signals), families, step=11)


def test_a_decisive_rule_names_the_category_with_its_evidence() -> None:
    found = name_last_step(Scripted("constraints", "bad_arguments"))
    assert found.agentrx == "Invalid Invocation"
    assert found.mast is None
    assert found.evidence.signal == "constraints.bad_arguments"


def test_both_names_are_given_where_both_taxonomies_have_one() -> None:
    found = name_last_step(Scripted("repetition", "same_call", "starts_loop"))
    assert (found.mast, found.agentrx) == ("Step Repetition", "Instruction/Plan Adherence Failure")


def test_weak_or_contradictory_evidence_names_nothing() -> None:
    assert name_last_step(Scripted("claims", "drops_result")) is None
    loop = Scripted("repetition", "same_call", "starts_loop")
    assert name_last_step(loop, Scripted("constraints", "bad_arguments")) is None
    assert name_last_step(Scripted("unheard", "of")) is None
