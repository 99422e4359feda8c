"""Signals with one flaw each, by the check that must find it."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from flaws import WORDS, Flaws
from sound_plugins import Shouting

from traceloc.contracts import Feature

FLAWS = Flaws()


class Changed(Shouting):
    def measure(self, graph: Any) -> Any:
        matrix = super().measure(graph)
        return self.change(matrix, graph) if len(matrix) else matrix

    def change(self, matrix: Any, graph: Any) -> Any:
        raise NotImplementedError


@FLAWS.of("interface")
class NoExplain(Shouting):
    explain = None  # type: ignore[assignment]


@FLAWS.of("features_say_what_they_are")
class Turned(Shouting):
    features = (Feature("capitals", "is loud", sign=-1, prior=0.5), Shouting.features[1])


@FLAWS.of("values_are_finite")
class Dividing(Changed):
    def change(self, matrix: Any, graph: Any) -> Any:
        with np.errstate(all="ignore"):
            return (matrix / matrix.sum(axis=0)).astype(np.float32)


@FLAWS.of("something_fires")
class Mute(Changed):
    def change(self, matrix: Any, graph: Any) -> Any:
        return matrix * 0


@FLAWS.of("measuring_changes_nothing")
class Remembering(Shouting):
    def measure(self, graph: Any) -> Any:
        return graph.memo("shouting", super().measure)


@FLAWS.of("order_of_use_does_not_matter")
class Learning(Changed):
    def __init__(self) -> None:
        self.longest = 1.0

    def change(self, matrix: Any, graph: Any) -> Any:
        self.longest = max(self.longest, float(matrix[:, 1].max()))
        return matrix / np.float32(self.longest)


@FLAWS.of("truth_is_out_of_reach")
class Peeking(Changed):
    def change(self, matrix: Any, graph: Any) -> Any:
        return matrix + np.float32(graph.trace.format == "who_and_when")


@FLAWS.of("order_of_agents_does_not_matter")
class Listing(Changed):
    def change(self, matrix: Any, graph: Any) -> Any:
        return matrix + np.float32(graph.trace.agents[0].name == graph.steps[0].agent)


@FLAWS.of("names_do_not_matter")
class Prejudiced(Changed):
    def change(self, matrix: Any, graph: Any) -> Any:
        matrix[:, 0] += [step.agent == "WebSurfer" for step in graph.steps]
        return matrix


@FLAWS.of("evidence_points_into_the_trace")
class Misquoting(Shouting):
    def explain(self, graph: Any, step: int, feature: str) -> Any:
        found = super().explain(graph, step, feature)
        cite = found.cites[0].model_copy(update={"start": 1, "end": 4})
        return found.model_copy(update={"cites": (cite,)})


@FLAWS.of("same_again")
class Chancy(Changed):
    def change(self, matrix: Any, graph: Any) -> Any:
        return matrix + np.float32(random.Random().random())


@FLAWS.of("leaves_the_process_alone")
class Seeding(Changed):
    def change(self, matrix: Any, graph: Any) -> Any:
        np.random.seed(len(matrix))
        np.random.rand()
        return matrix


@FLAWS.of("same_in_another_process")
class Hashing(Changed):
    def change(self, matrix: Any, graph: Any) -> Any:
        return matrix + np.float32(int(next(iter(WORDS))[4:]) + int(list(WORDS)[7][4:]) * 64)
