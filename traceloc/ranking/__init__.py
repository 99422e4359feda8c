"""The additive model: measurements to log-odds to a ranking within the trace."""

from traceloc.ranking.model import (
    FeatureWeight,
    Provenance,
    RankingModel,
    Scores,
    load_model,
    rank,
    softmax,
)
from traceloc.ranking.table import FeatureSpec, FeatureTable, describe, find_candidates, measure

__all__ = [
    "FeatureSpec",
    "FeatureTable",
    "FeatureWeight",
    "Provenance",
    "RankingModel",
    "Scores",
    "describe",
    "find_candidates",
    "load_model",
    "measure",
    "rank",
    "softmax",
]
