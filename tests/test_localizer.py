"""The whole way from a trace to its answer, with signals that are easy to see through."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from traceloc.attribution import Citation, Evidence
from traceloc.contracts import Feature
from traceloc.errors import ModelError, PluginError
from traceloc.localizer import Localizer, localize
from traceloc.ranking.model import FeatureWeight, RankingModel
from traceloc.ranking.null import NullModel
from traceloc.trace import Agent, Outcome, Step, StepError, Trace, Truth


class Words:
    """Counts marks in the text of a step."""

    name = "words"
    api_version = 1
    features = (
        Feature("bang", "shouts"),
        Feature("query", "asks"),
        Feature("calm", "does not shout"),
    )

    def measure(self, graph: Any) -> Any:
        rows = [[s.text.count("!"), s.text.count("?"), "!" not in s.text] for s in graph.steps]
        return np.array(rows, dtype=np.float32)

    def explain(self, graph: Any, step: int, feature: str) -> Evidence | None:
        if feature == "query":
            return None
        return Evidence(
            signal="x", claim=f"{feature} here", cites=(Citation(step=step, quote="q"),)
        )


WEIGHTS = {"words.bang": 2.0, "words.query": 1.0, "words.calm": -1.0}
MODEL = RankingModel(
    name="m", shared=tuple(FeatureWeight(name=n, weight=w) for n, w in WEIGHTS.items())
)


def trace_of(*texts, **fields):
    steps = []
    for i, text in enumerate(texts):
        agent, _, said = text.partition(": ")
        tool = agent == "tool"
        error = StepError(kind="tool", message="it broke") if "Error" in said else None
        steps.append(
            Step(
                index=i,
                native_index=i,
                kind="result" if tool else "message",
                role="tool" if tool else "assistant",
                agent=agent,
                text=said,
                error=error,
            )
        )
    agents = (
        Agent(name="tool", kind="tool"),
        Agent(name="user", kind="human"),
        Agent(name="a", kind="worker"),
        Agent(name="b", kind="worker"),
    )
    return Trace(id="run", format="fake", steps=tuple(steps), agents=agents, **fields)


TRACE = trace_of("user: go", "a: plan", "b: guess!!", "tool: Error", "a: what?", "b: done")


@pytest.fixture
def localizer():
    return Localizer(MODEL, signals=[Words()])


def test_candidates_are_ranked_with_evidence_for_each(localizer):
    found = localizer.localize(TRACE)
    assert (found.status, found.locator, found.model) == ("located", "run#2", "m")
    assert [c.step for c in found.candidates] == [2, 4, 0, 1, 3]
    assert [c.rank for c in found.candidates] == [1, 2, 3, 4, 5]
    assert (found.top.agent, found.top.quote) == ("b", "guess!!")
    assert all(c.evidence and all(e.cites for e in c.evidence) for c in found.candidates)
    assert (found.n_steps, found.n_candidates) == (6, 6)


def test_evidence_says_what_speaks_for_the_step(localizer):
    (evidence,) = localizer.localize(TRACE).top.evidence
    assert (evidence.signal, evidence.claim, evidence.value) == ("words.bang", "bang here", 2.0)
    # Twice the count, less that of the mean candidate.
    assert evidence.contribution == pytest.approx(2 * (2 - 2 / 6))


class Twice(Words):
    """Two features that see the same thing."""

    features = (Feature("bang", "shouts"), Feature("loud", "is loud"))

    def measure(self, graph: Any) -> Any:
        return np.repeat(super().measure(graph)[:, :1], 2, axis=1)


def test_features_of_a_family_that_cite_the_same_are_told_once():
    weights = {"words.bang": 1.0, "words.loud": 2.0}
    shared = tuple(FeatureWeight(name=n, weight=w) for n, w in weights.items())
    found = Localizer(RankingModel(name="m", shared=shared), signals=[Twice()]).localize(TRACE)
    assert [e.signal for e in found.top.evidence] == ["words.loud"]


def test_a_step_no_signal_explains_still_cites_itself(localizer):
    second = localizer.localize(TRACE).candidates[1]
    (evidence,) = second.evidence
    assert evidence.signal == "trace.step"
    assert (evidence.cites[0].step, evidence.cites[0].quote) == (4, "what?")


def test_agents_share_the_sum_of_their_steps(localizer):
    found = localizer.localize(TRACE)
    assert found.agents[0].agent == "b"
    assert sum(share.probability for share in found.agents) == pytest.approx(1.0)
    everything = Localizer(MODEL, signals=[Words()], top_k=99).localize(TRACE)
    by_hand = sum(c.probability for c in everything.candidates if c.agent == "a")
    assert {s.agent: s.probability for s in found.agents}["a"] == pytest.approx(by_hand)


def test_the_symptom_is_the_first_failure_after_the_origin(localizer):
    assert localizer.localize(TRACE).symptom.step == 3
    assert localizer.localize(TRACE).symptom.claim == "fails: it broke"
    quiet = localizer.localize(trace_of("user: go", "a: guess!", "b: fine", "a: done"))
    assert quiet.symptom is None, "nothing shows, though the run goes on"
    assert localizer.localize(trace_of("user: go", "a: fine", "b: done!")).symptom is None


def test_of_equal_steps_the_earlier_wins(localizer):
    found = localizer.localize(trace_of("user: go!", "a: x!", "b: x!", "a: x!"))
    assert [c.step for c in found.candidates] == [0, 1, 2, 3]


def test_it_abstains_where_nothing_weighs_more(localizer):
    innocent = MODEL.model_copy(update={"null": NullModel(bias=1.0)})
    found = Localizer(innocent, signals=[Words()]).localize(TRACE)
    assert (found.status, found.locator, found.top, found.symptom) == (
        "abstained",
        "run",
        None,
        None,
    )
    assert found.reason
    assert [c.step for c in found.candidates][:1] == [2]
    mass = sum(share.probability for share in found.agents)
    assert mass + found.p_no_error == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("trace", "reason"),
    [
        (trace_of(), "no steps"),
        (trace_of("a: ", "b: "), "structure only"),
        (trace_of("user: hello", "tool: out"), "no step that an agent took"),
    ],
)
def test_what_cannot_be_measured_says_why(localizer, trace, reason):
    found = localizer.localize(trace)
    assert found.status == "unmeasured"
    assert reason in found.reason
    assert found.candidates == ()


def test_truth_outcome_and_names_do_not_move_the_answer(localizer):
    known = TRACE.model_copy(
        update={
            "truth": Truth(expected="guess", fields={"mistake_step": "4"}),
            "outcome": Outcome(status="failed", source="label", score=0.0),
            "attributes": {"reward": 0.0},
        }
    )
    assert localizer.localize(known) == localizer.localize(TRACE)


class Failing(Words):
    name = "failing"

    def measure(self, graph: Any) -> Any:
        raise RuntimeError("boom")


class Mute(Words):
    def explain(self, graph: Any, step: int, feature: str) -> Evidence | None:
        raise KeyError(feature)


class Pointing(Words):
    def explain(self, graph: Any, step: int, feature: str) -> Evidence | None:
        return Evidence(signal="x", claim="out of range", cites=(Citation(step=999),))


def test_a_failing_signal_is_a_diagnostic_unless_strict():
    found = Localizer(MODEL, signals=[Words(), Failing()]).localize(TRACE)
    assert found.top.step == 2
    assert "boom" in found.diagnostics[0].message
    with pytest.raises(PluginError, match="boom"):
        Localizer(MODEL, signals=[Words(), Failing()], strict=True).localize(TRACE)


@pytest.mark.parametrize("signal", [Mute(), Pointing()])
def test_a_signal_that_cannot_explain_itself_is_passed_over(signal):
    top = Localizer(MODEL, signals=[signal]).localize(TRACE).top
    assert [e.signal for e in top.evidence] == ["trace.step"]


def test_strict_raises_where_a_signal_cannot_explain_itself():
    with pytest.raises(PluginError, match="cannot explain"):
        Localizer(MODEL, signals=[Mute()], strict=True).localize(TRACE)


def test_a_broken_trace_is_an_answer_unless_strict(localizer):
    broken = TRACE.model_copy(update={"steps": (None,)})
    found = localizer.localize(broken)
    assert (found.status, "AttributeError" in found.reason) == ("unmeasured", True)
    with pytest.raises(AttributeError):
        Localizer(MODEL, signals=[Words()], strict=True).localize(broken)


def test_a_model_of_other_signals_is_refused():
    with pytest.raises(ModelError, match=r"words\.bang"):
        Localizer(MODEL, signals=[])


def test_threads_may_share_it(localizer):
    traces = [trace_of("user: go", *(f"a: x{'!' * (i == j)}" for j in range(8))) for i in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(localizer.localize, traces * 5))
    assert [each.top.step for each in found] == [i + 1 for i in range(8)] * 5


def test_the_same_trace_gives_the_same_bytes(localizer):
    assert (
        localizer.localize(TRACE).model_dump_json() == localizer.localize(TRACE).model_dump_json()
    )


def test_a_missing_model_file_is_an_error(tmp_path):
    with pytest.raises(ModelError) as raised:
        localize(TRACE, model=tmp_path / "none.json")
    assert raised.value.code == "TL402"


def test_a_model_file_is_read_at_each_call(tmp_path):
    path = tmp_path / "model.json"
    for name in ("old", "new"):
        RankingModel(name=name).save(path)
        assert localize(TRACE, model=path).model == name
