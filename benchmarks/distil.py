"""10,000 near-duplicate failures of 50 kinds flow through a memory: how many schemata are left?

    python benchmarks/distil.py [--failures N] [--kinds N]

Generator: each kind is a sentence of 14 to 24 words drawn with seed 0 from a vocabulary of 400; a
failure of it loses, gains or swaps up to three words, and stands in a trace with four ordinary
steps, made likewise from 30 other sentences. Replay is compared with a memory that keeps every
failure as a schema of its own.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

import numpy as np
from record import write_result

from traceloc.memory import FailureMemory
from traceloc.memory.learning import Lesson
from traceloc.memory.opening import open_memory
from traceloc.memory.sketch import StepSketch, TraceSketch
from traceloc.memory.view import replay, view_system

SYSTEM = "generated"
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"


def main() -> None:
    """Measure and write ``benchmarks/results/distil.md``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--failures", type=int, default=10_000)
    parser.add_argument("--kinds", type=int, default=50)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        memory = open_memory(str(Path(folder, "memory.db")))
        begun = time.perf_counter()
        for sketch, kind in make_failures(given.failures, given.kinds):
            memory.learn(sketch, [2], Lesson("injected", category=kind))
        seconds = time.perf_counter() - begun
        view = view_system(memory.store, SYSTEM)
        after, before = replay_of(memory), replay_without(memory)
        schemata = memory.schemata()
        kinds = {schema.category for schema in schemata}
        distilled = sum(change.kind == "distil" for change in memory.store.log())
        rows = [
            ("failures", "kinds", "schemata", "kinds among them", "distillations"),
            (given.failures, given.kinds, len(schemata), len(kinds), distilled),
        ]
        notes = [
            f"replay {after:.4f} with these schemata, {before:.4f} with every remembered failure "
            "as a schema of its own (1 is best).",
            f"{int(view.failing.sum()):,} single failures and {int((~view.failing).sum()):,} "
            "ordinary steps are kept beside them.",
            f"{1000 * seconds / given.failures:.1f} ms a failure, each its own transaction.",
        ]
        write_result("distil", title="Distillation of near-duplicates", rows=rows, notes=notes)


def replay_of(memory: FailureMemory) -> float:
    """Replay with the schemata there are."""
    rows = list(memory.store.rows("schema", system=SYSTEM))
    vectors = memory.store.vectors([row.id for row in rows])
    view = view_system(memory.store, SYSTEM)
    return replay(view, vectors, [row.trace for row in rows], memory.settings)


def replay_without(memory: FailureMemory) -> float:
    """Replay with every remembered failure as a schema."""
    view = view_system(memory.store, SYSTEM)
    places = np.flatnonzero(view.failing)
    traces = [view.rows[int(i)].trace for i in places]
    return replay(view, view.vectors[places], traces, memory.settings)


def make_failures(count: int, kinds: int) -> list[tuple[TraceSketch, str]]:
    """Sketches of traces whose step 2 failed, and the kind of failure."""
    rng = random.Random(0)
    words = sorted({"".join(_syllable(rng) for _ in range(rng.randint(2, 4))) for _ in range(400)})
    failing = [[rng.choice(words) for _ in range(rng.randint(14, 24))] for _ in range(kinds)]
    ordinary = [[rng.choice(words) for _ in range(rng.randint(14, 24))] for _ in range(30)]
    made = []
    for number in range(count):
        kind = rng.randrange(kinds)
        texts = [_vary(rng.choice(ordinary), words, rng) for _ in range(4)]
        texts.insert(2, _vary(failing[kind], words, rng))
        made.append((_sketch(number, texts), f"kind {kind}"))
    return made


def _syllable(rng: random.Random) -> str:
    return rng.choice(_CONSONANTS) + rng.choice(_VOWELS)


def _vary(sentence: list[str], words: list[str], rng: random.Random) -> str:
    said = list(sentence)
    for _ in range(rng.randint(0, 3)):
        place = rng.randrange(len(said))
        what = rng.choice(("lose", "gain", "swap"))
        if what == "lose" and len(said) > 8:
            del said[place]
        elif what == "gain":
            said.insert(place, rng.choice(words))
        else:
            said[place] = rng.choice(words)
    return " ".join(said)


def _sketch(number: int, texts: list[str]) -> TraceSketch:
    steps = tuple(
        StepSketch(
            step=i,
            native=i,
            text=text,
            role="assistant",
            kind="message",
            tool=None,
            phase="middle",
            score=0.0,
        )
        for i, text in enumerate(texts)
    )
    return TraceSketch(
        trace=f"{number:08x}",
        group=f"g{number}",
        system=SYSTEM,
        locator=f"runs/{number}.json",
        steps=steps,
        positions=np.arange(len(steps)),
        fired=(),
    )


if __name__ == "__main__":
    main()
