"""``jury``: several models, or several samples of one, each asked as by ``candidates``.

Verga et al. (2024), "Replacing judges with juries": small models together beat a large one and cost
less. Who votes is up to :attr:`~traceloc.judging.options.JudgeOptions.ballots`; what a vote weighs
is up to :mod:`traceloc.judging.combining`.
"""

from __future__ import annotations

from traceloc.judgement import Verdict
from traceloc.judging.case import Ask, Case
from traceloc.judging.strategies.candidates import judge_candidates


async def judge_in_jury(case: Case, ask: Ask) -> Verdict:
    """One vote of the jury."""
    return await judge_candidates(case, ask)
