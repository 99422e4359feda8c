"""What a judge may see of a trace: masked, made harmless, fenced, and cut where it must be."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from traceloc.attribution import Attribution, Candidate
from traceloc.graph import TraceGraph
from traceloc.judging.redaction import LONGEST, Pattern, Redactor
from traceloc.judging.tokens import bound_tokens
from traceloc.trace import Step, Trace

MARGIN = 160
"""Characters kept around what a signal points at."""
MAX_CALLS = 4
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_BLANK_RUNS = re.compile(r"[ \t]{3,}")
_EMPTY_LINES = re.compile(r"\n\s*\n\s*\n+")


class Shown(NamedTuple):
    """The lines of a step as they stand in a prompt."""

    text: str
    cut: int
    """Characters left out."""


class CaseView:
    """One trace as judges see it. Texts are masked when they are first needed.

    Args:
        trace: The run; its truth is read by nobody but :attr:`expected`.
        attribution: The ranker's answer, with every candidate it weighed.
        patterns: Patterns of the user to mask beside the built-in ones.
    """

    def __init__(
        self, trace: Trace, attribution: Attribution, *, patterns: tuple[Pattern, ...] = ()
    ) -> None:
        self.trace = trace
        self.graph = TraceGraph(trace)
        self.attribution = attribution
        self.steps: tuple[Step, ...] = trace.steps
        self.redactor = Redactor(patterns)
        self.own_seconds = 0.0
        """Processor time for prompts and answers of this trace."""
        self._texts: dict[int, str] = {}
        self._names: dict[str, str] = {}
        self._bounds: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.steps)

    @cached_property
    def suspects(self) -> tuple[Candidate, ...]:
        """The ranker's candidates by rank."""
        return self.attribution.candidates

    @cached_property
    def places(self) -> dict[int, Candidate]:
        """Candidates by step."""
        return {each.step: each for each in self.suspects}

    @cached_property
    def blamable(self) -> list[int]:
        """Steps that may be blamed, in order: the candidates, or of very many all that acted."""
        if len(self.places) >= self.attribution.n_candidates:
            return sorted(self.places)
        return [step.index for step in self.steps if self.graph.is_acting[step.index]]

    @cached_property
    def window(self) -> tuple[int, int]:
        """First and last step of the ranker's conformal window; the whole trace where it has none.

        Without labelled runs to promise a coverage there is no window; then the fewest contiguous
        candidates that hold nine tenths of the probability are taken.
        """
        window = self.attribution.window
        if window is not None:
            return window.first, window.last
        if not self.suspects:
            return 0, max(len(self) - 1, 0)
        return _densest(self.suspects, share=0.9)

    @cached_property
    def fence(self) -> str:
        """A mark that the trace cannot contain: a digest over all of it."""
        found = hashlib.blake2b(digest_size=6)
        for step in self.steps:
            said = (step.agent, step.text, step.reasoning, step.tool_calls, step.error)
            found.update(repr(said).encode("utf-8", "replace"))
        found.update(repr((self.trace.task, self.expected)).encode("utf-8", "replace"))
        return found.hexdigest()

    def name(self, agent: str) -> str:
        """An agent's name, masked, on one line of at most 60 characters."""
        if agent not in self._names:
            self._names[agent] = " ".join(tame(self.redactor.mask(agent[:200])).split())[:60] or "?"
        return self._names[agent]

    def text(self, index: int) -> str:
        """All that a step says and calls, masked and harmless."""
        if index not in self._texts:
            self._texts[index] = tame(self.redactor.mask(_raw(self.steps[index])))
        return self._texts[index]

    def bound(self, index: int) -> int:
        """Tokens of the whole text of a step."""
        if index not in self._bounds:
            self._bounds[index] = bound_tokens(self.text(index))
        return self._bounds[index]

    def mask(self, text: str) -> str:
        """Words that are not those of one step, masked and harmless."""
        return tame(self.redactor.mask(text[:LONGEST]))

    @property
    def task(self) -> str:
        """What was asked for; empty where the trace does not say."""
        return self.mask(self.trace.task or "")

    @property
    def expected(self) -> str:
        """The reference answer, where the trace gives one; empty where not."""
        truth = self.trace.truth
        if truth is None or truth.expected in (None, "", [], {}):
            return ""
        value = truth.expected
        return self.mask(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))

    def show(self, index: int, allowance: int) -> Shown:
        """At most ``allowance`` characters of a step, kept around what the signals point at."""
        text = self.text(index)
        if len(text) <= allowance:
            return Shown(text, 0)
        kept = cut_around(text, self._points(index, text), allowance)
        return Shown(kept, len(text) - len(kept))

    def _points(self, index: int, text: str) -> list[int]:
        """Places in a masked text that evidence quotes: quotes survive masking, offsets do not."""
        quotes = [
            cite.quote
            for candidate in self.suspects[:12]
            for evidence in candidate.evidence
            for cite in evidence.cites
            if cite.step == index and cite.quote
        ]
        places = (text.find(tame(self.redactor.mask(quote))[:60]) for quote in quotes[:8])
        return sorted({place for place in places if place >= 0})


def tame(text: str) -> str:
    """``text`` without what a terminal or a chat template would take for an order."""
    text = _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if "<|" in text or "|>" in text:
        text = text.replace("<|", "< |").replace("|>", "| >")
    text = _BLANK_RUNS.sub("  ", text)
    return _EMPTY_LINES.sub("\n\n", text).strip()


def cut_around(text: str, points: Sequence[int], allowance: int) -> str:
    """Head, tail and the surroundings of some places, with each gap stated."""
    if allowance < 80 or not text:
        return text[: max(allowance - 1, 0)].rstrip() + "…"
    inside = [p for p in points if p > allowance // 4][:3]
    around = min(MARGIN, allowance // (4 * len(inside))) if inside else 0
    spans = [(max(p - around // 2, 0), p + around) for p in inside]
    rest = max(allowance - sum(end - begin for begin, end in spans) - 24 * (len(spans) + 1), 40)
    # A mistake is mostly in what is said first or concluded last.
    spans = [(0, rest * 2 // 3), *spans, (max(len(text) - rest // 3, 0), len(text))]
    pieces, reached = [], 0
    for begin, end in sorted(spans):
        begin, end = max(begin, reached), min(end, len(text))
        if end <= begin:
            continue
        if begin > reached:
            pieces.append(f" […{begin - reached} cut…] ")
        pieces.append(text[begin:end])
        reached = end
    return "".join(pieces)


def _raw(step: Step) -> str:
    """Words, reasoning and calls of a step; what is beyond any use is cut before it is masked."""
    parts = []
    if step.reasoning:
        parts.append(f"(thinks) {step.reasoning}")
    if step.text:
        parts.append(step.text)
    for call in step.tool_calls[:MAX_CALLS]:
        arguments = call.arguments
        if arguments is not None and not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        parts.append(f"(calls) {call.name}({arguments or ''})")
    if len(step.tool_calls) > MAX_CALLS:
        parts.append(f"(and {len(step.tool_calls) - MAX_CALLS} more calls)")
    if step.error is not None and step.error.message[:200] not in step.text:
        parts.append(f"(error) {step.error.message}")
    text = "\n".join(parts)
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    head, tail = text[:half], text[-half:]
    # A secret that the cut goes through would match no pattern: its pieces go too.
    head = head[: max(head.rfind(" "), head.rfind("\n"), 0)]
    tail = tail[min((i for i in (tail.find(" "), tail.find("\n")) if i >= 0), default=len(tail)) :]
    if "-----END" in tail and "-----BEGIN" not in tail[: tail.find("-----END")]:
        tail = tail[tail.find("-----END") :]
    return f"{head} […{len(text) - len(head) - len(tail)} cut…] {tail}"


def _densest(suspects: Sequence[Candidate], *, share: float) -> tuple[int, int]:
    """The shortest run of candidates with a share of the probability; the earlier of equals."""
    ordered = sorted(suspects, key=lambda each: each.step)
    total = sum(each.probability for each in ordered)
    best, low, held = (ordered[0].step, ordered[-1].step, len(ordered)), 0, 0.0
    for high, each in enumerate(ordered):
        held += each.probability
        while held - ordered[low].probability >= share * total:
            held -= ordered[low].probability
            low += 1
        if held >= share * total and high - low + 1 < best[2]:
            best = ordered[low].step, each.step, high - low + 1
    return best[0], best[1]
