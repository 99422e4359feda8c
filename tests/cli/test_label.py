from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_samples import Invoke, native

from traceloc.evaluation.datasets import read_datasets
from traceloc.labels.home import find_home, find_label_store
from traceloc.labels.recording import record_answer
from traceloc.labels.store import LabelStore
from traceloc.scanning import build_localizer
from traceloc.trace import Step, Trace


@pytest.fixture(autouse=True)
def real(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The real localizer, its signals, and a home of its own."""
    monkeypatch.setattr("traceloc.scanning.build_localizer", build_localizer)
    monkeypatch.delenv("TRACELOC_PLUGINS")
    monkeypatch.setenv("TRACELOC_HOME", str(tmp_path / "home"))


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    """Twelve runs of one system that always goes wrong at its fourth step."""
    folder = tmp_path / "bot"
    folder.mkdir()
    for i in range(12):
        said = [f"step {j} of run {i} takes {j * i + 3} minutes" for j in range(6)]
        (folder / f"r{i:02}.json").write_text(native(f"r{i:02}", *said, task=f"task {i}"))
    return folder


def answer_of(invoke: Invoke, *args: str) -> dict:
    result = invoke("scan", *args, "-f", "jsonl", "-k", "9")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout.splitlines()[0])


def test_labels_are_learned_from_without_being_asked(invoke: Invoke, bot: Path) -> None:
    before = answer_of(invoke, "bot/r00.json")
    assert before["model"] == "shipped" or "+" not in before["model"]
    for i in range(1, 11):
        result = invoke("label", f"bot/r{i:02}.json#3")
        assert result.exit_code == 0, result.stderr
    after = answer_of(invoke, "bot/r00.json")
    assert after["model"] == f"{before['model']}+10 labels"

    def share(answer: dict) -> float:
        return {c["step"]: c["probability"] for c in answer["candidates"]}.get(3, 0.0)

    assert share(after) > share(before) + 0.02
    plain = answer_of(invoke, "bot/r00.json", "--no-labels")
    assert plain == before
    assert answer_of(invoke, "bot/r00.json") == after
    assert answer_of(invoke, "bot/r00.json", "--system", "other")["model"] == before["model"]
    shown = invoke("show", "bot/r00.json")
    assert shown.exit_code == 0, shown.stderr
    assert shown.stdout != invoke("show", "bot/r00.json", "--no-labels").stdout


def test_labels_can_be_switched_off_for_good(invoke: Invoke, bot: Path) -> None:
    invoke("label", "bot/r01.json#3")
    Path("traceloc.toml").write_text("labels = false\n")
    assert "+" not in answer_of(invoke, "bot/r00.json")["model"]


def test_what_is_said_is_listed_exported_and_read_again(invoke: Invoke, bot: Path) -> None:
    args = ("--category", "loop", "--note", "as ever\x1b[31m", "--agent", "Planner")
    result = invoke("label", "bot/r01.json#3", *args)
    assert result.stdout == ("labelled bot/r01.json#3 · Planner · loop · system native:bot\n"), (
        result.stderr
    )
    invoke("confirm", "bot/r02.json#2")
    invoke("reject", "bot/r03.json#0")
    listed = invoke("labels").stdout.splitlines()
    assert len(listed) == 3
    assert "label    bot/r01.json#3 · Planner · loop · as ever\\x1b[31m (" in listed[0]
    assert "reject   bot/r03.json#0" in listed[2]

    exported = invoke("labels", "-f", "jsonl", "-o", "labels.jsonl")
    assert exported.exit_code == 0, exported.stderr
    rows = [json.loads(line) for line in Path("labels.jsonl").read_text().splitlines()]
    assert [(row["file"], row["step"], row["agent"]) for row in rows] == [
        ("bot/r01.json", 3, "Planner"),
        ("bot/r02.json", 2, "Planner"),
    ]
    reading = read_datasets(["."])
    assert reading.unmatched == ()
    labelled = {i.trace.id: i.labels[0].native_index for i in reading.items if i.labels}
    assert labelled == {"r01": 3, "r02": 2}


def test_confirm_takes_rank_1(invoke: Invoke, bot: Path) -> None:
    top = answer_of(invoke, "bot/r00.json")
    result = invoke("confirm", "bot/r00.json")
    if top["status"] == "located":
        assert result.exit_code == 0, result.stderr
        (event,) = find_label_store().events()
        assert (event.action, event.step) == ("confirm", top["candidates"][0]["step"])
    else:
        assert result.exit_code == 2
        assert "error[TL507]" in result.stderr


def test_nothing_to_confirm(invoke: Invoke, runs: Path) -> None:
    result = invoke("confirm", "runs/d.json")
    assert result.exit_code == 2
    assert "error[TL507]: runs/d.json: unmeasured: the trace has no steps" in result.stderr
    assert find_label_store().events() == []


@pytest.mark.parametrize("command", ["label", "reject"])
def test_a_step_must_be_named_and_exist(invoke: Invoke, bot: Path, command: str) -> None:
    result = invoke(command, "bot/r00.json")
    assert result.exit_code == 2
    assert "error[TL508]: 'bot/r00.json' names no step" in result.stderr
    result = invoke(command, "bot/r00.json#99")
    assert result.exit_code == 2
    assert "error[TL211]" in result.stderr
    assert not Path("home").exists()


def test_who_is_blamed_must_be_there(invoke: Invoke, bot: Path) -> None:
    result = invoke("label", "bot/r00.json#3", "--agent", "Plannr")
    assert result.exit_code == 2
    assert "error[TL510]: bot/r00.json: there is no agent 'Plannr' in the trace" in result.stderr
    assert "did you mean 'Planner'? there are: Planner, Writer" in result.stderr
    assert not Path("home").exists()


def test_a_label_is_found_again_from_another_folder(
    invoke: Invoke, bot: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    invoke("label", "bot/r00.json#3", env={"TRACELOC_MEMORY": "none"})
    assert "label    bot/r00.json#3 ·" in invoke("labels").stdout
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    listed = invoke("labels").stdout
    assert f"label    {bot}/r00.json#3 ·" in listed
    assert invoke("show", f"{bot}/r00.json#3").exit_code == 0
    learned = invoke("learn")
    assert "labels: 1 failure, 1 new schema, 0 merged" in learned.stdout, learned.stderr


def test_what_is_exported_does_not_name_folders_above(
    invoke: Invoke, bot: Path, tmp_path: Path
) -> None:
    invoke("label", "bot/r00.json#3")
    memory = ("--memory", str(tmp_path / "later.db"))
    assert invoke("learn", *memory).exit_code == 0
    for command in (("memory", "export"), ("memory", "log")):
        told = invoke(*command, *memory).stdout
        assert "bot/r00.json#3" in told and str(bot) not in told


def test_a_trace_may_come_from_no_file(tmp_path: Path) -> None:
    step = Step(index=0, native_index=0, kind="message", role="assistant", agent="a", text="Hi.")
    source = "a run in a database " * 300
    trace = Trace(id="t", format="made up", source=source, steps=(step,))
    said = record_answer(LabelStore(tmp_path / "labels.db"), "label", trace, 0, signals=())
    assert said.event.locator == trace.locator(0)


def test_a_scan_states_what_was_said_of_the_trace(invoke: Invoke, bot: Path) -> None:
    plain = answer_of(invoke, "bot/r00.json")
    assert (plain["answer"], plain["learned_from"]) == (None, 0)
    assert "said" not in invoke("scan", "bot/r00.json").stdout
    invoke("label", "bot/r00.json#3", "--category", "loop")
    invoke("reject", "bot/r00.json#1")
    found = answer_of(invoke, "bot/r00.json")
    assert {**found["answer"], "who": None} == {
        "step": 3,
        "agent": "Writer",
        "category": "loop",
        "said": "label",
        "who": None,
        "rejected": [1],
    }
    top = found["candidates"][0]["step"]
    wrong = ", ".join(f"#{step}" for step in sorted({1, top} - {3}))
    said = f"#3 Writer (loop), labelled by {found['answer']['who']}; not {wrong}"
    for command in (("scan",), ("show",)):
        assert said in invoke(*command, "bot/r00.json").stdout
    document = json.loads(invoke("scan", "bot", "-f", "json").stdout)
    told = {each["trace_id"]: each["answer"] for each in document["attributions"]}
    assert told.pop("r00") == found["answer"] and not any(told.values())
    assert answer_of(invoke, "bot/r00.json", "--no-labels")["answer"] is None
    copy = bot / "copy.json"
    copy.write_text((bot / "r00.json").read_text())
    assert answer_of(invoke, "bot/copy.json")["answer"] == found["answer"]
    invoke("labels", "--undo")
    invoke("labels", "--undo")
    assert answer_of(invoke, "bot/r00.json")["answer"] is None


def test_a_scan_says_how_many_labels_moved_the_weights(invoke: Invoke, bot: Path) -> None:
    for i in range(1, 11):
        invoke("label", f"bot/r{i:02}.json#3")
    assert answer_of(invoke, "bot/r00.json")["learned_from"] == 10
    assert "weights moved by 10 labels: native:bot 10\n" in invoke("scan", "bot").stdout
    assert "weights moved" not in invoke("scan", "bot", "--no-labels").stdout


def test_undo(invoke: Invoke, bot: Path) -> None:
    invoke("label", "bot/r00.json#1")
    result = invoke("labels", "--undo")
    assert result.stdout.startswith("took back bot/r00.json#1 · Writer")
    result = invoke("labels")
    assert result.stdout == "" and "no labels in" in result.stderr
    assert len(invoke("labels", "--log").stdout.splitlines()) == 2
    result = invoke("labels", "--undo")
    assert result.exit_code == 3
    assert "error[TL506]" in result.stderr


def test_other_signals_are_met_with_a_word(
    invoke: Invoke, bot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke("label", "bot/r01.json#3")
    monkeypatch.setattr("traceloc.signals.claims.ClaimsSignal.version", "next", raising=False)
    answer = answer_of(invoke, "bot/r00.json")
    assert "+" not in answer["model"]
    (note,) = [d for d in answer["diagnostics"] if "other signals" in d["message"]]
    assert note["kind"] == "skipped" and note["count"] == 1
    invoke("label", "bot/r01.json#3")
    assert answer_of(invoke, "bot/r00.json")["model"].endswith("+1 label")


def test_a_broken_store_stops_a_scan_and_can_be_left_out(invoke: Invoke, bot: Path) -> None:
    Path("home").mkdir()
    Path("home/labels.db").write_text("my diary")
    result = invoke("scan", "bot")
    assert result.exit_code == 3
    assert "error[TL501]: " in result.stderr and "home/labels.db" in result.stderr
    assert invoke("scan", "bot", "--no-labels").exit_code == 0
    assert Path("home/labels.db").read_text() == "my diary"


def test_processes_learn_from_the_same_labels(invoke: Invoke, bot: Path) -> None:
    for i in range(1, 4):
        invoke("label", f"bot/r{i:02}.json#3")
    here = invoke("scan", "bot", "-f", "jsonl", "--jobs", "1").stdout
    assert "+3 labels" in here
    assert invoke("scan", "bot", "-f", "jsonl", "--jobs", "2").stdout == here


def test_where_the_store_is(tmp_path: Path) -> None:
    data = {"XDG_DATA_HOME": "/data"}
    project, below = tmp_path / "p", tmp_path / "p" / "a" / "b"
    below.mkdir(parents=True)
    assert find_home(environment=data, directory=below) == Path("/data/traceloc")
    odd = find_home(environment={"XDG_DATA_HOME": "relative"}, directory=below)
    assert odd == Path.home() / ".local" / "share" / "traceloc"
    (project / ".traceloc").mkdir()
    assert find_home(environment=data, directory=below) == project / ".traceloc"
    stated = data | {"TRACELOC_HOME": "/elsewhere"}
    assert find_home(environment=stated, directory=below) == Path("/elsewhere")
