"""Text for people: what broke each run, who did it, what shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from traceloc.attribution import (
    AgentShare,
    Attribution,
    Candidate,
    Citation,
    Evidence,
    FailureCategory,
    GivenAnswer,
    Window,
)
from traceloc.quoting import say_count
from traceloc.report import Report, ReportOptions, Summary
from traceloc.reporting.judging import Account, describe_judgement
from traceloc.reporting.terminal import (
    Paint,
    bar,
    clip,
    display_width,
    one_line,
    pad,
    pasteable,
    wrap,
)

INDENT = "  "
BULLET = "· "
LABEL_WIDTH = 8
"""Columns of the words ``why``, ``shows``, ``next`` and ``agents``."""
BAR_WIDTH = 8
QUOTE_WIDTH = 44
CITES_SHOWN = 3
CITE_WIDTH = 9
"""Columns of a citation without its words: ``#1234 “”, ``."""
MIN_WIDTH = 40
AGENTS_SHOWN = 4
RECALLED_SHOWN = 2

CLEAR_LEAD, SOME_LEAD = 3.0, 1.5
"""How many times the weight of the runner-up makes a lead clear, or a lead at all."""

_ASCII = str.maketrans(
    {"●": "*", "○": "o", "◌": "?", "△": "^", "✗": "x", "│": "|"}
    | {"“": '"', "”": '"', "·": "-", "\N{EN DASH}": "-", "…": "~", "→": ">"}
    | dict.fromkeys("▏▎▍▌▋▊▉█", "#")
)


_LEFT_OUT = ("failed", "skipped")
"""Kinds of diagnostics that tell of something the answer does without."""


class TextReporter:
    """A block for each trace and a last line that counts."""

    name = "text"
    api_version = 1

    def render(self, report: Report, *, options: ReportOptions) -> Iterator[str]:
        """Yield one block for each trace as it comes, then the summary."""
        layout = _Layout(options)
        blamed: Counter[str] = Counter()
        first: str | None = None
        learned: dict[str, int] = {}
        account = Account()
        for attribution in report:
            account.add(attribution.judgement)
            if attribution.learned_from:
                learned[attribution.system or attribution.format] = attribution.learned_from
            if attribution.top is not None:
                blamed[attribution.top.agent] += 1
                first = first or attribution.locator
            yield layout.finish([*layout.block(attribution), ""])
        yield layout.finish(
            [*account.lines(layout.width), *layout.footer(report.summary, blamed, learned, first)]
        )


class _Layout:
    def __init__(self, options: ReportOptions) -> None:
        self.width = max(MIN_WIDTH, options.width)
        self.paint = Paint(options.color)
        self.options = options
        self.details = options.details

    def finish(self, lines: Sequence[str]) -> str:
        return "".join(to_target(line, self.options) for line in lines)

    def block(self, attribution: Attribution) -> list[str]:
        top = attribution.top
        if top is not None:
            return list(self._located(attribution, top))
        return list(self._silent(attribution))

    def _located(self, attribution: Attribution, top: Candidate) -> Iterator[str]:
        paint = self.paint
        locator = pasteable(attribution.locator)
        yield f"{paint.red('●')} {paint.bold(locator)}"
        yield INDENT + self._who(attribution, top)
        if top.quote:
            quote = clip(one_line(top.quote), self.width - len(INDENT) - 2)
            yield f"{INDENT}“{quote}”"
        if attribution.answer is not None:
            yield from self._labelled("said", self._said(attribution.answer, top.step))
        for number, evidence in enumerate(top.evidence[: self.details]):
            yield from self._labelled(
                "why" if number == 0 else "",
                evidence_lines(evidence, room=self._room, color=self.paint.on),
            )
        if attribution.symptom is not None:
            symptom = attribution.symptom
            lines = wrap(f"#{symptom.step}: {one_line(symptom.claim)}", self._room)
            yield from self._labelled("shows", lines[:2])
        if attribution.category is not None:
            yield from self._labelled("kind", [self._kind(attribution.category)])
        if attribution.judgement is not None:
            yield from self._labelled(
                "judge", describe_judgement(attribution.judgement, self._room)
            )
        if attribution.window is not None:
            yield from self._labelled("look at", [describe_window(attribution.window)])
        for number, other in enumerate(attribution.candidates[1:]):
            line = self._candidate(other, top, attribution.candidates)
            yield from self._labelled("next" if number == 0 else "", [line])
        if len(attribution.agents) > 1:
            lines = [self._agents(attribution), *self._beside(attribution.agents[0], top)]
            yield from self._labelled("agents", lines)
        yield from self._recalled(attribution, shown=top.step)
        yield from self._notes(attribution)

    def _silent(self, attribution: Attribution) -> Iterator[str]:
        paint = self.paint
        locator = paint.bold(pasteable(attribution.locator))
        if attribution.status == "abstained":
            yield f"{paint.green('○')} {locator}"
            words = f"abstained: {one_line(attribution.reason or 'no step stands out')}"
        else:
            yield f"{paint.yellow('◌')} {locator}"
            words = f"not measured: {one_line(attribution.reason or 'no reason given')}"
        for line in wrap(words, self.width - len(INDENT))[:3]:
            yield INDENT + line
        if attribution.answer is not None:
            yield from self._labelled("said", self._said(attribution.answer, None))
        if attribution.judgement is not None:
            yield from self._labelled(
                "judge", describe_judgement(attribution.judgement, self._room)
            )
        if attribution.status == "abstained" and attribution.candidates:
            weighed = ", ".join(f"#{c.step} {one_line(c.agent)}" for c in attribution.candidates)
            yield from self._labelled("weighed", [paint.dim(clip(weighed, self._room))])
        yield from self._recalled(attribution, shown=None)

    def _said(self, answer: GivenAnswer, ranked: int | None) -> list[str]:
        return [clip(describe_answer(answer, ranked=ranked), self._room)]

    def _recalled(self, attribution: Attribution, *, shown: int | None) -> Iterator[str]:
        """Remembered failures that other steps than rank 1 look like; its own stands in why."""
        others = [each for each in attribution.recalled if each.cites[0].step != shown]
        for number, each in enumerate(others[:RECALLED_SHOWN]):
            words = f"#{each.cites[0].step} {one_line(each.claim)}"
            yield from self._labelled("seen" if number == 0 else "", wrap(words, self._room)[:2])

    def _notes(self, attribution: Attribution) -> Iterator[str]:
        """What could not be measured: an answer without it may be another one."""
        skipped = [note.message for note in attribution.diagnostics if note.kind in _LEFT_OUT]
        if skipped:
            more = f" (and {len(skipped) - 1} more)" if len(skipped) > 1 else ""
            words = clip(one_line(skipped[0]), self._room - len(more)) + more
            yield from self._labelled("without", [self.paint.yellow(words)])

    def _who(self, attribution: Attribution, top: Candidate) -> str:
        last = max(attribution.n_steps - 1, top.step)
        facts = [top.kind or "step", f"#{top.step} of #0 to #{last}"]
        facts.append(_lead(attribution))
        if attribution.outcome == "passed":
            facts.append("but the run passed")
        rest = " · ".join(facts)
        room = self.width - len(INDENT) - 3
        rest = clip(rest, room - 12)
        agent = clip(one_line(top.agent), room - display_width(rest))
        return f"{self.paint.red(agent)}{self.paint.dim(' · ' + rest)}"

    def _kind(self, category: FailureCategory) -> str:
        names = [
            f"{name} ({taxonomy})"
            for name, taxonomy in ((category.agentrx, "AgentRx"), (category.mast, "MAST"))
            if name
        ]
        return clip(f"{', '.join(names)}: {one_line(category.evidence.claim)}", self._room)

    @property
    def _room(self) -> int:
        return self.width - len(INDENT) - LABEL_WIDTH

    def _labelled(self, label: str, lines: Sequence[str]) -> Iterator[str]:
        for number, line in enumerate(lines):
            word = f"{label if number == 0 else '':<{LABEL_WIDTH}}"
            yield f"{INDENT}{self.paint.dim(word) if word.strip() else word}{line}"

    def _candidate(self, candidate: Candidate, top: Candidate, ranked: Sequence[Candidate]) -> str:
        number_width = max(len(str(c.step)) for c in ranked) + 2
        name_width = min(18, max(display_width(one_line(c.agent)) for c in ranked[1:]))
        share = candidate.probability / top.probability if top.probability > 0 else 0.0
        head = self.paint.cyan(f"{'#' + str(candidate.step):<{number_width}}")
        name = pad(one_line(candidate.agent), name_width)
        why = candidate.evidence[0].claim if candidate.evidence else ""
        words = (
            one_line(why) if why else f"“{one_line(candidate.quote)}”" if candidate.quote else ""
        )
        left = self._room - number_width - name_width - BAR_WIDTH - 4
        return f"{head}{name}  {bar(share, width=BAR_WIDTH)}  {clip(words, left)}"

    def _agents(self, attribution: Attribution) -> str:
        pieces: list[str] = []
        room = self._room
        for share in attribution.agents[:AGENTS_SHOWN]:
            drawn = bar(share.probability, width=BAR_WIDTH).rstrip()
            piece = f"{clip(one_line(share.agent), 24)} {drawn}"
            room -= display_width(piece) + 3
            if room < 0 and pieces:
                break
            pieces.append(piece)
        return " · ".join(pieces)

    def _beside(self, share: AgentShare, top: Candidate) -> Iterator[str]:
        """Why the agent with most of the suspicion is not the one of rank 1, where it is not."""
        if share.agent != top.agent:
            one = clip(one_line(share.agent), 24)
            words = f"{one}: most in all, spread over its steps; none weighs as much as #{top.step}"
            yield self.paint.dim(clip(words, self._room))

    def footer(
        self,
        summary: Summary,
        blamed: Counter[str],
        learned: Mapping[str, int],
        first: str | None,
    ) -> list[str]:
        lines = []
        if learned:
            words = f"weights moved by {say_count(sum(learned.values()), 'label')}"
            each = ", ".join(f"{one_line(name)} {n}" for name, n in sorted(learned.items()))
            lines.append(clip(f"{words}: {each}", self.width))
        if summary.located > 1:
            ranked = sorted(blamed.items(), key=lambda pair: (-pair[1], pair[0]))
            names = ", ".join(f"{one_line(agent)} {_times(count)}" for agent, count in ranked[:6])
            lines.append(clip(f"blamed: {names}", self.width))
        lines.append(summarize(summary))  # never broken: scripts look for this line
        if first is not None:
            lines.append(self.paint.dim(f"look closer: traceloc show {pasteable(first)}"))
        return lines


def summarize(summary: Summary) -> str:
    """The counts of a scan in one line."""
    ends = [f"{summary.located} located", f"{summary.abstained} abstained"]
    if summary.unmeasured:
        ends.append(f"{summary.unmeasured} not measured")
    if summary.acquitted:
        ends[0] += f" ({summary.acquitted} where the run passed by its own log)"
    if summary.passed:
        ends.append(f"{summary.passed} passed and left out")
    files = [f"{say_count(summary.unreadable, 'file')} unreadable"]
    if summary.damaged:
        files.append(f"{summary.damaged} damaged")
    if summary.ignored:
        files.append(f"{summary.ignored} ignored")
    return f"{say_count(summary.read, 'trace')} read: {', '.join(ends)} · {', '.join(files)}"


def describe_answer(answer: GivenAnswer, *, ranked: int | None) -> str:
    """What people said of a trace: ``#3 Planner (loop), labelled by ann; not #13``."""
    words = []
    if answer.step is not None:
        category = f" ({one_line(answer.category)})" if answer.category else ""
        done = "confirmed" if answer.said == "confirm" else "labelled"
        words.append(
            f"#{answer.step} {one_line(answer.agent or '')}{category}, "
            f"{done} by {one_line(answer.who or 'somebody')}"
        )
    wrong = set(answer.rejected)
    if answer.step is not None and ranked not in (None, answer.step):
        wrong.add(ranked)
    if wrong:
        words.append(f"not {', '.join(f'#{step}' for step in sorted(wrong))}")
    return "; ".join(words)


def describe_window(window: Window) -> str:
    """A window of steps in a few words, such as "#12 to #19 (9 in 10)", with a dash between."""
    chance = Fraction(window.coverage).limit_denominator(100)
    span = f"#{window.first}"
    if window.last > window.first:
        span += f"\N{EN DASH}#{window.last}"
    runs = say_count(window.n, "labelled run")
    runs += " of several systems" if window.pooled else " of this system"
    return f"{span} ({chance.numerator} in {chance.denominator}, by {runs})"


def _times(count: int) -> str:
    return "once" if count == 1 else say_count(count, "time")


def _lead(attribution: Attribution) -> str:
    """How far rank 1 is ahead, in words unless the numbers are calibrated."""
    top = attribution.candidates[0]
    if attribution.calibrated:
        # Checked on failed runs: what share of those in which it is rank 1 it broke.
        return f"{top.probability / max(1.0 - attribution.p_no_error, 1e-9):.0%} likely"
    if len(attribution.candidates) < 2:
        return "ahead of all others" if attribution.n_candidates > 1 else "the only candidate"
    second = attribution.candidates[1].probability
    if top.probability >= CLEAR_LEAD * second:
        return "clear lead"
    return "some lead" if top.probability >= SOME_LEAD * second else "close call"


def to_target(line: str, options: ReportOptions) -> str:
    """A finished line as the target can show it."""
    line = line.rstrip() + "\n"
    if options.unicode:
        return line
    return line.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def evidence_lines(evidence: Evidence, *, room: int, color: bool) -> list[str]:
    """A claim, with its citations behind it where they fit and on a line below where not."""
    paint = Paint(color)
    room -= len(BULLET)
    claim = wrap(one_line(evidence.claim), room)[:3]
    cited = evidence.cites[:CITES_SHOWN]
    cites = ", ".join(_cite(cite, QUOTE_WIDTH) for cite in cited)
    if display_width(claim[-1]) + 2 + display_width(cites) <= room:
        lines = [*claim[:-1], f"{claim[-1]}  {paint.cyan(cites)}"]
    else:
        quoted = sum(bool(cite.quote) for cite in cited)
        each = max(QUOTE_WIDTH // 2, (room - CITE_WIDTH * len(cited)) // max(1, quoted))
        cites = ", ".join(_cite(cite, each) for cite in cited)
        lines = [*claim, paint.cyan(clip(cites, room))]
    return [(BULLET if i == 0 else " " * len(BULLET)) + line for i, line in enumerate(lines)]


def _cite(cite: Citation, width: int) -> str:
    quote = clip(one_line(cite.quote), width)
    return f"#{cite.step} “{quote}”" if quote else f"#{cite.step}"
