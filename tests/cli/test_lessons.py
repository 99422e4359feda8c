"""``--judge`` of ``learn``, ``label`` and ``confirm``: what a failure teaches, from a folder."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "memory"))

from cli_samples import Invoke  # noqa: E402
from injector import KINDS, clean_runs, inject  # noqa: E402

from traceloc import scanning  # noqa: E402

REAL = scanning.build_localizer
JUDGE = ("--judge", "replay:answers")
LESSON = {
    "context": "Something could be looked up and is not.",
    "signature": "Answers from memory instead of looking it up.",
    "heuristics": ["Does the step answer from memory?", "Does it decline a lookup?"],
    "category": "Hallucination",
}


@pytest.fixture(autouse=True)
def whole(fenced: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The real localizer with all plugins, and a home of its own."""
    monkeypatch.delenv("TRACELOC_PLUGINS")
    monkeypatch.setattr("traceloc.scanning.build_localizer", REAL)
    monkeypatch.setattr("traceloc.judging.asking.RETRY_WAIT", 0.0)
    monkeypatch.setenv("TRACELOC_HOME", str(tmp_path / "home"))


@pytest.fixture
def past(tmp_path: Path) -> Path:
    """Three failed runs of one kind, with labels."""
    folder = tmp_path / "past"
    folder.mkdir()
    rows = []
    for number, host in enumerate(clean_runs(3)):
        injected = inject(host, KINDS[1], seed=number)
        (folder / f"{number}.json").write_text(injected.trace.model_dump_json())
        rows.append(json.dumps({"file": f"{number}.json", "step": injected.native}))
    (folder / "labels.jsonl").write_text("\n".join(rows))
    return folder


@pytest.fixture
def run(tmp_path: Path) -> str:
    """Locator of the step that failed in another run."""
    injected = inject(clean_runs(9)[8], KINDS[1], seed=77)
    (tmp_path / "new.json").write_text(injected.trace.model_dump_json())
    return f"new.json#{injected.step}"


def reply(*, sign: str = "no need to look") -> list[str]:
    """Fill the folder in by hand; the questions that were waiting."""
    asked = []
    for prompt in sorted(Path("answers").glob("*.prompt.json")):
        place = prompt.with_name(prompt.name.replace(".prompt.", ".answer."))
        if place.exists():
            continue
        user = json.loads(prompt.read_text())["user"]
        answer: object = LESSON
        if "\nQUESTIONS\n" in user:
            steps = re.findall(r"^\| (\d+)\. (.*)$", user.split("\nQUESTIONS\n")[0], re.MULTILINE)
            marked = [{"step": int(n), "yes": [1, 2] if sign in t else []} for n, t in steps]
            answer = {"answers": marked}
        place.write_text(json.dumps(answer))
        asked.append(user)
    return asked


def shown(invoke: Invoke) -> dict[str, object]:
    (id,) = [line.split()[0] for line in invoke("memory", "list").stdout.splitlines()]
    return json.loads(invoke("memory", "show", id, "--json").stdout)


def test_learn_asks_what_failures_teach(invoke: Invoke, past: Path) -> None:
    first = invoke("learn", past, *JUDGE)
    assert first.exit_code == 3
    assert "3 failures, 1 new schema, 2 merged" in first.stdout
    assert "warning[TL616]" in first.stderr and "no lesson, unanswered: write " in first.stderr
    before = shown(invoke)
    assert "judge" not in json.dumps(before) or before["judge"] is None
    assert len(reply()) == 1
    assert invoke("learn", past, *JUDGE).exit_code == 3
    assert len(reply()) == 1
    told = invoke("learn", past, *JUDGE)
    assert told.exit_code == 0, told.stderr
    assert "lesson kept: 2 questions, replay 0.50 to 1.00" in told.stderr
    assert "1 asked for, 0 failed · 1 question sent, 1 from the cache" in told.stderr
    after = shown(invoke)
    assert after["heuristics"] == LESSON["heuristics"]
    assert after["judge"] == "replay:answers" and after["signature"] == before["signature"]
    assert "asked by   replay:answers" in invoke("memory", "show", str(after["id"])).stdout
    log = invoke("memory", "log").stdout.splitlines()[-1]
    assert " lesson " in log and "replay 0.500 to 1.000" in log
    # Once is enough; taken back, the cache has it.
    assert "no lesson was asked for" in invoke("learn", past, *JUDGE).stderr
    assert invoke("memory", "undo").exit_code == 0
    assert shown(invoke) == before
    for each in Path("answers").iterdir():
        each.unlink()
    assert invoke("learn", past, *JUDGE, "--offline").exit_code == 0
    assert shown(invoke) == after
    assert invoke("memory", "check").exit_code == 0


@pytest.mark.parametrize("command", ["label", "confirm"])
def test_an_answer_may_be_followed_by_a_lesson(invoke: Invoke, run: str, command: str) -> None:
    words = ("--fix", "ask the ledger", "--category", "made up by us")
    first = invoke(command, run, *words, *JUDGE)
    assert first.exit_code == 3 and "remembered as new schema" in first.stderr
    assert len(reply()) == 1
    # The label stands: learning alone asks again.
    assert invoke("learn", *JUDGE).exit_code == 3
    assert len(reply()) == 1
    told = invoke("learn", *JUDGE)
    assert told.exit_code == 0 and "lesson kept" in told.stderr
    schema = shown(invoke)
    assert schema["heuristics"] == LESSON["heuristics"]
    assert schema["fix"] == "ask the ledger" and schema["category"] == "made up by us"
    assert schema["agentrx"] is None
    assert str(schema["title"]).startswith("made up by us: Answers from memory")


def test_a_refused_lesson_changes_nothing(invoke: Invoke, run: str) -> None:
    for _ in range(2):
        assert invoke("label", run, *JUDGE).exit_code == 3
        reply(sign="looking up the order")
    before = shown(invoke)
    told = invoke("label", run, *JUDGE)
    assert told.exit_code == 0 and "lesson refused, replay 0.50 to 0.50" in told.stderr
    assert shown(invoke) == before and before["heuristics"] == []


def test_a_judge_of_the_settings_is_not_asked_for_lessons(invoke: Invoke, run: str) -> None:
    Path("traceloc.toml").write_text('judge = "replay:answers"\n')
    assert invoke("label", run).exit_code == 0
    assert invoke("learn").exit_code == 0
    assert not Path("answers").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--judge", "no-provider"), "TL603"),
        (("--judge", ","), "TL603"),
        (("--judge", "replay:x", "--judge-budget", "9"), "TL602"),
    ],
)
@pytest.mark.parametrize("command", ["label", "learn"])
def test_a_judge_that_cannot_be_meant_stops_before_anything_is_written(
    invoke: Invoke, run: str, past: Path, command: str, arguments: tuple[str, ...], code: str
) -> None:
    target = run if command == "label" else str(past)
    refused = invoke(command, target, *arguments)
    assert refused.exit_code == 2 and f"error[{code}]" in refused.stderr
    assert not Path("home/memory.db").exists() and not Path("home/labels.db").exists()


def test_without_a_memory_there_is_nothing_to_teach(
    invoke: Invoke, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACELOC_MEMORY", "none")
    refused = invoke("label", run, *JUDGE)
    assert refused.exit_code != 0 and "TL541" in refused.stderr
    assert not Path("answers").exists()


def test_what_was_learned_is_shown_to_judges_of_later_scans(
    invoke: Invoke, past: Path, run: str
) -> None:
    for _ in range(3):
        invoke("learn", past, *JUDGE)
        reply()
    assert shown(invoke)["judge"] == "replay:answers"
    path = run.partition("#")[0]
    invoke("scan", path, "--judge", "replay:scan")
    (prompt,) = Path("scan").glob("*.prompt.json")
    user = json.loads(prompt.read_text())["user"]
    hints = user.split("FAILURES OF OTHER RUNS")[1].split("LOG")[0]
    assert "from what i remember <name> has about <num> members" in hints
    assert "? Does it decline a lookup?" in hints
    for file in past.glob("*.json"):
        assert file.name not in user and str(past) not in user
    assert "#" not in hints and "desk-" not in hints
    invoke("scan", path, "--judge", "replay:silent", "--no-memory")
    (prompt,) = Path("silent").glob("*.prompt.json")
    assert "FAILURES OF OTHER RUNS" not in prompt.read_text()
    Path("clean.json").write_text(clean_runs(9)[7].model_dump_json())
    invoke("scan", "clean.json", "--judge", "replay:clean")
    for prompt in Path("clean").glob("*.prompt.json"):
        assert "FAILURES OF OTHER RUNS" not in prompt.read_text()


@pytest.mark.parametrize("format", ["json", "jsonl", "yaml"])
def test_lessons_travel_between_teams(
    invoke: Invoke, past: Path, tmp_path: Path, format: str
) -> None:
    if format == "yaml":
        pytest.importorskip("yaml", reason="PyYAML is not installed")
    for _ in range(3):
        invoke("learn", past, *JUDGE)
        reply()
    ours = shown(invoke)
    assert invoke("memory", "export", "-f", format, "-o", f"ours.{format}").exit_code == 0
    theirs = tmp_path / "theirs.db"
    assert "1 taken in" in invoke("memory", "import", f"ours.{format}", "--memory", theirs).stderr
    shown_there = invoke("memory", "show", str(ours["id"]), "--json", "--memory", theirs).stdout
    assert json.loads(shown_there) == ours
    # A version seen less often than theirs is not taken in; one seen more often is.
    for seen, taken in ((1, 0), (3, 0), (9, 1)):
        changed = json.loads(json.dumps(ours)) | {"fix": f"fix of {seen}"}
        changed["counts"]["seen"] = seen
        Path("changed.json").write_text(json.dumps({"schemata": [changed]}))
        told = invoke("memory", "import", "changed.json", "--memory", theirs)
        assert f"1 schema read, {taken} taken in" in told.stderr
    now = json.loads(invoke("memory", "show", str(ours["id"]), "--json", "--memory", theirs).stdout)
    assert now["fix"] == "fix of 9"
    assert invoke("memory", "undo", "--memory", theirs).exit_code == 0
    assert invoke("memory", "check", "--memory", theirs).exit_code == 0
