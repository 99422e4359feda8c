"""An LLM, or a jury of them, that adjudicates with the ranker's evidence in hand."""

from traceloc.judging.combining import Weights, combine
from traceloc.judging.distilling import JudgedLesson
from traceloc.judging.hints import HintSource
from traceloc.judging.options import JudgeOptions
from traceloc.judging.panel import Panel
from traceloc.judging.seats import take_seats

__all__ = [
    "HintSource",
    "JudgeOptions",
    "JudgedLesson",
    "Panel",
    "Weights",
    "combine",
    "take_seats",
]
