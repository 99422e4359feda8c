"""What the kit gives a reporter to render: plain answers, silent ones, problems, hostile words."""

from __future__ import annotations

from functools import lru_cache

from traceloc.attribution import (
    AgentShare,
    Attribution,
    Candidate,
    Citation,
    Evidence,
    FailureCategory,
    Symptom,
    Window,
)
from traceloc.report import IgnoredFile, Item, Passed, Problem
from traceloc.trace import Diagnostic

HOSTILE = (
    "a\x1b[31mred\x1b]0;title\x07 \x9b2J \x00 \x08 \x7f \r\u202etxt.exe\u2066 \u200b\ufeff "
    "[/bold][link=x] {0} %s ${y} </script><script>alert(1)</script> <img src=x onerror=alert(1)> "
    "&lt; \"quoted\" 'single' ]]> --> | `code` \n::error::gone\n\u2028<b>"
)
"""Everything that a terminal, a browser, a CI log or a markup language might obey."""
MARK = "quince"
"""A word that stands in every text of the hostile answer."""
_WORDS = f"{MARK} {HOSTILE}"


def located(
    number: int, *, words: str = "Ann said that 12 lamps are left", where: str = "run"
) -> Item:
    """A located answer whose texts all hold ``words``."""
    evidence = Evidence(
        signal="grounding.unsourced_numbers",
        claim=f"states a number nobody gave: {words}",
        cites=(
            Citation(step=4, start=0, end=min(len(words), 150), quote=words[:150]),
            Citation(step=2),
        ),
        value=1.0,
        contribution=1.5,
    )
    ranked = tuple(
        Candidate(
            rank=rank,
            step=step,
            native_index=step,
            agent=words[:60] if rank == 1 else f"Agent {rank}",
            kind="message",
            quote=words[:200],
            score=3.0 - rank,
            probability=0.5 / rank,
            evidence=(evidence,) if rank < 3 else (),
        )
        for rank, step in enumerate((4, 2, 7), 1)
    )
    return Attribution(
        trace_id=f"{where}-{number}",
        locator=f"{where}-{number}.json#4",
        system="shop",
        format="native",
        status="located",
        candidates=ranked,
        agents=(AgentShare(agent=words[:60], probability=0.6),
                AgentShare(agent="Agent 2", probability=0.4)),
        symptom=Symptom(step=7, claim=f"the answer is refused: {words}"),
        category=FailureCategory(agentrx="invention", score=1.0, evidence=evidence),
        window=Window(first=3, last=5, coverage=0.9, n=20, pooled=False),
        n_steps=9,
        n_candidates=3,
        model="shipped",
        diagnostics=(Diagnostic(kind="skipped", message=f"left out: {words}"),),
    )  # fmt: skip


def silent(number: int, *, words: str = "no step stands out") -> Attribution:
    """An answer that blames nobody."""
    return Attribution(
        trace_id=f"silent-{number}",
        locator=f"silent-{number}.json",
        format="native",
        status="abstained" if number % 2 == 0 else "unmeasured",
        silence="innocent" if number % 2 == 0 else None,
        reason=words,
        n_steps=3,
    )


@lru_cache(maxsize=1)
def plain_findings() -> tuple[Item, ...]:
    """Three located answers, two silent ones, a problem, a passed trace and a file that is none."""
    return (
        located(0),
        silent(0),
        IgnoredFile("notes.md"),
        located(1, words="lampes restantes à Lyon: 12, 日本 🏮"),
        Problem(code="TL103", message="is not JSON", path="bad.json", line=3, hint="write it anew"),
        silent(1),
        Passed("good.json"),
        located(2),
    )


@lru_cache(maxsize=1)
def hostile_findings() -> tuple[Item, ...]:
    """The same with hostile words in every text."""
    return (
        located(0, words=_WORDS, where=f"{MARK}\x1b[2J\u202e<b>'"),
        silent(0, words=_WORDS),
        Problem(code="TL103", message=_WORDS, path=_WORDS[:80], line=3, hint=_WORDS),
        silent(1, words=_WORDS),
        IgnoredFile(_WORDS),
        Passed(_WORDS),
    )
