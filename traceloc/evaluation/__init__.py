"""How good a ranking is on labelled traces, and fitting one to them."""

from traceloc.evaluation.evaluate import evaluate, fit, fit_corpus, measure_datasets
from traceloc.evaluation.report import Evaluation, render

__all__ = ["Evaluation", "evaluate", "fit", "fit_corpus", "measure_datasets", "render"]
