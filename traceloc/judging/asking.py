"""Asks one judge: cache, one retry, and the books."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from traceloc.judgement import RETRIED, JudgeCost, JudgeError, JudgePrompt, JudgeReply
from traceloc.judging.cache import key_of
from traceloc.judging.options import JudgeOptions
from traceloc.judging.prices import price_of
from traceloc.judging.prompts import Draft
from traceloc.judging.seats import Seat
from traceloc.judging.view import CaseView

if TYPE_CHECKING:
    from traceloc.judging.panel import Panel

T = TypeVar("T")
LONGEST_WAIT = 60.0
"""Seconds: a provider that asks for more is not waited for."""
RETRY_WAIT = 1.0


@dataclass
class Tally:
    """Counts while judges are asked; what becomes a :class:`~traceloc.judgement.JudgeCost`."""

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

    def cost(self, own_seconds: float = 0.0) -> JudgeCost:
        """The counts as they are reported."""
        return JudgeCost(
            calls=self.calls,
            cached=self.cached,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            bound=self.bound,
            most=self.most,
            over_budget=self.over_budget,
            usd=self.usd,
            seconds=self.waited,
            own_seconds=own_seconds,
        )


class Question:
    """Asks one judge for one vote or one lesson.

    Args:
        panel: Its options, cache, prices and gate.
        seat: Who is asked.
        number: Of the sample; another number is another question to the cache.
        tally: Where it is counted.
        view: The trace it is about, for the time that takes.
    """

    def __init__(self, panel: Panel, seat: Seat, number: int, tally: Tally, view: CaseView) -> None:
        self._panel = panel
        self._view = view
        self._seat = seat
        self._number = number
        self._tally = tally
        self.rounds = 0

    async def __call__(self, draft: Draft, read: Callable[[JudgeReply], T]) -> T:
        """See :class:`~traceloc.judging.case.Ask`."""
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
