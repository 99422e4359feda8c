"""Joins what the ranker and the judges say into one ranking.

For each alternative *i* (every candidate, and "no decisive error"), with *p* the ranker's
probabilities and *s* the share of a judge's votes:

    score(i) = a * log p(i) + sum over judges of s(i) * (b_judge + log(n - 1))

With ``a = 1`` this is Bayes' rule for a judge that is right with probability *r*, ``b = logit r``,
and names any of the other ``n - 1`` alternatives where it is wrong. Where labels exist, ``a`` and
each ``b`` are fitted to them (MAP, Gaussian priors around the defaults), so that a judge which is
mostly wrong loses its say, and one that is always wrong counts as evidence against what it names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from traceloc.attribution import AgentShare, Attribution, Candidate, Citation, Evidence
from traceloc.judgement import Ballot, JudgeFailure, Judgement, Verdict
from traceloc.judging.cache import Vote
from traceloc.quoting import quote_step
from traceloc.ranking.evidence import order_evidence
from traceloc.ranking.model import softmax
from traceloc.trace import Trace

Floats = NDArray[np.float64]

DEFAULT_LOGIT = 0.85
"""Log-odds that a judge is right before any label: seven in ten, more than any published judge
reaches. With it judges that are right on 35% to 85% of the labelled sets come out no worse together
with the ranker than the better of the two; with less, good judges are overruled too often."""
MOST_RIVALS = 60.0
"""A judge that errs does not pick any of a thousand steps: mistakes crowd around few of them."""
LOGIT_SPREAD = 3.0
RANKER_SPREAD = 0.5
"""Standard deviations of the priors."""
NEWTON_STEPS = 60
SMALLEST = 1e-9
ABSTAIN_ABOVE = 0.5


class Weights(NamedTuple):
    """What the ranker and one judge count."""

    ranker: float = 1.0
    """Factor of the logarithms of the ranker's probabilities."""
    logit: float = DEFAULT_LOGIT
    """Log-odds that a unanimous vote adds where there are two alternatives."""
    fitted: int = 0
    """Labelled traces it rests on."""

    def of_vote(self, n: int) -> float:
        """Log-odds that a unanimous vote of this judge adds, with ``n`` alternatives."""
        return self.logit + log(min(max(n - 1.0, 1.0), MOST_RIVALS))


class Example(NamedTuple):
    """A labelled trace that a judge voted on."""

    log_p: Floats
    """Of each alternative by the ranker; the last one is "no decisive error"."""
    share: Floats
    """Of the judge's votes."""
    right: Floats
    """1 for each alternative that the label calls right, else 0."""


def vote_of(trace: Trace, attribution: Attribution, ballots: Sequence[Ballot]) -> Vote | None:
    """What one judge says of a trace, to be kept; ``None`` where it said nothing."""
    verdicts = [ballot.verdict for ballot in ballots if ballot.verdict is not None]
    if not verdicts:
        return None
    named: dict[int, float] = {}
    for verdict in verdicts:
        if verdict.step is not None:
            native = trace.steps[verdict.step].native_index
            named[native] = named.get(native, 0.0) + 1.0 / len(verdicts)
    none = sum(verdict.step is None for verdict in verdicts) / len(verdicts)
    return Vote(
        named,
        none,
        tuple(each.native_index for each in attribution.candidates),
        tuple(each.probability for each in attribution.candidates),
    )


def example_of(vote: Vote, labels: Sequence[int]) -> Example | None:
    """A vote with its label; ``None`` where the label names no candidate."""
    native = np.array([*vote.native, -1])
    right = np.isin(native, list(labels)).astype(np.float64)
    if not right.any():
        return None
    share = np.zeros(len(native))
    for step, part in vote.named.items():
        where = np.flatnonzero(native == step)
        if len(where):
            share[where[0]] += part
    share[-1] = vote.none
    rest = max(1.0 - sum(vote.probabilities), SMALLEST)
    probabilities = np.array([*vote.probabilities, rest])
    return Example(np.log(np.maximum(probabilities, SMALLEST)), share, right)


def fit_weights(examples: Sequence[Example]) -> Weights:
    """MAP weights of one judge; the defaults without examples."""
    if not examples:
        return Weights()
    theta = np.array([1.0, DEFAULT_LOGIT])
    mean, precision = theta.copy(), np.array([RANKER_SPREAD**-2, LOGIT_SPREAD**-2])
    loss, gradient, curvature = _posterior(theta, examples, mean, precision)
    for _ in range(NEWTON_STEPS):
        direction = np.linalg.solve(curvature + 1e-9 * np.eye(2), gradient)
        size = 1.0
        while size > 1e-6:
            tried = theta - size * direction
            found = _posterior(tried, examples, mean, precision)
            if found[0] <= loss:
                break
            size /= 2
        else:
            break
        moved = float(np.abs(tried - theta).max())
        theta, (loss, gradient, curvature) = tried, found
        if moved < 1e-8:
            break
    return Weights(float(max(theta[0], 0.05)), float(theta[1]), len(examples))


def _posterior(
    theta: Floats, examples: Sequence[Example], mean: Floats, precision: Floats
) -> tuple[float, Floats, Floats]:
    """Negative log posterior, its gradient and a curvature that is positive definite."""
    away = theta - mean
    loss = 0.5 * float((precision * away**2).sum())
    gradient, curvature = precision * away, np.diag(precision)
    for each in examples:
        lift = log(min(max(len(each.share) - 1.0, 1.0), MOST_RIVALS))
        rows = np.stack([each.log_p, each.share], axis=1)
        p = softmax(rows @ theta + each.share * lift)
        inside = p * each.right
        held = max(float(inside.sum()), SMALLEST)
        posterior = inside / held
        loss -= log(held)
        expected = p @ rows
        gradient = gradient + expected - posterior @ rows
        centred = rows - expected
        curvature = curvature + (centred * p[:, None]).T @ centred
    return loss, gradient, curvature


def combine(
    trace: Trace,
    attribution: Attribution,
    judgement: Judgement,
    *,
    weights: Mapping[str, Weights],
) -> Attribution:
    """The attribution as ranker and judges see it together.

    Without any verdict the ranker's answer stays as it is, with the failure beside it.

    Args:
        trace: The run.
        attribution: The ranker's answer, with all the candidates it weighed.
        judgement: What the judges said.
        weights: Of each judge by model; the defaults for those left out.
    """
    if not any(ballot.verdict for ballot in judgement.ballots):
        failure = next((b.failure for b in judgement.ballots if b.failure is not None), None)
        failure = failure or JudgeFailure(kind="unanswered", message="nobody was asked")
        return attribution.model_copy(
            update={"judgement": judgement.model_copy(update={"failure": failure})}
        )
    before = _with_voted(trace, attribution, judgement)
    steps = [each.step for each in before]
    place = {step: i for i, step in enumerate(steps)}
    n = len(steps) + 1
    rest = max(1.0 - sum(each.probability for each in before), SMALLEST)
    log_p = np.log(np.maximum([*(each.probability for each in before), rest], SMALLEST))
    models = [
        m for m in judgement.models if any(b.model == m and b.verdict for b in judgement.ballots)
    ]
    used = {model: weights.get(model, Weights()) for model in models}
    scores = log_p * float(np.mean([w.ranker for w in used.values()]))
    added = np.zeros(n)
    for model, weight in used.items():
        verdicts = [b.verdict for b in judgement.ballots if b.model == model and b.verdict]
        for verdict in verdicts:
            where = n - 1 if verdict.step is None else place[verdict.step]
            added[where] += weight.of_vote(n) / len(verdicts)
    p = softmax(scores + added)
    verdict = _leading(judgement, p, place)
    judgement = judgement.model_copy(
        update={"verdict": verdict, "fitted": min(w.fitted for w in used.values())}
    )
    return _rebuild(trace, attribution, judgement, before, p, added)


def _with_voted(trace: Trace, attribution: Attribution, judgement: Judgement) -> list[Candidate]:
    """The candidates, and whatever step a judge names beyond them, with next to no probability."""
    found = list(attribution.candidates)
    known = {each.step for each in found}
    left = max(1.0 - attribution.p_no_error - sum(c.probability for c in found), 0.0)
    missing = max(attribution.n_candidates - len(found), 1)
    for ballot in judgement.ballots:
        step = ballot.verdict.step if ballot.verdict else None
        if step is None or step in known:
            continue
        known.add(step)
        lowest = min((each.score for each in found), default=0.0)
        found.append(
            Candidate(
                rank=len(found) + 1,
                step=step,
                native_index=trace.steps[step].native_index,
                agent=trace.steps[step].agent,
                kind=trace.steps[step].kind,
                quote=quote_step(trace.steps[step]),
                score=lowest,
                probability=max(left / missing, 1e-6),
            )
        )
    return found


def _leading(judgement: Judgement, p: Floats, place: Mapping[int, int]) -> Verdict:
    """Of all verdicts the one whose step is the most probable in the end; of equals the first."""
    verdicts = [ballot.verdict for ballot in judgement.ballots if ballot.verdict is not None]
    return max(
        verdicts, key=lambda each: round(p[-1] if each.step is None else p[place[each.step]], 12)
    )


def _rebuild(
    trace: Trace,
    attribution: Attribution,
    judgement: Judgement,
    before: Sequence[Candidate],
    p: Floats,
    added: Floats,
) -> Attribution:
    # The earlier step wins where the end is equal, as everywhere.
    order = sorted(range(len(before)), key=lambda i: (-round(float(p[i]), 12), before[i].step))
    said = {
        ballot.verdict.step: ballot.verdict for ballot in judgement.ballots[::-1] if ballot.verdict
    }
    if judgement.verdict is not None:
        said[judgement.verdict.step] = judgement.verdict
    candidates = []
    for rank, i in enumerate(order, start=1):
        each = before[i]
        evidence = each.evidence
        verdict = said.get(each.step)
        if verdict is not None:
            evidence = _with_verdict(evidence, verdict, float(added[i]))
        candidates.append(
            each.model_copy(
                update={
                    "rank": rank,
                    "score": each.score + float(added[i]),
                    "probability": float(p[i]),
                    "evidence": evidence,
                }
            )
        )
    top = candidates[0].step
    p_no_error = float(p[-1])
    abstained = p_no_error > ABSTAIN_ABOVE
    same = top == attribution.candidates[0].step and attribution.status == "located"
    symptom = attribution.symptom
    return attribution.model_copy(
        update={
            "locator": trace.locator(None if abstained else top),
            "status": "abstained" if abstained else "located",
            "silence": "innocent" if abstained else None,
            "reason": "the judge and the ranker find no decisive error" if abstained else None,
            "candidates": tuple(candidates),
            "agents": _agents(candidates),
            "symptom": symptom if symptom and symptom.step > top and not abstained else None,
            "category": attribution.category if same and not abstained else None,
            "p_no_error": p_no_error,
            "calibrated": False,
            "judgement": judgement,
        }
    )


def _with_verdict(
    evidence: Sequence[Evidence], verdict: Verdict, contribution: float
) -> tuple[Evidence, ...]:
    said = Evidence(
        signal="judge.verdict",
        claim=verdict.claim or "is the decisive error",
        cites=tuple(Citation(step=step) for step in verdict.cites),
        value=1.0,
        contribution=contribution,
        fault=True,
    )
    return order_evidence([said, *evidence])


def _agents(candidates: Sequence[Candidate]) -> tuple[AgentShare, ...]:
    """Agents by the sum over these candidates; of equals the one whose candidate comes first.

    The ranker sums over all steps, and of equals names the one that acts first: here are only the
    steps it listed, with what the judge made of them.
    """
    total: dict[str, float] = {}
    for each in sorted(candidates, key=lambda each: each.step):
        total[each.agent] = total.get(each.agent, 0.0) + each.probability
    ordered = sorted(total.items(), key=lambda pair: -round(pair[1], 12))
    return tuple(AgentShare(agent=agent, probability=share) for agent, share in ordered)
