"""Why the model was wrong: what it held against the step it blamed, beyond the labelled one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from traceloc.evaluation.metrics import SMALLEST_PROBABILITY
from traceloc.evaluation.preparing import Prepared
from traceloc.ranking.model import RankingModel, Scores
from traceloc.trace import Document

TERMS_SHOWN = 4
MISSES_SHOWN = 5
"""Of each set, the surest ones first."""


class Misleading(Document):
    """One feature and how much it spoke for the wrong step."""

    feature: str
    claim: str = ""
    """What a high value of it means."""
    contribution: float
    """Log-odds it gave the blamed step over the labelled one."""


class Miss(Document):
    """One trace in which another step was blamed than the labelled one."""

    dataset: str
    method: str
    locator: str
    """Of the trace."""
    blamed: int
    """Native index of rank 1."""
    blamed_agent: str
    labelled: int
    """Native index of the labelled step that was ranked best; -1 where none is a candidate."""
    labelled_agent: str
    rank: int | None
    """Of that step."""
    log_odds: float
    """By how much rank 1 was ahead of it."""
    misled: tuple[Misleading, ...]
    """Strongest first."""


def note_miss(item: Prepared, method: str, model: RankingModel, found: Scores) -> Miss:
    """What misled the model about one trace."""
    native = item.native
    top = int(found.order[0])
    place, gold = next(
        ((rank, int(i)) for rank, i in enumerate(found.order, 1) if native[int(i)] in item.labels),
        (None, None),
    )
    if gold is None:
        lead = float(np.log(max(found.probabilities[top], SMALLEST_PROBABILITY)))
        lead -= float(np.log(SMALLEST_PROBABILITY))
        gap = model.contributions(item.table, [top])[0]
    else:
        lead = float(found.scores[top] - found.scores[gold])
        both = model.contributions(item.table, [top, gold])
        gap = both[0] - both[1]
    strongest = np.argsort(-gap, kind="stable")[:TERMS_SHOWN].tolist()
    return Miss(
        dataset=item.dataset,
        method=method,
        locator=item.locator,
        blamed=native[top],
        blamed_agent=item.agents[top],
        labelled=-1 if gold is None else native[gold],
        labelled_agent=", ".join(sorted(item.blamed_agents)),
        rank=place,
        log_odds=lead,
        misled=tuple(
            Misleading(feature=item.table.features[k].name, contribution=float(gap[k]))
            for k in strongest
            if gap[k] > 0
        ),
    )


def worst_misses(misses: Sequence[Miss], claims: Mapping[str, str]) -> tuple[Miss, ...]:
    """The misses of each set and method in which the model was surest, with claims in words."""
    found = []
    for key in dict.fromkeys((each.dataset, each.method) for each in misses):
        inside = [each for each in misses if (each.dataset, each.method) == key]
        found += sorted(inside, key=lambda each: (-each.log_odds, each.locator))[:MISSES_SHOWN]
    return tuple(
        each.model_copy(
            update={
                "misled": tuple(
                    term.model_copy(update={"claim": claims.get(term.feature, "")})
                    for term in each.misled
                )
            }
        )
        for each in found
    )
