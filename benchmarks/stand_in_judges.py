"""What answers for an LLM in the benchmark of judging: right mostly, wrong always, or faulty."""

from __future__ import annotations

import hashlib
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from traceloc.evaluation.judges import Ranked
from traceloc.judging.endpoint import ChatAnswer, ChatRequest
from traceloc.judging.view import CaseView
from traceloc.trace import Step

RIGHT = 0.7
FAULTS = ("429", "500", "slow", "cut", "malformed", "refusal", "drop")
FAULT_SHARE = 0.05
SLOW_TIMEOUT = 1.5


class LabelledAnswers:
    """Answers from the labels; which trace a question is about is read off its task."""

    def __init__(self, ranked: Sequence[Ranked], choose: Callable[..., int]) -> None:
        self._ranked = ranked
        self._choose = choose

    def __call__(self, request: ChatRequest) -> ChatAnswer:
        """The answer to one question."""
        number = int(re.findall(r"^\| case-number (\d+)", request.user, re.MULTILINE)[0])
        each = self._ranked[number]
        found = re.findall(r"Which step from #(\d+) to #(\d+)", request.user)
        first, last = map(int, found[0]) if found else _window_of(each)
        possible = [c.step for c in each.attribution.candidates if first <= c.step <= last] or [
            first
        ]
        right = [s.index for s in labelled_steps(each) if first <= s.index <= last]
        rng = random.Random(f"answer {number}")
        step = self._choose(each, possible, right, rng)
        return ChatAnswer(_say(step))


def number_cases(ranked: Sequence[Ranked]) -> list[Ranked]:
    """The same with a number in each task, by which :class:`LabelledAnswers` knows the trace."""
    return [
        each._replace(
            item=replace(
                each.item,
                trace=each.item.trace.model_copy(
                    update={"task": f"case-number {i}\n{each.item.trace.task or ''}"}
                ),
            )
        )
        for i, each in enumerate(ranked)
    ]


def _window_of(each: Ranked) -> tuple[int, int]:
    """The window a question is about that names one step only."""
    return CaseView(each.item.trace, each.attribution).window


def _say(step: int) -> str:
    answer = {"claim": f"At #{step} it goes wrong.", "step": step, "agent": None}
    return json.dumps(answer | {"category": None, "cites": [step], "alternative": None})


def right_mostly(each: Ranked, possible: list[int], right: list[int], rng: random.Random) -> int:
    """The label seven times in ten; else, or where it is not asked about, any other candidate."""
    wrong = [step for step in possible if step not in right] or possible
    return right[0] if right and rng.random() < RIGHT else rng.choice(wrong)


def always_wrong(each: Ranked, possible: list[int], right: list[int], rng: random.Random) -> int:
    """What the ranker finds the likeliest of all wrong ones: the hardest to see through."""
    return next((step for step in possible if step not in right), possible[0])


def say_any(request: ChatRequest) -> str:
    """The first step that is asked about."""
    found = re.findall(r"Which step (?:from )?\(?#(\d+)", request.user)
    return _say(int(found[0]))


class Faulty:
    """Answers, or fails in one of seven ways, a twentieth of the questions each."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, request: ChatRequest) -> ChatAnswer:
        """An answer or a failure, the same for the same try."""
        digest = hashlib.blake2b(request.user.encode(), digest_size=8).hexdigest()
        with self._lock:
            attempt = self.asked[digest]
            self.asked[digest] += 1
        draw = random.Random(f"{digest} {attempt}").random()
        kind = FAULTS[int(draw / FAULT_SHARE)] if draw < FAULT_SHARE * len(FAULTS) else "fine"
        with self._lock:
            self.counts[kind] += 1
        text = say_any(request)
        return {
            "429": ChatAnswer("slow down", status=429, retry_after=0.05),
            "500": ChatAnswer("oops", status=500),
            "slow": ChatAnswer(text, delay=2 * SLOW_TIMEOUT),
            "cut": ChatAnswer(text, fault="cut"),
            "malformed": ChatAnswer(text, fault="malformed"),
            "refusal": ChatAnswer(refusal="I will not."),
            "drop": ChatAnswer(text, fault="drop"),
        }.get(kind, ChatAnswer(text))


def labelled_steps(each: Ranked) -> list[Step]:
    """The steps of a trace that carry a label."""
    return [s for s in each.item.trace.steps if s.native_index in each.labels]
