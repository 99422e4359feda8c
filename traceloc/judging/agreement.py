"""What each judge's vote weighs, by how it agreed with what people said later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from traceloc.judging.cache import AnswerCache
from traceloc.judging.combining import Weights, example_of, fit_weights

if TYPE_CHECKING:
    from traceloc.labels.store import LabelStore


def weigh_judges(
    models: Iterable[str], *, strategy: str, cache: AnswerCache, labels: LabelStore
) -> dict[str, Weights]:
    """Weights of each judge, fitted to the confirmed failures it has voted on.

    Args:
        models: Judges as the user names them.
        strategy: How they judge: an answer to other questions is another judge's.
        cache: Where their votes are kept.
        labels: What people said.
    """
    standing = {
        (event.system, event.content_hash): event.native_index
        for event in labels.standing()
        if event.action != "reject"
    }
    found = {}
    for model in dict.fromkeys(models):
        votes = cache.votes(judge=model, strategy=strategy)
        examples = [
            example_of(vote, [standing[key]]) for key, vote in votes.items() if key in standing
        ]
        found[model] = fit_weights([each for each in examples if each is not None])
    return found
