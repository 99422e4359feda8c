"""``--judge`` and ``judge-replay`` on the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cli_samples import Invoke, native

from traceloc.judging.endpoint import ChatAnswer, ChatRequest, ChatServer
from traceloc.report import ReportDocument

FAULTY = ("plan the trip", "FAULT: a ticket costs 120 EUR", "the total is 120 EUR")
COMMAND = "from traceloc.cli import main; main()"


@pytest.fixture(autouse=True)
def judges(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRACELOC_PLUGINS", "native,text,json,jsonl,replay,pydantic_ai")
    monkeypatch.setenv("TRACELOC_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("traceloc.judging.asking.RETRY_WAIT", 0.0)


def answer_all(folder: Path, step: int, **more: object) -> int:
    """Fill a folder in by hand."""
    answer = {"claim": f"At #{step} it goes wrong.", "step": step, "agent": None, "cites": [step]}
    for prompt in folder.glob("*.prompt.json"):
        place = prompt.with_name(prompt.name.replace(".prompt.", ".answer."))
        place.write_text(json.dumps(answer | more))
    return len(list(folder.glob("*.prompt.json")))


def test_the_whole_path_without_a_key(invoke: Invoke, runs: Path) -> None:
    first = invoke("scan", "runs/a.json", "--judge", "replay:answers")
    assert first.exit_code == 3
    assert "judge   no verdict, unanswered: write " in first.stdout
    assert "error[TL130]: judges gave no verdict on 1 trace" in first.stderr
    assert answer_all(Path("answers"), 2, agent="Planner") == 1
    again = invoke("scan", "runs/a.json", "--judge", "replay:answers")
    assert again.exit_code == 0, again.stderr
    assert again.stdout.startswith("● runs/a.json#2\n")
    assert "judge   #2, not #1: At #2 it goes wrong." in again.stdout
    assert "judged: 1 answered (1 unlike the ranker), 0 failed · 1 question sent" in again.stdout
    for each in Path("answers").iterdir():
        each.unlink()
    offline = invoke("scan", "runs/a.json", "--judge", "replay:answers", "--offline")
    assert offline.exit_code == 0
    assert "price unknown" in again.stdout
    assert "0 questions sent, 1 from the cache" in offline.stdout
    assert "$" not in offline.stdout and "price" not in offline.stdout
    assert offline.stdout.splitlines()[:8] == again.stdout.splitlines()[:8]


def test_json_carries_the_judgement(invoke: Invoke, runs: Path) -> None:
    invoke("scan", "runs/a.json", "--judge", "replay:answers")
    answer_all(Path("answers"), 1)
    result = invoke("scan", "runs", "--judge", "replay:answers", "-f", "json", "-k", "2")
    document = ReportDocument.model_validate_json(result.stdout)
    judged = {a.trace_id: a for a in document.attributions}
    assert judged["a"].judgement is not None and judged["a"].judgement.verdict is not None
    assert judged["a"].judgement.verdict.step == 1 and len(judged["a"].candidates) == 2
    assert judged["a"].window is None
    assert judged["b"].judgement is not None and judged["b"].judgement.failure is not None
    assert judged["d"].judgement is None  # nothing to judge
    assert (document.summary.judged, document.summary.unjudged) == (1, 2)
    assert result.exit_code == 3


def test_the_same_answers_give_the_same_bytes(invoke: Invoke, runs: Path) -> None:
    invoke("scan", "runs", "--judge", "replay:answers")
    answer_all(Path("answers"), 1)
    arguments = ("scan", "runs", "--judge", "replay:answers", "-f", "json")
    invoke(*arguments)
    assert invoke(*arguments).stdout_bytes == invoke(*arguments).stdout_bytes


def test_without_a_judge_nothing_is_said_of_one(invoke: Invoke, runs: Path) -> None:
    assert "judge" not in invoke("scan", "runs").stdout
    assert not Path("home/judge.db").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--judge", "replay:x", "--judge-strategy", "guess"], "TL601"),
        (["--judge", "replay:x", "--judge-budget", "12"], "TL602"),
        (["--judge", ","], "TL603"),
        (["--judge", "no-provider"], "TL603"),
        (["--judge", "m", "--judge-url", "nowhere"], "TL603"),
    ],
)
def test_wrong_usage(invoke: Invoke, runs: Path, arguments: list[str], code: str) -> None:
    result = invoke("scan", "runs/a.json", *arguments)
    assert result.exit_code == 2
    assert f"error[{code}]" in result.stderr


def test_settings_speak_of_judges(invoke: Invoke, runs: Path) -> None:
    Path("traceloc.toml").write_text(
        'judge = "replay:answers"\njudge-redact = ["ticket \\\\w+"]\njudge-budget = 9000\n'
    )
    invoke("scan", "runs/a.json")
    (prompt,) = Path("answers").glob("*.prompt.json")
    user = json.loads(prompt.read_text())["user"]
    assert "FAULT: a <REDACTED_1> 120 EUR" in user
    result = invoke("scan", "runs/a.json", "--judge-budget", "1")
    assert "error[TL602]" in result.stderr


def test_a_bad_setting_is_named(invoke: Invoke, runs: Path) -> None:
    Path("traceloc.toml").write_text('judge-redact = "x"\n')
    assert "expected a list of texts" in invoke("scan", "runs").stderr
    Path("traceloc.toml").write_text("judge-timeout = 0\n")
    assert "expected a number of seconds above 0" in invoke("scan", "runs").stderr


def test_hostile_claims_are_shown_harmless(invoke: Invoke, runs: Path) -> None:
    invoke("scan", "runs/a.json", "--judge", "replay:answers")
    answer_all(Path("answers"), 1, claim="At #1 \x1b[2J\u202e[/bold] x")
    shown = invoke("scan", "runs/a.json", "--judge", "replay:answers").stdout
    assert "\x1b" not in shown and "\u202e" not in shown and "[/bold] x" in shown


def test_several_models_are_a_jury(invoke: Invoke, runs: Path) -> None:
    invoke("scan", "runs/a.json", "--judge", "replay:one,replay:two")
    answer_all(Path("one"), 1)
    answer_all(Path("two"), 1)
    shown = invoke("scan", "runs/a.json", "--judge", "replay:one,replay:two").stdout
    assert "judge   #1 (2 of 2 votes): At #1 it goes wrong." in shown


def test_eval_judges_labelled_traces(invoke: Invoke, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    rows = []
    for i in range(4):
        (folder / f"{i}.json").write_text(native(str(i), *FAULTY, f"end of {i}"))
        rows.append(json.dumps({"file": f"{i}.json", "step": 1, "agent": "Writer"}))
    (folder / "labels.jsonl").write_text("\n".join(rows))
    Path("model.json").write_text('{"name": "plain"}')
    arguments = ("eval", "set", "--judge", "replay:answers", "--model", "model.json")
    first = invoke(*arguments, "--repeats", "2")
    assert first.exit_code == 3, first.stderr
    assert "8 unanswered" in first.stdout
    assert answer_all(Path("answers"), 1) > 4  # the order of the candidates differs
    result = invoke(*arguments, "--format", "json", "--repeats", "2")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    exact = {row["method"]: row["exact"] for row in found["rows"]}
    assert exact["judge"] == 1.0 and found["bills"][0]["flip_rate"] == 0.0
    refused = invoke("eval", "set", "--judge", "replay:x", "--protocol", "loso")
    assert refused.exit_code == 2 and "error[TL608]" in refused.stderr


def run_process(*arguments: str, home: Path, cwd: Path) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TRACELOC_")}
    environment |= {"TRACELOC_HOME": str(home), "PYTHONUTF8": "1"}
    (cwd / "plain.json").write_text('{"name": "plain"}')
    return subprocess.Popen(
        [sys.executable, "-P", "-c", COMMAND, *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment | {"TRACELOC_MODEL": "plain.json"},
    )


def test_replay_serves_until_interrupted(tmp_path: Path) -> None:
    arguments = ("judge-replay", "answers", "--port", "0")
    process = run_process(*arguments, home=tmp_path / "home", cwd=tmp_path)
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert url.startswith("http://127.0.0.1:")
    import urllib.request

    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "which?"}]})
    request = urllib.request.Request(f"{url}/chat/completions", body.encode(), method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=30)
    assert caught.value.code == 404
    caught.value.close()
    (prompt,) = (tmp_path / "answers").glob("*.prompt.json")
    prompt.with_name(prompt.name.replace(".prompt.", ".answer.")).write_text("the third")
    with urllib.request.urlopen(request, timeout=30) as response:
        assert json.load(response)["choices"][0]["message"]["content"] == "the third"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130 and "1 answered, 1 unanswered" in said


def test_an_interrupted_scan_goes_on_where_it_was(tmp_path: Path) -> None:
    pytest.importorskip("pydantic_ai")
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(40):
        texts = (f"plan trip {i}", f"I assume it costs {100 + i} EUR", f"it costs {100 + i} EUR")
        (folder / f"{i:02}.json").write_text(native(f"t{i}", *texts))
    asked: list[str] = []
    halfway, go_on = threading.Event(), threading.Event()

    def answer(request: ChatRequest) -> ChatAnswer:
        asked.append(request.user)
        if len(asked) == 20:
            halfway.set()
        if len(asked) > 20 and not go_on.is_set():
            time.sleep(0.5)  # so that the interrupt meets questions under way
        text = json.dumps({"claim": "At #1.", "step": 1, "agent": None, "cites": [1]})
        return ChatAnswer(text)

    with ChatServer(answer) as server:
        arguments = ("scan", "many", "-f", "json", "--judge", "m", "--judge-url", server.url)
        process = run_process(*arguments, home=tmp_path / "home", cwd=tmp_path)
        assert halfway.wait(60)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130, said
        assert "interrupted" in said and "Traceback" not in said
        go_on.set()
        before = len(asked)
        process = run_process(*arguments, home=tmp_path / "home", cwd=tmp_path)
        shown, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    document = ReportDocument.model_validate_json(shown)
    assert document.summary.judged == 40
    # What was answered is not asked again; what was under way is, at most.
    assert 40 <= len(asked) <= 40 + (before - 20) + 8
    assert len(set(asked)) == 40
