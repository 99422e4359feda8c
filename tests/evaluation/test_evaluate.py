"""From folders to tables, and that no label leaks into a ranking."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from traceloc.errors import UsageError
from traceloc.evaluation import evaluate, fit, render
from traceloc.evaluation.datasets import read_datasets
from traceloc.evaluation.preparing import prepare
from traceloc.ranking.fit import FitOptions


def row_of(evaluation, method, dataset="d"):
    return next(r for r in evaluation.rows if (r.dataset, r.method) == (dataset, method))


def test_a_signal_that_marks_the_error_finds_it_on_folds_it_did_not_see(make_folder, word_signal):
    found = evaluate([make_folder("d")], signals=[word_signal], seeds=2, folds=3)
    row = row_of(found, "traceloc")
    assert (row.n, row.metrics["exact"], row.metrics["agent"]) == (12, 1.0, 1.0)
    assert row.intervals["exact"][0] < 1.0
    assert row_of(found, "uniform").metrics["exact"] == pytest.approx(1 / 6)
    assert row_of(found, "first acting step").metrics["exact"] == 0.0
    assert {r.method for r in found.rows} >= {"commonest position", "first code block"}


def test_evaluations_repeat_byte_for_byte(make_folder, word_signal):
    folder = make_folder("d")
    first, second = (
        evaluate([folder], signals=[word_signal], seeds=2, weights=True).model_copy(
            update={"seconds": {}}
        )
        for _ in range(2)
    )
    assert render(first, "json") == render(second, "json")


def test_labels_do_not_reach_what_is_measured(make_folder, word_signal):
    """The same files with their labels and without them are measured and ranked the same."""
    with_labels = read_datasets([make_folder("inside", inside=True)])
    assert all(item.trace.truth for item in with_labels.items)
    blind = [item.trace.blind() for item in with_labels.items]
    model = fit([make_folder("other")], signals=[word_signal])
    for item, bare in zip(with_labels.items, blind, strict=True):
        assert bare.truth is None and bare.outcome.status == "unknown"
        (one,) = prepare([item], [word_signal]).items
        (other,) = prepare([replace(item, trace=bare, labels=(), passed=None)], [word_signal]).items
        assert (one.table.matrix == other.table.matrix).all()
        assert model.score(one.table).order.tolist() == model.score(other.table).order.tolist()
        assert one.rules == other.rules


def test_other_labels_of_what_is_asked_do_not_change_its_ranking(make_folder, word_signal):
    """Flipping the labels of one system moves nothing that was learned on the others."""
    paths = [make_folder("left"), make_folder("right")]
    before = evaluate(paths, signals=[word_signal], protocol="loso")
    labels = paths[1] / "labels.jsonl"
    rows = [json.loads(line) for line in labels.read_text().splitlines()]
    labels.write_text("".join(json.dumps(row | {"step": 0}) + "\n" for row in rows))
    after = evaluate(paths, signals=[word_signal], protocol="loso")
    assert row_of(before, "traceloc", "right").metrics["exact"] == 1.0
    assert row_of(after, "traceloc", "right").metrics["exact"] == 0.0
    assert row_of(before, "traceloc", "left").metrics["exact"] == 1.0


def test_leaving_a_family_out_is_compared(make_folder, word_signal):
    class Constant(type(word_signal)):
        name = "noise"

        def measure(self, graph):
            return 0 * super().measure(graph)

    found = evaluate([make_folder("d")], signals=[word_signal, Constant()], seeds=1, ablate=True)
    by = {(c.left, c.metric): c for c in found.comparisons}
    assert by["word", "exact"].mean < -0.5 and by["word", "exact"].high < 0
    assert by["word", "nll"].low > 0
    assert by["noise", "exact"].mean == 0.0


def test_few_labels_start_from_what_other_systems_taught(make_folder, word_signal):
    paths = [make_folder("left"), make_folder("right")]
    found = evaluate(paths, signals=[word_signal], protocol="fewshot", seeds=1, labels=(0, 5))
    methods = [r.method for r in found.rows if r.dataset == "right"]
    assert methods[:2] == ["traceloc, 0 labels", "traceloc, 5 labels"]
    assert row_of(found, "traceloc, 0 labels", "right").metrics["exact"] == 1.0


@pytest.mark.parametrize(
    "asked",
    [{"protocol": "loso"}, {"protocol": "fewshot"}, {"protocol": "arrival"}, {"with_prior": True}],
)
def test_one_system_alone_teaches_nothing_about_others(make_folder, word_signal, asked):
    with pytest.raises(UsageError, match=r"needs at least two systems.*only 'd'") as refused:
        evaluate([make_folder("d")], signals=[word_signal], seeds=1, **asked)
    assert refused.value.code == "TL209"
    assert "kfold" in (refused.value.hint or "")


def test_what_was_answered_without_a_model_is_said(make_folder, word_signal):
    outcome = lambda i, row: row | {"step": None, "outcome": ["passed", "failed"][i % 2]}  # noqa: E731
    paths = [make_folder("labelled"), make_folder("plain", rows=outcome)]
    found = evaluate(paths, signals=[word_signal], protocol="loso")
    assert found.guessed == 12
    assert "want of labels to learn from (a guess): 12" in render(found)
    assert "(a guess)" not in render(evaluate(paths[:1], signals=[word_signal], seeds=1))


def test_a_finished_model_is_evaluated_as_it_is(make_folder, word_signal, tmp_path):
    folder = make_folder("d")
    model = fit([folder], signals=[word_signal], name="mine", command="traceloc fit d")
    assert model.provenance.datasets[0].labelled == 12
    assert model.provenance.data_hash
    found = evaluate([folder], signals=[word_signal], protocol="shipped", model=model)
    assert row_of(found, "traceloc, as shipped").metrics["exact"] == 1.0


def test_a_changed_label_changes_the_hash_of_the_data(make_folder, word_signal):
    first = make_folder("d")
    before = fit([first], signals=[word_signal]).provenance.data_hash
    assert before == fit([first], signals=[word_signal]).provenance.data_hash
    labels = (first / "labels.jsonl").read_text()
    (first / "labels.jsonl").write_text(labels.replace('"step": 1', '"step": 2', 1))
    assert before != fit([first], signals=[word_signal]).provenance.data_hash


def test_a_label_on_no_candidate_counts_as_missed(make_folder, word_signal):
    folder = make_folder("d", rows=lambda i, row: row | {"step": 99} if i == 0 else row)
    found = evaluate([folder], signals=[word_signal], seeds=1)
    assert len(found.outside) == 1
    assert row_of(found, "traceloc").n == 12
    assert row_of(found, "traceloc").metrics["exact"] == pytest.approx(11 / 12)


def test_a_failing_signal_is_counted(make_folder, word_signal):
    class Broken(type(word_signal)):
        name = "broken"

        def measure(self, graph):
            raise RuntimeError("boom")

    found = evaluate([make_folder("d")], signals=[word_signal, Broken()], seeds=1)
    assert found.failures == {"signal 'broken' failed: RuntimeError: boom": 12}
    assert "12 x signal 'broken' failed" in render(found)


def test_some_signals_only(make_folder, word_signal):
    folder = make_folder("d", traces=4)
    with pytest.raises(UsageError, match="no signal 'nope'"):
        evaluate([folder], signals=[word_signal], families=["nope"])


def test_passed_and_failed_runs_are_told_apart(make_folder, word_signal):
    folder = make_folder(
        "d",
        traces=40,
        texts=lambda i, j: f"run {i} step {j}" + " wrong" * (i % 2 and j == 1 + i % 4),
        rows=lambda i, row: row if i % 2 else row | {"step": None, "outcome": "passed"},
    )
    found = evaluate([folder], signals=[word_signal], seeds=1, options=FitOptions(l2=1.0))
    row = row_of(found, "traceloc")
    assert row.n == 20
    assert row.auc is not None and row.auc > 0.9


@pytest.mark.parametrize("format", ["text", "markdown", "json"])
def test_tables(make_folder, word_signal, format):
    folder = make_folder("d")
    found = evaluate([folder], signals=[word_signal], seeds=1, ablate=True, weights=True)
    text = render(found, format)
    assert "traceloc" in text and "first assumption" in text and "word.wrong" in text
    if format == "json":
        assert json.loads(text)["tie_rule"] == "equal scores: the earlier step is ranked first"
    else:
        assert "100.0" in text and "earlier step" in text
