"""Judges and traces that the tests of judging share."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from traceloc import Attribution, Localizer, Trace
from traceloc.attribution import Window
from traceloc.judgement import JudgeError, JudgePrompt, JudgeReply
from traceloc.judging import JudgeOptions, Panel
from traceloc.judging.seats import Seat
from traceloc.ranking import RankingModel

Say = Callable[[JudgePrompt], Any]
T = TypeVar("T")


class FakeJudge:
    """Answers by a function: a reply, a text, a document, or an error to raise."""

    name = "fake"
    api_version = 1

    def __init__(self, say: Say) -> None:
        self._say = say
        self.prompts: list[JudgePrompt] = []

    async def ask(self, prompt: JudgePrompt) -> JudgeReply:
        self.prompts.append(prompt)
        said = self._say(prompt)
        if isinstance(said, Exception):
            raise said
        if isinstance(said, JudgeReply):
            return said
        text = said if isinstance(said, str) else json.dumps(said)
        return JudgeReply(text=text, input_tokens=1000, output_tokens=50)


def verdict(step: int | None, /, **more: Any) -> dict[str, Any]:
    """An answer that blames a step."""
    cites = [] if step is None else [step]
    claim = "Nothing went wrong." if step is None else f"At #{step} it goes wrong."
    base = {"claim": claim, "step": step, "agent": None, "category": None, "cites": cites}
    return base | {"alternative": None} | more


def shown_steps(prompt: JudgePrompt) -> dict[int, str]:
    """Steps of which a prompt shows something, with the first line of each."""
    found = re.findall(r"^(?:== turn \d+, .*: )?#(\d+) \w+.*\n(\|.*)?", prompt.user, re.MULTILINE)
    return {int(step): line for step, line in found}


def make_panel(judge: FakeJudge, *, models: tuple[str, ...] = ("fake",), **more: Any) -> Panel:
    """A panel of one judge under several names."""
    kept = {k: more.pop(k) for k in ("cache", "prices", "hints", "weights") if k in more}
    options = JudgeOptions(models, **more)
    return Panel(options, [Seat(model, judge, model) for model in models], **kept)


def judge_trace(panel: Panel, trace: Trace, attribution: Attribution | None = None) -> Attribution:
    """What comes of one trace."""
    return run_in(panel, panel.judge(trace, attribution or rank(trace)))


def run_in(panel: Panel, work: Coroutine[Any, Any, T]) -> T:
    """Run something to its end, and close the panel's connections."""

    async def run() -> T:
        try:
            return await work
        finally:
            await panel.close()

    return asyncio.run(run())


_LOCALIZER: list[Localizer] = []


def rank(trace: Trace) -> Attribution:
    """The ranker's answer with every candidate, and a window that leaves out no step."""
    if not _LOCALIZER:
        # Not the shipped model: what judges are told does not hang on its weights.
        _LOCALIZER.append(Localizer(RankingModel(name="plain"), top_k=200, coverage=0.9))
    found = _LOCALIZER[0].localize(trace)
    if not found.candidates:
        return found
    window = Window(first=0, last=len(trace.steps) - 1, coverage=0.9, n=50, pooled=True)
    return found.model_copy(update={"window": window})


def failing(kind: Any, **more: Any) -> Say:
    """A judge that never answers."""
    return lambda prompt: JudgeError(kind, "scripted", **more)
