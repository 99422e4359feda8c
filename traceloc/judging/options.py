"""How to judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Form = Literal["auto", "text", "schema", "tool"]
FORMS: tuple[Form, ...] = ("auto", "text", "schema", "tool")
STRATEGIES = (
    "all-at-once",
    "step-by-step",
    "binary-search",
    "candidates",
    "verify",
    "jury",
)
DEFAULT_STRATEGY = "candidates"
DEFAULT_BUDGET = 48_000
"""Tokens of one call by our bound: about half as many by a provider's count."""
SMALLEST_BUDGET = 4_000
"""Below it not even the rules, the task and a line a step have room."""
DEFAULT_COVERAGE = 0.9
"""Probability with which the steps that are judged hold the decisive one."""
MAX_CALLS = 200
"""Questions about one trace, at most: a bound for ``step-by-step`` on long ones."""


@dataclass(frozen=True)
class JudgeOptions:
    """How to judge; what decides an answer is part of the cache's key through the prompt."""

    models: tuple[str, ...]
    """As the user names them; several make a jury."""
    strategy: str = DEFAULT_STRATEGY
    budget: int = DEFAULT_BUDGET
    """Tokens of one call at most, prompt and answer together, by our bound."""
    url: str | None = None
    """Of an endpoint that speaks chat completions, instead of the provider's own."""
    offline: bool = False
    """Answer from the cache only."""
    votes: int | None = None
    """Samples of each model; ``None`` takes three for a jury of one model, else one."""
    concurrency: int = 8
    """Questions under way at the same time."""
    timeout: float = 120.0
    """Seconds for one answer."""
    form: Form = "auto"
    """How a model is held to the form of the answer; ``auto`` leaves it to the plugin."""
    temperature: float | None = None
    with_candidates: bool = True
    """Whether the judge is shown what the ranker found."""
    with_expected: bool = True
    """Whether it is shown the expected answer, where the trace gives one."""
    redact: tuple[str, ...] = ()
    """Regular expressions of what must not leave, beside the built-in ones."""
    repeat: int = 0
    """Number of the repetition, where the same is asked again to see whether it holds."""

    @property
    def ballots(self) -> tuple[tuple[str, int], ...]:
        """Model and sample of each vote."""
        if self.strategy != "jury" and self.votes is None:
            return ((self.models[0], 0),)
        count = self.votes or (3 if len(self.models) == 1 else 1)
        return tuple((model, sample) for model in self.models for sample in range(count))
