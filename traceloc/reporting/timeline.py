"""One trace as a timeline with suspicion, for people."""

from __future__ import annotations

from collections.abc import Iterator

from traceloc.attribution import Attribution
from traceloc.quoting import quote_step, say_count
from traceloc.report import ReportOptions
from traceloc.reporting.terminal import Paint, bar, clip, display_width, one_line, pad, pasteable
from traceloc.reporting.text import describe_answer, to_target
from traceloc.trace import Step, Trace

BAR_WIDTH = 8
MAX_AGENT_WIDTH = 18
LONG_TRACE = 60
"""Steps from which the quiet stretches of a trace are folded."""
SUSPECTS_SHOWN = 12
EDGE_STEPS = 3
"""Steps shown at both ends of a folded trace, and one on each side of a suspect."""


def render_timeline(
    trace: Trace, attribution: Attribution, *, options: ReportOptions, everything: bool = False
) -> Iterator[str]:
    """Yield the timeline of a trace, line by line.

    Args:
        trace: The trace.
        attribution: Its answer, with as many candidates as suspicion should be shown for.
        options: Width and colour.
        everything: Show the quiet stretches of a long trace too.
    """
    lines = Timeline(trace, attribution, options)
    for line in (*lines.heading(), "", *lines.steps(everything=everything), "", *lines.verdict()):
        yield to_target(line, options)


class Timeline:
    """Lines that show steps of one trace, aligned with each other."""

    def __init__(self, trace: Trace, attribution: Attribution, options: ReportOptions) -> None:
        self.trace = trace
        self.attribution = attribution
        self.options = options
        self.paint = Paint(options.color)
        self._weights = {c.step: c.probability for c in attribution.candidates}
        self._heaviest = max(self._weights.values(), default=0.0)
        names = {one_line(step.agent) for step in trace.steps}
        self._agent_width = min(MAX_AGENT_WIDTH, max(map(display_width, names), default=0))
        self._number_width = len(str(max(0, len(trace.steps) - 1))) + 1

    def heading(self) -> list[str]:
        """What the trace is, and what is known of it."""
        trace = self.trace
        facts = [trace.format + (f"/{trace.dialect}" if trace.dialect else "")]
        if trace.system:
            facts.append(trace.system)
        facts.append(say_count(len(trace.steps), "step"))
        if trace.outcome.status != "unknown":
            source = trace.outcome.source
            known = "" if source == "none" else f" (known from {source})"
            facts.append(trace.outcome.status + known)
        lines = [
            self.paint.bold(pasteable(trace.locator())),
            self.paint.dim(clip(one_line(" · ".join(facts)), self.options.width)),
        ]
        if trace.task:
            lines.append(clip(f"task: {one_line(trace.task)}", self.options.width))
        for label in trace.truth.labels if trace.truth else ():
            steps = [s.index for s in trace.steps if s.native_index == label.native_index]
            place = f"#{steps[0]}" if steps else "no step"
            why = f"{label.agent or ''} {label.reason or ''}"
            lines.append(clip(f"label: {place} {one_line(why)}".rstrip(), self.options.width))
        if self.attribution.answer is not None:
            ranked = None if self.attribution.top is None else self.attribution.top.step
            said = describe_answer(self.attribution.answer, ranked=ranked)
            lines.append(clip(f"said: {said}", self.options.width))
        return lines

    def steps(self, *, everything: bool) -> Iterator[str]:
        """The steps, quiet stretches of a long trace folded."""
        shown = self._shown(everything=everything)
        hidden = 0
        for step in self.trace.steps:
            if step.index not in shown:
                hidden += 1
                continue
            if hidden:
                yield self._fold(hidden)
            hidden = 0
            yield self.line(step)
        if hidden:
            yield self._fold(hidden)

    def line(self, step: Step) -> str:
        """One step: mark, number, suspicion, agent, words."""
        share = self._weights.get(step.index, 0.0) / self._heaviest if self._heaviest else 0.0
        number = f"{'#' + str(step.index):<{self._number_width}}"
        agent = pad(one_line(step.agent), self._agent_width)
        drawn = bar(share, width=BAR_WIDTH) if step.index in self._weights else " " * BAR_WIDTH
        used = 2 + self._number_width + 1 + BAR_WIDTH + 1 + self._agent_width + 2
        words = clip(self._words(step), self.options.width - used)
        mark = self._mark(step)
        is_top = self.attribution.top is not None and self.attribution.top.step == step.index
        agent = self.paint.red(agent) if is_top else agent
        colored = self.paint.cyan(number)
        return f"{mark} {colored} {self.paint.red(drawn)} {agent}  {words}"

    def verdict(self) -> list[str]:
        """What came of it, and what the marks mean."""
        found = self.attribution
        if found.top is not None:
            line = f"● decisive error #{found.top.step} {one_line(found.top.agent)}"
            if found.symptom is not None:
                line += f" · △ shows at #{found.symptom.step}"
        else:
            word = "abstained" if found.status == "abstained" else "not measured"
            line = f"{word}: {one_line(found.reason or 'no reason given')}"
        lines = [clip(line, self.options.width)]
        if any(step.error for step in self.trace.steps):
            lines[0] = clip(f"{line} · ✗ error", self.options.width)
        if found.top is not None:
            lines.append(self.paint.dim(f"look closer: traceloc show {pasteable(found.locator)}"))
        return lines

    def _mark(self, step: Step) -> str:
        found = self.attribution
        if found.top is not None and found.top.step == step.index:
            return self.paint.red("●")
        if found.symptom is not None and found.symptom.step == step.index:
            return self.paint.yellow("△")
        is_error = step.error is not None and step.error.kind != "control_flow"
        return self.paint.yellow("✗") if is_error else " "

    def _words(self, step: Step) -> str:
        return one_line(quote_step(step)) or f"({step.kind})"

    def _fold(self, count: int) -> str:
        return self.paint.dim(f"  … {say_count(count, 'step')}")

    def _shown(self, *, everything: bool) -> set[int]:
        n = len(self.trace.steps)
        if everything or n <= LONG_TRACE:
            return set(range(n))
        shown = {*range(EDGE_STEPS), *range(n - EDGE_STEPS, n)}
        near = [c.step for c in self.attribution.candidates[:SUSPECTS_SHOWN]]
        if self.attribution.symptom is not None:
            near.append(self.attribution.symptom.step)
        for step in near:
            shown.update((step - 1, step, step + 1))
        return shown
