"""The panel: puts questions to judges, keeps answers, and makes a judgement of what they say."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from traceloc.attribution import Attribution
from traceloc.errors import TracelocError, UsageError
from traceloc.judgement import (
    RETRIED,
    Ballot,
    JudgeCost,
    JudgeError,
    JudgeFailure,
    JudgeHint,
    Judgement,
    JudgePrompt,
    JudgeReply,
)
from traceloc.judging.cache import AnswerCache, key_of
from traceloc.judging.case import Case
from traceloc.judging.combining import Weights, combine, vote_of
from traceloc.judging.distilling import JudgedLesson, ask_for_lesson, confirmed_answer
from traceloc.judging.hints import HintSource
from traceloc.judging.options import SMALLEST_BUDGET, JudgeOptions
from traceloc.judging.prices import PriceTable, price_of
from traceloc.judging.prompts import Draft
from traceloc.judging.redaction import compile_patterns
from traceloc.judging.seats import Seat
from traceloc.judging.strategies import STRATEGIES
from traceloc.judging.view import CaseView
from traceloc.labels.recording import hash_content, name_system
from traceloc.trace import Trace

T = TypeVar("T")
LONGEST_WAIT = 60.0
"""Seconds: a provider that asks for more is not waited for."""
RETRY_WAIT = 1.0


@dataclass
class _Tally:
    """Counts of one trace while it is judged."""

    calls: int = 0
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    bound: int = 0
    most: int = 0
    over_budget: int = 0
    usd: float | None = 0.0
    waited: float = 0.0
    notes: dict[str, None] = field(default_factory=dict)


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
        tally = _Tally()
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
        cost = JudgeCost(
            calls=tally.calls,
            cached=tally.cached,
            input_tokens=tally.input_tokens,
            output_tokens=tally.output_tokens,
            bound=tally.bound,
            most=tally.most,
            over_budget=tally.over_budget,
            usd=tally.usd,
            seconds=tally.waited,
            own_seconds=view.own_seconds,
        )
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
        model, _ = self.options.ballots[0]
        view = CaseView(trace, confirmed_answer(trace, step), patterns=self._patterns)
        ask = _Question(self, self.seats[model], 0, _Tally(), view)
        return await ask_for_lesson(view, step, ask=ask, budget=self.options.budget)

    async def _vote(
        self,
        view: CaseView,
        hints: tuple[JudgeHint, ...],
        model: str,
        sample: int,
        content: str,
        tally: _Tally,
    ) -> Ballot:
        number = self.options.repeat * 1000 + sample
        seat = self.options.models.index(model)
        seed = hashlib.blake2b(f"{content} {seat} {number}".encode(), digest_size=8).hexdigest()
        case = Case(view, self.options, hints, seed)
        ask = _Question(self, self.seats[model], number, tally, view)
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


class _Question:
    """Asks one judge for one vote: cache, one retry, and the books."""

    def __init__(
        self, panel: Panel, seat: Seat, number: int, tally: _Tally, view: CaseView
    ) -> None:
        self._panel = panel
        self._view = view
        self._seat = seat
        self._number = number
        self._tally = tally
        self.rounds = 0

    async def __call__(self, draft: Draft, read: Callable[[JudgeReply], T]) -> T:
        self.rounds += 1
        attempt = 0
        try:
            reply = await self._answer(draft, attempt=0)
            # An answer that cannot be believed stays in the cache; the next one has another place.
            attempt = 1
            return self._read(reply, read)
        except JudgeError as error:
            wait = RETRY_WAIT if error.retry_after is None else error.retry_after
            if error.kind not in RETRIED or wait > LONGEST_WAIT:
                raise
            if error.kind in ("rate_limit", "server", "connection"):
                await self._sleep(wait)
        # The only retry there is: clients are told to make none of their own.
        return self._read(await self._answer(draft, attempt=attempt), read)

    def _read(self, reply: JudgeReply, read: Callable[[JudgeReply], T]) -> T:
        begun = time.thread_time()
        try:
            return read(reply)
        finally:
            self._view.own_seconds += time.thread_time() - begun

    async def _sleep(self, seconds: float) -> None:
        begun = time.perf_counter()
        await asyncio.sleep(seconds)
        self._tally.waited += time.perf_counter() - begun

    async def _answer(self, draft: Draft, *, attempt: int) -> JudgeReply:
        options, panel = self._panel.options, self._panel
        prompt = self._prompt(draft, attempt)
        judge = f"{self._seat.judge.name}/{getattr(self._seat.judge, 'version', '1')}"
        key = key_of(prompt, judge=judge)
        kept = panel.cache.get(key) if panel.cache is not None else None
        if kept is not None:
            self._tally.cached += 1
            self._count(draft, kept, paid=False)
            return kept
        if options.offline:
            raise JudgeError("offline", "the cache holds no answer to this question")
        begun = time.perf_counter()
        try:
            async with panel.gate:
                self._tally.calls += 1
                async with asyncio.timeout(options.timeout):
                    reply = await self._seat.judge.ask(prompt)
        except TimeoutError as error:
            raise JudgeError("timeout", f"no answer within {options.timeout:g} s") from error
        finally:
            self._tally.waited += time.perf_counter() - begun
        if panel.cache is not None:
            panel.cache.put(key, reply, judge=judge, model=self._seat.model)
        self._count(draft, reply, paid=True)
        return reply

    def _prompt(self, draft: Draft, attempt: int) -> JudgePrompt:
        options = self._panel.options
        return JudgePrompt(
            model=self._seat.name,
            url=options.url,
            system=draft.system,
            user=draft.user,
            answer_schema=draft.schema,
            form=_form_of(self._seat, options),
            max_output=draft.max_output,
            temperature=options.temperature,
            sample=self._number * 2 + attempt,
        )

    def _count(self, draft: Draft, reply: JudgeReply, *, paid: bool) -> None:
        tally = self._tally
        given = draft.bound - draft.max_output
        counted = given if reply.input_tokens is None else reply.input_tokens
        answered = reply.output_tokens or 0
        tally.input_tokens += counted
        tally.output_tokens += answered
        tally.bound += draft.bound
        tally.most = max(tally.most, draft.bound)
        if counted + answered > self._panel.options.budget:
            tally.over_budget += 1
            tally.notes[
                f"the provider counts {counted + answered} tokens, above the budget of "
                f"{self._panel.options.budget}"
            ] = None
        if not paid:
            return
        price = price_of(reply, model=self._seat.model, prices=self._panel.prices)
        tally.usd = None if price is None or tally.usd is None else tally.usd + price


def _form_of(seat: Seat, options: JudgeOptions) -> Any:
    if options.form != "auto":
        return options.form
    choose = getattr(seat.judge, "choose_form", None)
    return choose(seat.name, url=options.url) if choose is not None else "text"
