"""The panel: puts questions to judges, keeps answers, and makes a judgement of what they say."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence

from traceloc.attribution import Attribution
from traceloc.errors import TracelocError, UsageError
from traceloc.judgement import Ballot, JudgeCost, JudgeError, JudgeFailure, JudgeHint, Judgement
from traceloc.judging.asking import Question, Tally
from traceloc.judging.cache import AnswerCache
from traceloc.judging.case import Case
from traceloc.judging.combining import Weights, combine, vote_of
from traceloc.judging.distilling import JudgedLesson, ask_for_lesson, confirmed_answer
from traceloc.judging.examining import sit_exam
from traceloc.judging.hints import HintSource
from traceloc.judging.options import SMALLEST_BUDGET, JudgeOptions
from traceloc.judging.prices import PriceTable
from traceloc.judging.redaction import compile_patterns
from traceloc.judging.seats import Seat
from traceloc.judging.strategies import STRATEGIES
from traceloc.judging.view import CaseView
from traceloc.labels.recording import hash_content, name_system
from traceloc.memory.lessons import Exam
from traceloc.trace import Trace


class Panel:
    """Judges traces. One panel serves many traces at the same time, in one event loop.

    Args:
        options: How to judge.
        seats: Who judges.
        cache: Where answers are kept; ``None`` keeps none.
        prices: What tokens cost.
        hints: Where hints come from.
        weights: What each judge's vote weighs, where labels say so.
        keep_votes: Whether votes are kept, to be weighed against what people say later.

    Raises:
        UsageError: If an option makes no sense.
    """

    def __init__(
        self,
        options: JudgeOptions,
        seats: Sequence[Seat],
        *,
        cache: AnswerCache | None = None,
        prices: PriceTable | None = None,
        hints: HintSource | None = None,
        weights: Mapping[str, Weights] | None = None,
        keep_votes: bool = True,
    ) -> None:
        if options.strategy not in STRATEGIES:
            raise UsageError(
                f"there is no strategy {options.strategy!r}",
                code="TL601",
                hint=f"strategies: {', '.join(STRATEGIES)}",
            )
        if options.budget < SMALLEST_BUDGET:
            raise UsageError(
                f"judge-budget is {options.budget}; at least {SMALLEST_BUDGET} tokens are needed",
                code="TL602",
            )
        self.options = options
        self.seats = {seat.model: seat for seat in seats}
        self.cache = cache
        self.prices = prices or {}
        self.hints = hints
        self.weights = weights or {}
        self._keep_votes = keep_votes
        self._strategy = STRATEGIES[options.strategy]
        self._patterns = compile_patterns(options.redact)
        self._gate: asyncio.Semaphore | None = None
        self._lessons = Tally()

    def with_options(self, options: JudgeOptions) -> Panel:
        """The same judges with other options."""
        return self._copy(options, self.hints)

    def with_hints(self, hints: HintSource | None) -> Panel:
        """The same judges with other hints, or without."""
        return self._copy(self.options, hints)

    def _copy(self, options: JudgeOptions, hints: HintSource | None) -> Panel:
        return Panel(
            options,
            tuple(self.seats.values()),
            cache=self.cache,
            prices=self.prices,
            hints=hints,
            weights=self.weights,
            keep_votes=self._keep_votes,
        )

    async def judge(self, trace: Trace, attribution: Attribution) -> Attribution:
        """The attribution with what the judges make of it; never raises for a judge's failure.

        Args:
            trace: The run.
            attribution: The ranker's answer, with all the candidates it weighed.

        Raises:
            StoreError: If the cache cannot be used.
        """
        if attribution.status == "unmeasured" or not attribution.candidates:
            return attribution
        tally = Tally()
        begun = time.thread_time()
        view = CaseView(trace, attribution, patterns=self._patterns)
        hints = tuple(self.hints.find(trace, attribution)) if self.hints else ()
        content = hash_content(trace)
        view.own_seconds += time.thread_time() - begun
        ballots = await asyncio.gather(
            *(
                self._vote(view, hints, model, sample, content, tally)
                for model, sample in self.options.ballots
            )
        )
        begun = time.thread_time()
        cost = tally.cost(view.own_seconds)
        judgement = Judgement(
            strategy=self.options.strategy,
            models=tuple(dict.fromkeys(model for model, _ in self.options.ballots)),
            ballots=tuple(ballots),
            ranked=attribution.candidates[0].step,
            notes=tuple(tally.notes),
            cost=cost,
        )
        self._record(trace, content, attribution, judgement)
        combined = combine(trace, attribution, judgement, weights=self.weights)
        own = cost.own_seconds + time.thread_time() - begun
        return replace_cost(combined, own_seconds=own)

    async def close(self) -> None:
        """Let the judges close their connections; to be called in the loop that they ran in."""
        self._gate = None
        for seat in self.seats.values():
            close = getattr(seat.judge, "close", None)
            if close is not None:
                await close()

    async def distil(self, trace: Trace, step: int) -> JudgedLesson:
        """What the first judge learns from a confirmed failure, for the failure memory.

        Raises:
            JudgeError: If there is no answer, or one that is no lesson.
        """
        view, ask = self._asking(trace, step)
        return await ask_for_lesson(view, step, ask=ask, budget=self.options.budget)

    async def examine(self, trace: Trace, step: int, exam: Exam) -> tuple[frozenset[int], ...]:
        """For each step of an exam, the questions that the first judge answers with yes.

        Args:
            trace: The run the lesson comes from: what is secret in it stays so.
            step: Its decisive error step.
            exam: Masked steps, and questions about them.

        Raises:
            JudgeError: If there is no answer, or one that leaves a step out.
        """
        view, ask = self._asking(trace, step)
        return await sit_exam(view, exam, ask=ask, budget=self.options.budget)

    @property
    def lesson_cost(self) -> JudgeCost:
        """What lessons and exams took so far."""
        return self._lessons.cost()

    @property
    def teacher(self) -> str:
        """The model that writes lessons: the first one."""
        return self.options.ballots[0][0]

    def _asking(self, trace: Trace, step: int) -> tuple[CaseView, Question]:
        view = CaseView(trace, confirmed_answer(trace, step), patterns=self._patterns)
        return view, Question(self, self.seats[self.teacher], 0, self._lessons, view)

    async def _vote(
        self,
        view: CaseView,
        hints: tuple[JudgeHint, ...],
        model: str,
        sample: int,
        content: str,
        tally: Tally,
    ) -> Ballot:
        number = self.options.repeat * 1000 + sample
        seat = self.options.models.index(model)
        seed = hashlib.blake2b(f"{content} {seat} {number}".encode(), digest_size=8).hexdigest()
        case = Case(view, self.options, hints, seed)
        ask = Question(self, self.seats[model], number, tally, view)
        try:
            verdict = await self._strategy(case, ask)
            return Ballot(model=model, sample=sample, verdict=verdict, rounds=max(ask.rounds, 1))
        except JudgeError as error:
            failure = JudgeFailure(kind=error.kind, message=error.message)
        except (TracelocError, asyncio.CancelledError):
            raise
        except Exception as error:  # a trace or a plugin that breaks us is a record, not an end
            failure = JudgeFailure(kind="crash", message=f"{type(error).__name__}: {error}"[:300])
        return Ballot(model=model, sample=sample, failure=failure, rounds=max(ask.rounds, 1))

    def _record(
        self, trace: Trace, content: str, attribution: Attribution, judgement: Judgement
    ) -> None:
        if self.cache is None or not self._keep_votes:
            return
        for model in judgement.models:
            vote = vote_of(trace, attribution, [b for b in judgement.ballots if b.model == model])
            if vote is not None:
                self.cache.record(
                    vote,
                    judge=model,
                    strategy=self.options.strategy,
                    system=name_system(trace),
                    content_hash=content,
                )

    @property
    def gate(self) -> asyncio.Semaphore:
        """Lets so many questions through at a time."""
        if self._gate is None:
            self._gate = asyncio.Semaphore(self.options.concurrency)
        return self._gate


def replace_cost(attribution: Attribution, **changes: float) -> Attribution:
    """The attribution with other numbers in the cost of its judgement."""
    judgement = attribution.judgement
    if judgement is None:
        return attribution
    cost = judgement.cost.model_copy(update=changes)
    return attribution.model_copy(update={"judgement": judgement.model_copy(update={"cost": cost})})
