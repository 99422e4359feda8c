"""How good a ranking is on labelled traces, and fitting one to them."""

from traceloc.evaluation.evaluate import evaluate, fit, fit_corpus, measure_datasets
from traceloc.evaluation.plot import draw_evaluation
from traceloc.evaluation.report import Evaluation, render

__all__ = [
    "Evaluation",
    "draw_evaluation",
    "evaluate",
    "fit",
    "fit_corpus",
    "measure_datasets",
    "render",
]
