"""What a memory makes of one trace: schemata its steps look like, and a vote in its ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from traceloc.attribution import Citation, Evidence
from traceloc.graph import TraceGraph
from traceloc.memory.gate import CLOSED, Gate
from traceloc.memory.schema import ErrorSchema
from traceloc.quoting import quote_step, say_count, shorten
from traceloc.ranking.evidence import MAX_EVIDENCE, NEUTRAL, order_evidence
from traceloc.ranking.model import Scores, rank, settle, softmax

Floats = NDArray[np.float64]

SIGNAL = "memory.recall"
MAX_RECALLED = 5
"""Steps of one trace whose likeness is told."""
MIN_VOTE = 0.15
"""Log-odds from which a vote that rests on no single schema is worth a line."""
_QUOTE = 160
_FIX = 120


@dataclass(frozen=True)
class Match:
    """A schema that a step looks like."""

    schema: ErrorSchema
    similarity: float
    """Cosine; 1 for one that was recognised by its rule."""
    by: str = "text"
    """``text``, or ``rule`` where all signals of a shipped schema fired."""


@dataclass(frozen=True)
class Recollection:
    """What the memory says of a trace."""

    odds: Floats
    """Log-odds of looking like a failing step, one per candidate, of mean 0."""
    matches: dict[int, tuple[Match, ...]] = field(default_factory=dict)
    """By position of the candidate, most similar first; where nothing is similar, nothing."""
    gate: Gate = CLOSED

    @property
    def added(self) -> Floats:
        """What it adds to the score of each candidate."""
        return self.odds * self.gate.weight


def weigh_with_memory(scores: Scores, recollection: Recollection) -> Scores:
    """Add what the memory says, if it may vote; else the scores are what they were.

    The weight of "no decisive error here" stays: it is a matter of the trace alone.
    """
    if not recollection.gate.open:
        return scores
    total = settle(scores.scores + recollection.added)
    probabilities = softmax(total) * (1.0 - scores.p_no_error)
    return Scores(total, probabilities, scores.p_no_error, rank(total))


def join_recall(
    evidence: Sequence[Evidence],
    graph: TraceGraph,
    recollection: Recollection,
    *,
    position: int,
    step: int,
) -> tuple[Evidence, ...]:
    """The claims for a candidate with what it looks like among them.

    What is recognised is always shown; it stands last where the memory has no vote.

    Args:
        evidence: What the signals say.
        graph: The trace.
        recollection: What the memory says.
        position: Of the candidate among all.
        step: Its row.
    """
    added = float(recollection.added[position])
    matches = recollection.matches.get(position, ())
    if matches:
        claim = tell_match(matches[0])
    elif added >= MIN_VOTE:
        claim = "looks more like remembered failing steps than like ordinary ones of this system"
    else:
        return tuple(evidence)
    quote = quote_step(graph.steps[step])[:_QUOTE]
    mine = Evidence(
        signal=SIGNAL,
        claim=claim,
        cites=(Citation(step=step, quote=quote),),
        value=matches[0].similarity if matches else float(recollection.odds[position]),
        contribution=max(added, 0.0),
        fault=True,
    )
    others = [each for each in evidence if each.signal != NEUTRAL][: MAX_EVIDENCE - 1]
    return order_evidence([*others, mine])


def list_recalled(
    graph: TraceGraph, recollection: Recollection, candidates: NDArray[np.int64]
) -> tuple[Evidence, ...]:
    """What the steps of a trace look like, most similar first; of equals the earlier step."""
    found = sorted(recollection.matches.items(), key=lambda each: (-each[1][0].similarity, each[0]))
    listed = []
    for position, matches in found[:MAX_RECALLED]:
        step = int(candidates[position])
        quote = quote_step(graph.steps[step])[:_QUOTE]
        cites = (Citation(step=step, quote=quote),)
        value = matches[0].similarity
        claim = tell_match(matches[0])
        listed.append(Evidence(signal=SIGNAL, claim=claim, cites=cites, value=value, fault=True))
    return tuple(listed)


def tell_match(match: Match) -> str:
    """``looks like schema S17, seen 6 times, confirmed 4, in run-07#5; fixed by …``."""
    schema, counts = match.schema, match.schema.counts
    if match.by == "rule":
        return f"shows the signs of schema {schema.id} ({schema.title})"
    words = f"looks like schema {schema.id}"
    if schema.category:
        words += f" ({schema.category})"
    words += f", seen {say_count(counts.seen, 'time')}"
    if counts.confirmed:
        words += f", confirmed {counts.confirmed}"
    if counts.rejected:
        words += f", rejected {counts.rejected}"
    if schema.sightings:
        words += f", in {schema.sightings[-1].locator}"
    if schema.fix:
        words += f"; fixed by {shorten(' '.join(schema.fix.split()), _FIX)}"
    return words
