"""What localization answers: ranked candidates with evidence, or a reason for silence."""

from __future__ import annotations

from typing import Literal

from traceloc.judgement import Judgement
from traceloc.trace import Diagnostic, Document, StepKind


class Citation(Document):
    """A place in the trace that a claim rests on."""

    step: int
    start: int | None = None
    """First character in the step's text, where a passage is meant."""
    end: int | None = None
    quote: str = ""
    """At most 160 characters of that passage."""


class Evidence(Document):
    """A typed claim about one step, and the places that show it."""

    signal: str
    """``family.feature`` that fired, such as ``grounding.unsourced_numbers``."""
    claim: str
    """One sentence a reader can check."""
    cites: tuple[Citation, ...]
    """Never empty: a claim that cites nothing is no evidence."""
    value: float = 0.0
    """What the signal measured."""
    contribution: float = 0.0
    """Log-odds it adds to the step, against an average step of this trace."""
    fault: bool = False
    """Whether the claim names something wrong with the step, not only its place or kind."""


class Candidate(Document):
    """One step that may be the decisive error."""

    rank: int
    """1 is the most suspicious; equal scores go to the earlier step."""
    step: int
    native_index: int
    agent: str
    kind: StepKind | None = None
    """What kind of step it is."""
    quote: str = ""
    """What was said or called in it, on one line of at most 200 characters."""
    score: float
    """Sum of the weighted signals, in log-odds up to a constant of the trace."""
    probability: float
    """Softmax of the scores within the trace; show it only where ``calibrated`` says so."""
    evidence: tuple[Evidence, ...] = ()
    """Only claims that speak for this step; strongest first, where what names a fault counts more
    than what only says where the step stands or what it is."""


class AgentShare(Document):
    """How much of the suspicion falls on one agent: the sum over its steps."""

    agent: str
    probability: float


class FailureCategory(Document):
    """What kind of mistake a step is, in the names of one taxonomy or of both."""

    mast: str | None = None
    """Name in MAST; ``None`` where it has none for this."""
    agentrx: str | None = None
    """Name in AgentRx, likewise."""
    score: float
    """Sum of the rules that speak for it; comparable within a trace only."""
    evidence: Evidence


class Symptom(Document):
    """Where the failure first shows, as against where it began."""

    step: int
    claim: str


class Window(Document):
    """A contiguous stretch of steps that holds the decisive error as often as was asked.

    That is a promise about runs like those it was calibrated on, not about any run.
    """

    first: int
    """Index of the first step."""
    last: int
    """Index of the last step, inclusive."""
    coverage: float
    """Probability asked for."""
    n: int
    """Labelled traces it was calibrated on."""
    pooled: bool
    """Whether they come from several systems, because this one has too few."""


class GivenAnswer(Document):
    """What people said of this very trace, wherever its file lies."""

    step: int | None = None
    """The decisive error by the newest label or confirmation; ``None`` where steps were rejected
    only."""
    agent: str | None = None
    category: str | None = None
    said: Literal["label", "confirm"] | None = None
    who: str | None = None
    """Who said so."""
    rejected: tuple[int, ...] = ()
    """Steps of which somebody said that they are not it."""


class Attribution(Document):
    """The answer for one trace."""

    trace_id: str
    locator: str
    """``path#step`` of rank 1, or of the trace where nothing is blamed."""
    system: str | None = None
    format: str = ""
    status: Literal["located", "abstained", "unmeasured"]
    """``abstained``: looked and found nothing decisive. ``unmeasured``: could not look."""
    silence: Literal["innocent", "novel", "ambiguous"] | None = None
    """Why it abstained: nothing was found; or it could not tell, because the run is unlike all the
    model has learned from, or because no step stands out."""
    reason: str | None = None
    """Why it abstained or could not measure."""
    candidates: tuple[Candidate, ...] = ()
    """Ranked and cut to what was asked for; kept on abstention too, as what was weighed."""
    agents: tuple[AgentShare, ...] = ()
    symptom: Symptom | None = None
    """``None`` where nothing after rank 1 shows that anything is wrong."""
    category: FailureCategory | None = None
    """Of rank 1; ``None`` where traceloc does not know."""
    window: Window | None = None
    """Where a coverage was asked for and the model has the traces to promise it."""
    recalled: tuple[Evidence, ...] = ()
    """Remembered failures that steps of the run look like, candidates or not, most similar first;
    they have a say in the ranking only where that has proved to help."""
    outcome: Literal["passed", "failed"] | None = None
    """How the run ended by its own log, where the log says it; no part of the ranking."""
    answer: GivenAnswer | None = None
    """What people said of the trace, where they did; the ranking learns from it and may differ."""
    learned_from: int = 0
    """Labels of its system that moved the weights."""
    n_steps: int = 0
    n_candidates: int = 0
    p_no_error: float = 0.0
    """Weight of the candidate "no decisive error here"."""
    calibrated: bool = False
    """Whether probabilities were calibrated for this system."""
    model: str = ""
    """Name of the ranking model."""
    judgement: Judgement | None = None
    """What judges said, where they were asked; the ranking above is then that of both together."""
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def top(self) -> Candidate | None:
        """Rank 1, or ``None`` where nothing is blamed."""
        return self.candidates[0] if self.status == "located" and self.candidates else None
