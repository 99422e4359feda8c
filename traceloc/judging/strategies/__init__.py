"""Ways to come to a verdict, one a file."""

from traceloc.judging.case import Strategy
from traceloc.judging.strategies.all_at_once import judge_all_at_once
from traceloc.judging.strategies.binary_search import judge_by_halves
from traceloc.judging.strategies.candidates import judge_candidates
from traceloc.judging.strategies.jury import judge_in_jury
from traceloc.judging.strategies.step_by_step import judge_step_by_step
from traceloc.judging.strategies.verify import judge_and_verify

STRATEGIES: dict[str, Strategy] = {
    "all-at-once": judge_all_at_once,
    "step-by-step": judge_step_by_step,
    "binary-search": judge_by_halves,
    "candidates": judge_candidates,
    "verify": judge_and_verify,
    "jury": judge_in_jury,
}
"""By the name a user gives."""

__all__ = ["STRATEGIES"]
