"""What judging costs and what it can and cannot do to an answer, without any LLM.

    python benchmarks/judge.py [--runs 1000]

A loopback endpoint that speaks the OpenAI protocol stands in for the model and answers from the
labels: rightly seven times in ten, or always wrongly. Everything else is the real thing: ranker
(held-out folds), prompts, client, cache, combination. How good any LLM is, this does not say.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from record import write_result
from shared_data import DATA, SETS
from simulated_runs import write_runs
from stand_in_judges import (
    SLOW_TIMEOUT,
    Faulty,
    LabelledAnswers,
    always_wrong,
    labelled_steps,
    number_cases,
    right_mostly,
    say_any,
)

from traceloc.evaluation.judges import (
    ALONE,
    FITTED,
    JOINED,
    RANKER,
    Judged,
    Ranked,
    judge_repeatedly,
    rank_held_out,
    score_methods,
)
from traceloc.evaluation.statistics import bootstrap_difference
from traceloc.judgement import Judgement
from traceloc.judging import JudgeOptions, Panel, take_seats
from traceloc.judging.case import Case
from traceloc.judging.combining import Weights, combine, example_of, fit_weights, vote_of
from traceloc.judging.endpoint import ChatAnswer, ChatServer
from traceloc.judging.layout import evenly
from traceloc.judging.prompts import WHOLE
from traceloc.judging.strategies.all_at_once import QUESTION
from traceloc.judging.strategies.candidates import draft_candidates
from traceloc.judging.view import CaseView
from traceloc.registry import Registry

MEASURED = (*SETS, "tracertraj_code")
HC = "who_and_when_hc"
UNBOUNDED = 10_000_000
LABELS = (0, 5, 10, 20, 50)
DRAWS = 20
COMMAND = "from traceloc.cli import main; main()"

Row = tuple[object, ...]


def main() -> None:
    """Measure everything, print and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="simulated runs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        simulated = Path(scratch) / "simulated"
        write_runs(simulated, arguments.runs)
        registry = Registry()
        real = {
            name: rank_held_out([DATA / name], registry=registry)
            for name in MEASURED
            if (DATA / name).is_dir()
        }
        made = rank_held_out([simulated], registry=registry)
        rows: list[Row] = [("what", "wanted", "measured", "")]
        notes: list[str] = []
        if HC in real:
            measure_tokens(real[HC], rows, notes)
        pooled = [each for ranked in real.values() for each in ranked] + made
        notes.append(
            f"pooled: {len(pooled)} traces, {len(pooled) - len(made)} of them from "
            f"{', '.join(f'{name} ({len(each)})' for name, each in real.items())}, "
            f"the other {len(made)} simulated (benchmarks/simulated_runs.py)"
        )
        measure_noise(pooled, rows, notes)
        measure_adversary(pooled, rows, notes)
        measure_overhead(real | {"simulated": made[:200]}, rows, notes)
        measure_faults(made, rows, notes)
        measure_interrupt(simulated, Path(scratch), rows, notes)
    write_result("judge", title="Judging: tokens, votes, faults, overhead", rows=rows, notes=notes)


def measure_tokens(ranked: Sequence[Ranked], rows: list[Row], notes: list[str]) -> None:
    """Tokens of ``candidates`` against ``all-at-once``."""
    found = []
    for each in ranked:
        row = []
        for budget in (JudgeOptions(("m",)).budget, UNBOUNDED):
            view = CaseView(each.item.trace, each.attribution)
            case = Case(view, JudgeOptions(("m",), budget=budget), (), "seed")
            few = draft_candidates(case)
            every = case.draft(
                QUESTION, allowances=evenly(view), scale=WHOLE, candidates=case.candidates
            )
            row += [few.bound - few.max_output, every.bound - every.max_output]
        first, last = view.window
        row.append(last - first + 1)
        row.append(any(first <= i.index <= last for i in labelled_steps(each)))
        found.append(row)
    table = np.array(found, dtype=np.float64)
    few, every, _, whole = table[:, :4].sum(axis=0)
    budget = JudgeOptions(("m",)).budget
    rows.append(
        (
            f"tokens of candidates / all-at-once, HC, budget {budget}",
            "<= 40%",
            f"{few / every:.1%}",
            _met(few / every <= 0.4),
        )
    )
    rows.append(("the same with no budget at all", "", f"{few / whole:.1%}", ""))
    most = table[:, :2].max() + 1024
    rows.append(
        (
            "largest question of either, with its answer",
            f"<= {budget}",
            f"{most:.0f}",
            _met(most <= budget),
        )
    )
    notes.append(
        f"HC: {len(table)} traces, tokens by our bound, means {few / len(table):.0f} and "
        f"{every / len(table):.0f} (whole: {whole / len(table):.0f}); the windows asked about hold "
        f"{np.median(table[:, 4]):.0f} steps in the median and the labelled step in "
        f"{table[:, 5].mean():.0%}"
    )


def ask_all(ranked: Sequence[Ranked], choose: Callable[..., int], scratch: Path) -> Judged:
    """One question about each trace, through the client, the protocol and the cache."""
    from traceloc.judging.cache import AnswerCache

    with ChatServer(LabelledAnswers(ranked, choose)) as server:
        panel = make_panel(server.url, cache=AnswerCache(scratch / f"{choose.__name__}.db"))
        judged = judge_repeatedly(number_cases(ranked), panel, variant=choose.__name__, repeats=1)
    lost = [column[0].failure for column in judged.judgements if not column[0].answered]
    if lost:
        raise SystemExit(f"{len(lost)} questions went wrong: {lost[0]}")
    return judged


def make_panel(url: str, **more: object) -> Panel:
    """A panel of the real client."""
    kept = {k: more.pop(k) for k in ("cache",) if k in more}
    options = JudgeOptions(("m",), url=url, concurrency=16, **more)  # type: ignore[arg-type]
    return Panel(options, take_seats(options, Registry()), keep_votes=False, **kept)


def measure_noise(ranked: Sequence[Ranked], rows: list[Row], notes: list[str]) -> None:
    """Ranker and a judge that is right seven times in ten, alone and together."""
    with tempfile.TemporaryDirectory() as scratch:
        judged = ask_all(ranked, right_mostly, Path(scratch))
    hits = {
        method: [each.exact for each in values]
        for method, values in score_methods(ranked, judged, folds=5).items()
    }
    means = {method: 100 * float(np.mean(values)) for method, values in hits.items()}
    better = max((RANKER, ALONE), key=lambda method: means[method])
    groups = [each.item.group for each in ranked]
    for method, name in ((JOINED, "default weights"), (FITTED, "fitted weights")):
        difference = bootstrap_difference(hits[method], hits[better], groups)
        rows.append(
            (
                f"30% noise, {name}: both less the better one ({better}), points",
                "not below 0",
                f"{100 * difference.mean:+.1f} [{100 * difference.low:+.1f}, "
                f"{100 * difference.high:+.1f}]",
                _met(difference.high >= 0),
            )
        )
    notes.append("30% noise, exact steps: " + ", ".join(f"{m} {v:.1f}" for m, v in means.items()))
    for dataset in dict.fromkeys(each.item.dataset for each in ranked):
        inside = [i for i, each in enumerate(ranked) if each.item.dataset == dataset]
        shares = {m: 100 * float(np.mean([v[i] for i in inside])) for m, v in hits.items()}
        notes.append(
            f"{dataset} ({len(inside)}): " + ", ".join(f"{m} {v:.1f}" for m, v in shares.items())
        )


def measure_adversary(ranked: Sequence[Ranked], rows: list[Row], notes: list[str]) -> None:
    """A judge that is always wrong, by the number of labels there are."""
    with tempfile.TemporaryDirectory() as scratch:
        judged = ask_all(ranked, always_wrong, Path(scratch))
    judgements = [column[0] for column in judged.judgements]
    examples = []
    for each, judgement in zip(ranked, judgements, strict=True):
        vote = vote_of(each.item.trace, each.attribution, judgement.ballots)
        examples.append(example_of(vote, sorted(each.labels)) if vote is not None else None)
    alone = np.array([float(_first(each.attribution) in each.labels) for each in ranked])
    usable = [i for i, example in enumerate(examples) if example is not None]
    told = []
    for count in LABELS:
        losses = []
        for draw in range(DRAWS if count else 1):
            rng = np.random.default_rng([draw, count])
            chosen = set(rng.permutation(usable)[:count].tolist())
            weights = fit_weights([examples[i] for i in sorted(chosen)])
            rest = [i for i in range(len(ranked)) if i not in chosen]
            joined = hits_with(ranked, judgements, weights, rest)
            losses.append(100 * float((alone[rest] - joined).mean()))
        told.append((count, float(np.mean(losses)), max(losses)))
    by_count = {count: (mean, worst) for count, mean, worst in told}
    mean, worst = by_count[20]
    rows.append(
        (
            "always wrong, 20 labels: points lost against the ranker, mean (worst of draws)",
            "<= 3",
            f"{mean:.2f} ({worst:.2f})",
            _met(worst <= 3),
        )
    )
    notes.append(
        f"always wrong names the ranker's likeliest wrong step; {DRAWS} draws of labels; points "
        "lost by labels, mean (worst): "
        + ", ".join(f"{count}: {mean:.1f} ({worst:.1f})" for count, mean, worst in told)
        + "; it is made from labels: what it gives beyond losing nothing reads them back"
    )


def hits_with(
    ranked: Sequence[Ranked],
    judgements: Sequence[Judgement],
    weights: Weights,
    members: Sequence[int],
) -> np.ndarray:
    """Whether both together put a labelled step first."""
    return np.array(
        [
            float(
                _first(
                    combine(
                        ranked[i].item.trace,
                        ranked[i].attribution,
                        judgements[i],
                        weights={"m": weights},
                    )
                )
                in ranked[i].labels
            )
            for i in members
        ]
    )


def _first(attribution) -> int:
    return attribution.candidates[0].native_index if attribution.candidates else -1


def measure_overhead(sets: dict[str, list[Ranked]], rows: list[Row], notes: list[str]) -> None:
    """Our own work for each judged trace: masking, prompts, checks, combination."""
    words = []
    worst = 0.0
    for name, ranked in sets.items():
        with ChatServer(lambda request: ChatAnswer(say_any(request))) as server:
            begun = time.process_time()
            judged = judge_repeatedly(ranked, make_panel(server.url), variant=name, repeats=1)
            cpu = (time.process_time() - begun) / len(ranked)
        own = [1000 * column[0].cost.own_seconds for column in judged.judgements if column]
        worst = max(worst, float(np.mean(own)))
        words.append(
            f"{name}: {np.mean(own):.1f} mean, {max(own):.1f} most, "
            f"{1000 * cpu:.1f} processor with client and server"
        )
    rows.append(
        (
            "own work for a judged trace, ms, mean of the slowest set",
            "<= 50",
            f"{worst:.1f}",
            _met(worst <= 50),
        )
    )
    notes.append("own work in ms: " + "; ".join(words))


def measure_faults(ranked: Sequence[Ranked], rows: list[Row], notes: list[str]) -> None:
    """Many traces at once against an endpoint that fails in every way."""
    answer = Faulty()
    begun = time.perf_counter()
    with ChatServer(answer) as server:
        panel = make_panel(server.url, timeout=SLOW_TIMEOUT)
        judged = judge_repeatedly(ranked, panel, variant="faults", repeats=1)
    seconds = time.perf_counter() - begun
    ends = Counter(
        "answered"
        if column and column[0].answered
        else str(column[0].failure and column[0].failure.kind)
        for column in judged.judgements
    )
    accounted = sum(ends.values())
    rows.append(
        (
            f"{len(ranked)} traces, 16 at once, 5% of each fault: answered or a recorded failure",
            str(len(ranked)),
            str(accounted),
            _met(accounted == len(ranked) and "None" not in ends),
        )
    )
    notes.append(
        f"faults, {seconds:.0f} s: the endpoint gave {dict(sorted(answer.counts.items()))}; it "
        f"came to {dict(sorted(ends.items()))} after one retry each"
    )


def measure_interrupt(folder: Path, scratch: Path, rows: list[Row], notes: list[str]) -> None:
    """The command line, interrupted twice and resumed, against the same endpoint."""
    answer = Faulty()
    model = scratch / "model.json"
    model.write_text('{"name": "plain"}')
    count = len(list(folder.glob("run-*.json")))
    environment = os.environ | {
        "TRACELOC_HOME": str(scratch / "home"),
        "TRACELOC_MODEL": str(model),
        "TRACELOC_JUDGE_CONCURRENCY": "16",
        "TRACELOC_JUDGE_TIMEOUT": str(SLOW_TIMEOUT),
    }
    with ChatServer(answer) as server:
        command = [sys.executable, "-P", "-c", COMMAND, "scan", str(folder), "-f", "json"]
        command += ["--judge", "m", "--judge-url", server.url]
        codes = []
        for stop_at in (count // 3, 2 * count // 3, None):
            # Into a file: a pipe that nobody reads would stop the scan.
            with (scratch / "report.json").open("wb") as shown:
                process = subprocess.Popen(
                    command, stdout=shown, stderr=subprocess.DEVNULL, env=environment
                )
                if stop_at is not None:
                    while len(answer.asked) < stop_at and process.poll() is None:
                        time.sleep(0.02)
                    process.send_signal(signal.SIGINT)
                codes.append(process.wait())
        fine = answer.counts["fine"]
        again = environment | {"TRACELOC_OFFLINE": "true"}
        offline = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=again, check=False
        )
    summary = json.loads((scratch / "report.json").read_bytes())["summary"]
    judged, failed = summary["judged"], summary["unjudged"]
    kept = json.loads(offline.stdout)["summary"]["judged"]
    rows.append(
        (
            "the same by the command line with Ctrl-C twice and a resume: answered + failed",
            str(count),
            f"{judged} + {failed}",
            _met(judged + failed == count and codes[:2] == [130, 130]),
        )
    )
    rows.append(
        (
            "of those answered, answered again offline from the cache",
            str(judged),
            str(kept),
            _met(kept == judged),
        )
    )
    notes.append(
        f"interrupts: exit codes {codes}; {fine} good answers were given for {judged} verdicts, so "
        f"{fine - judged} were under way when it was interrupted or behind a timeout"
    )


def _met(fits: bool) -> str:
    return "met" if fits else "**missed**"


if __name__ == "__main__":
    main()
