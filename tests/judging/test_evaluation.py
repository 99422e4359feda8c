"""``traceloc eval --judge`` from folders of labelled traces to a table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from judge_samples import FakeJudge, make_panel, shown_steps, verdict

from traceloc.evaluation.judge_report import render_judges
from traceloc.evaluation.judges import evaluate_judges
from traceloc.judgement import JudgeError, JudgeHint, JudgePrompt
from traceloc.judging.hints import HintFile
from traceloc.ranking import RankingModel
from traceloc.registry import Registry

COUNT = 12


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Traces whose faulty step says so, labelled."""
    folder = tmp_path / "set"
    folder.mkdir()
    rows = []
    for i in range(COUNT):
        guilty = 1 + i % 3
        texts = [f"we look at part {j} of case {i}" for j in range(5)]
        texts[guilty] = f"I assume the fare of case {i} is {200 + i} kroner"
        steps = [
            {
                "index": j,
                "native_index": j,
                "kind": "message",
                "role": "assistant",
                "agent": ("Boss", "Desk")[j % 2],
                "text": text,
            }
            for j, text in enumerate(texts)
        ]
        document = {"schema_version": 1, "id": f"t{i}", "format": "native", "steps": steps}
        document["agents"] = [{"name": "Boss"}, {"name": "Desk"}]
        (folder / f"t{i}.json").write_text(json.dumps(document))
        rows.append({"file": f"t{i}.json", "step": guilty, "agent": ("Boss", "Desk")[guilty % 2]})
    (folder / "labels.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def guilty_of(prompt: JudgePrompt) -> int:
    return next(step for step, line in shown_steps(prompt).items() if "I assume" in line)


def evaluate(labelled: Path, panel, **more: object):
    return evaluate_judges(
        [labelled], panel, registry=Registry(), model=RankingModel(name="plain"), **more
    )


def row(found, method: str, variant: str = "as asked"):
    return next(r for r in found.rows if (r.method, r.variant) == (method, variant))


def test_a_perfect_judge_is_seen_to_be_one(labelled: Path) -> None:
    judge = FakeJudge(lambda prompt: verdict(guilty_of(prompt)))
    found = evaluate(labelled, make_panel(judge, strategy="all-at-once"), repeats=2)
    assert row(found, "judge").exact == 1.0
    assert row(found, "both, fitted").exact >= row(found, "ranker").exact
    (bill,) = found.bills
    assert (bill.judged, bill.answered, bill.flip_rate) == (2 * COUNT, 2 * COUNT, 0.0)
    assert bill.calls == 1.0 and bill.input_tokens == 1000 and bill.usd is None
    assert bill.most <= 48_000 and bill.over_budget == 0
    low, high = row(found, "judge").low, row(found, "judge").high
    assert 0.7 < low < high <= 1.0


def test_flips_and_failures_are_counted(labelled: Path) -> None:
    count = iter(range(10_000))

    def say(prompt: JudgePrompt):
        number = next(count)
        if number % 7 == 6:
            return JudgeError("rejected", "HTTP 400")
        return verdict(1 + number % 5 % 2)

    panel = make_panel(FakeJudge(say), strategy="all-at-once", concurrency=1)
    (bill,) = evaluate(labelled, panel, repeats=3).bills
    assert bill.failures["rejected"] == bill.judged - bill.answered > 0
    assert bill.flip_rate is not None and bill.flip_rate > 0


def test_what_is_left_out_is_left_out(labelled: Path) -> None:
    hints = HintFile(
        [JudgeHint(signature="I assume the fare of case"), JudgeHint(signature="other")]
    )
    judge = FakeJudge(lambda prompt: verdict(guilty_of(prompt)))
    found = evaluate(labelled, make_panel(judge, hints=hints), ablate=True)
    variants = [bill.variant for bill in found.bills]
    assert variants == ["as asked", "without candidates", "without hints", "random hints"]
    parts = [judge.prompts[i * COUNT : (i + 1) * COUNT] for i in range(4)]
    with_candidates = [all("CANDIDATES" in p.user for p in part) for part in parts]
    with_hints = [all("FAILURES OF OTHER RUNS" in p.user for p in part) for part in parts]
    assert with_candidates == [True, False, True, True]
    assert with_hints == [True, True, False, True]


def test_judges_never_see_the_label(labelled: Path) -> None:
    judge = FakeJudge(lambda prompt: verdict(guilty_of(prompt)))
    evaluate(labelled, make_panel(judge))
    for prompt in judge.prompts:
        assert "label" not in prompt.user and "mistake" not in prompt.user


def test_it_renders_in_every_format(labelled: Path) -> None:
    judge = FakeJudge(lambda prompt: verdict(guilty_of(prompt)))
    found = evaluate(labelled, make_panel(judge))
    text = render_judges(found)
    assert "candidates by fake: 12 traces, 1 repeat, " in text and "both, fitted" in text
    assert "| judge | as asked |" in render_judges(found, "markdown")
    assert json.loads(render_judges(found, "json"))["n"] == COUNT
