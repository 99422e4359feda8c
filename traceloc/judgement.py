"""What is asked of a judge, what it answers, and what is kept of that: the shapes of judging.

A judge is an LLM that adjudicates between candidates. Whoever writes a judge plugin needs this
module and nothing else: it is given a :class:`JudgePrompt`, gives back a :class:`JudgeReply`, and
raises :class:`JudgeError` where there is no answer.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from traceloc.trace import Document

FailureKind = Literal[
    "refusal",
    "timeout",
    "rate_limit",
    "server",
    "connection",
    "rejected",
    "truncated",
    "invalid",
    "contradictory",
    "invented",
    "outside",
    "redaction",
    "budget",
    "offline",
    "unanswered",
    "crash",
]
"""``invented``: names a step that does not exist. ``outside``: one it was not asked about."""
RETRIED: frozenset[str] = frozenset(
    {"timeout", "rate_limit", "server", "connection", "truncated"}
    | {"invalid", "contradictory", "invented", "outside"}
)
"""Failures after which the same question may get an answer."""


class JudgePrompt(Document):
    """Everything that decides an answer; equal prompts are answered from the cache."""

    model: str
    """As the user names it, without the name of the plugin."""
    url: str | None = None
    """Base URL of an OpenAI-compatible endpoint, where one is meant."""
    system: str
    """Who the judge is, and the form of its answer."""
    user: str
    """The case: masked, fenced and within the budget."""
    answer_schema: dict[str, JsonValue] = Field(default_factory=dict)
    """JSON Schema of the answer."""
    form: Literal["text", "schema", "tool"] = "text"
    """How the model is held to it: by words, by the provider's JSON schema, or by a tool call."""
    max_output: int = 1024
    """Tokens the answer may have."""
    temperature: float | None = None
    """``None`` leaves it to the provider: some models take none."""
    sample: int = 0
    """Number of the repetition; another number is another question to the cache."""


class JudgeReply(Document):
    """What came back, as it came."""

    text: str
    finish: Literal["stop", "length", "refusal", "other"] = "stop"
    model: str | None = None
    """As the provider names it."""
    input_tokens: int | None = None
    """As the provider counts; ``None`` where it does not say."""
    output_tokens: int | None = None
    usd: float | None = None
    """What the provider or the plugin says it cost."""


class JudgeError(Exception):
    """There is no answer.

    Args:
        kind: What happened.
        message: In one line, without the prompt and without a key.
        retry_after: Seconds the provider asks to wait.
    """

    def __init__(
        self, kind: FailureKind, message: str, *, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind
        self.message = message
        self.retry_after = retry_after


class JudgeHint(Document):
    """What a past failure teaches a judge. Never where that failure's error was."""

    signature: str
    """The failing step in general terms."""
    questions: tuple[str, ...] = ()
    """That detect it."""
    category: str | None = None
    similarity: float | None = None
    """To what is judged, where the memory says so."""


class Verdict(Document):
    """A checked answer of a judge: what it blames exists, and its parts agree."""

    step: int | None
    """The decisive error step; ``None`` says that there is none."""
    agent: str | None = None
    """Who took that step, as the trace names it."""
    category: str | None = None
    """Name in MAST or AgentRx; ``None`` where it gave none or none that is known."""
    claim: str
    """Why, in its own words. Masked as what it read."""
    cites: tuple[int, ...] = ()
    """Steps that show it."""
    alternative: int | None = None
    """The step it weighed against."""


class JudgeFailure(Document):
    """Why there is no verdict; never a score."""

    kind: FailureKind
    message: str


class JudgeCost(Document):
    """What judging took."""

    calls: int = 0
    """Questions that were sent."""
    cached: int = 0
    """Questions answered from the cache."""
    input_tokens: int = 0
    """As the provider counts, else the bound."""
    output_tokens: int = 0
    bound: int = 0
    """Most tokens that prompts and answers could have had, by our own count."""
    most: int = 0
    """The largest such bound of one call; never above the budget."""
    over_budget: int = 0
    """Calls of which the provider counts more tokens than the budget."""
    usd: float | None = None
    """``None`` where the price is not known."""
    seconds: float = Field(default=0.0, exclude=True)
    """Waiting for answers; those from the cache took none. Not written down: the same run would
    come out otherwise each time."""
    own_seconds: float = Field(default=0.0, exclude=True)
    """Processor time of traceloc itself: masking, prompts, checks, combination. Not written."""


class Ballot(Document):
    """One vote: a verdict or a failure."""

    model: str
    sample: int = 0
    verdict: Verdict | None = None
    failure: JudgeFailure | None = None
    rounds: int = 1
    """Questions it took."""


class Judgement(Document):
    """What came of judging one trace, beside the ranker's answer."""

    strategy: str
    models: tuple[str, ...]
    ballots: tuple[Ballot, ...] = ()
    verdict: Verdict | None = None
    """The verdict that most weight stands behind; ``None`` where no judge answered."""
    failure: JudgeFailure | None = None
    """The first failure, where no judge answered."""
    ranked: int | None = None
    """Step the ranker alone puts first."""
    fitted: int = 0
    """Labelled traces the judge's weight rests on; 0 is the documented default."""
    notes: tuple[str, ...] = ()
    cost: JudgeCost = JudgeCost()

    @property
    def answered(self) -> bool:
        """Whether there is a verdict."""
        return self.verdict is not None
