"""What judges said and cost, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from traceloc.judgement import Judgement
from traceloc.quoting import say_count
from traceloc.reporting.terminal import clip, one_line, wrap


class Account:
    """Adds up what judging a scan came to."""

    def __init__(self) -> None:
        self._answered = self._calls = self._cached = self._tokens = self._changed = 0
        self._failed: Counter[str] = Counter()
        self._usd: float | None = 0.0

    def add(self, judgement: Judgement | None) -> None:
        """Count one trace; ``None`` is one that was not judged."""
        if judgement is None:
            return
        if judgement.verdict is not None:
            self._answered += 1
            self._changed += judgement.verdict.step != judgement.ranked
        elif judgement.failure is not None:
            self._failed[judgement.failure.kind] += 1
        cost = judgement.cost
        self._calls += cost.calls
        self._cached += cost.cached
        self._tokens += cost.input_tokens + cost.output_tokens
        self._usd = None if cost.usd is None or self._usd is None else self._usd + cost.usd

    def lines(self, width: int) -> Iterator[str]:
        """A line or two; none where nothing was judged."""
        if not self._answered and not self._failed:
            return
        failed = ", ".join(f"{count} {kind}" for kind, count in sorted(self._failed.items()))
        words = f"judged: {self._answered} answered ({self._changed} unlike the ranker)"
        words += f", {sum(self._failed.values())} failed" + (f" ({failed})" if failed else "")
        words += f" · {say_count(self._calls, 'question')} sent, {self._cached} from the cache"
        words += f" · {say_count(self._tokens, 'token')}"
        if self._calls:  # what comes from the cache alone costs nothing, whatever it cost once
            words += f", ${self._usd:.4f}" if self._usd is not None else ", price unknown"
        yield from wrap(words, width)


def describe_judgement(judgement: Judgement, room: int) -> list[str]:
    """What the judges make of a trace, in one or two lines of at most ``room`` columns."""
    verdict, failure = judgement.verdict, judgement.failure
    votes = sum(ballot.verdict is not None for ballot in judgement.ballots)
    if verdict is None:
        kind = failure.kind if failure is not None else "unanswered"
        why = one_line(failure.message) if failure is not None else ""
        return [clip(f"no verdict, {kind}: {why}", room)]
    where = "no decisive error" if verdict.step is None else f"#{verdict.step}"
    with_it = sum(
        b.verdict is not None and b.verdict.step == verdict.step for b in judgement.ballots
    )
    if len(judgement.ballots) > 1:
        where += f" ({with_it} of {say_count(votes, 'vote')})"
    if verdict.step != judgement.ranked and judgement.ranked is not None:
        where += f", not #{judgement.ranked}"
    return [clip(f"{where}: {one_line(verdict.claim)}", room)]
