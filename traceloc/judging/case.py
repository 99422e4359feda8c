"""What a strategy is given: the trace as judges see it, and somebody to ask."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from traceloc.attribution import Candidate
from traceloc.judgement import JudgeHint, JudgeReply, Verdict
from traceloc.judging import wording
from traceloc.judging.options import JudgeOptions
from traceloc.judging.prompts import Draft, compose
from traceloc.judging.view import CaseView

T = TypeVar("T")


class Ask(Protocol):
    """Puts one question to the judge."""

    async def __call__(self, draft: Draft, read: Callable[[JudgeReply], T]) -> T:
        """What ``read`` makes of the answer; asked once more where that may help.

        Raises:
            JudgeError: If there is no answer, or none that can be believed.
        """
        ...


@dataclass(frozen=True)
class Case:
    """One vote on one trace."""

    view: CaseView
    options: JudgeOptions
    hints: tuple[JudgeHint, ...] = ()
    seed: str = ""
    """Differs from vote to vote: the order of what is listed depends on it."""

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What the ranker found, where the judge may see it."""
        return self.view.suspects if self.options.with_candidates else ()

    def draft(
        self,
        question: str,
        *,
        allowances: Mapping[int, float],
        scale: float,
        candidates: Sequence[Candidate] = (),
        form: str = wording.ANSWER,
        schema: dict[str, Any] | None = None,
    ) -> Draft:
        """A prompt with this question that fits the budget.

        Raises:
            JudgeError: ``budget`` or ``redaction``.
        """
        begun = time.thread_time()
        try:
            return self._compose(question, allowances, scale, candidates, form, schema)
        finally:
            self.view.own_seconds += time.thread_time() - begun

    def _compose(
        self,
        question: str,
        allowances: Mapping[int, float],
        scale: float,
        candidates: Sequence[Candidate],
        form: str,
        schema: dict[str, Any] | None,
    ) -> Draft:
        return compose(
            self.view,
            budget=self.options.budget,
            allowances=allowances,
            scale=scale,
            question=question,
            form=form,
            schema=schema,
            candidates=candidates,
            hints=self.hints,
            expected=self.options.with_expected,
            seed=self.seed,
        )


Strategy = Callable[[Case, Ask], Awaitable[Verdict]]
"""Gives the verdict of one vote; raises :class:`~traceloc.judgement.JudgeError` without one."""
