"""Damaged and hostile input through the real command: one line says what and where."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from traceloc import load

CHAT = {
    "messages": [
        {"role": "user", "content": "How many lamps are left?"},
        {"role": "assistant", "content": "Twelve."},
    ]
}
GOOD = json.dumps(CHAT)
DEEP = "[" * 10_000 + "]" * 10_000
PROBLEM = re.compile(r"^error\[(TL\d{3})\]: (.+?)(?::(\d+)| \(byte (\d+)\))?: ")
INTERPRETED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Scan(NamedTuple):
    """What came of a scan."""

    code: int
    read: list[str]
    """Files of the traces that were read."""
    problems: list[tuple[str, str, int | None, int | None]]
    """Code, file, line and byte, as printed."""
    report: dict[str, Any]


@pytest.fixture(autouse=True)
def plain_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A model without weights: what is read does not depend on what is shipped."""
    for variable in list(os.environ):
        if variable.startswith("TRACELOC_") and variable != "TRACELOC_SHARED":
            monkeypatch.delenv(variable)
    (tmp_path / "plain-model").write_text('{"name": "plain"}')
    monkeypatch.setenv("TRACELOC_MODEL", str(tmp_path / "plain-model"))
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path / "runs")


@pytest.fixture
def scan() -> Callable[..., Scan]:
    """Run ``traceloc scan`` on the current folder, or on what is named."""

    def run(*arguments: str) -> Scan:
        from traceloc.cli.app import app

        command = ["scan", *(arguments or ["."]), "--format", "json", "--jobs", "1"]
        result = CliRunner().invoke(app, command)
        report = json.loads(result.stdout)
        problems = []
        for line in result.stderr.splitlines():
            if line.startswith("error[TL130]"):
                continue
            if found := PROBLEM.match(line):
                code, path, number, byte = found.groups()
                place = (int(number) if number else None, int(byte) if byte else None)
                problems.append((code, Path(path).name, *place))
            else:
                assert line.startswith("hint: "), line
        assert len(problems) == len(report["problems"])
        read = [item["locator"].partition("#")[0] for item in report["attributions"]]
        return Scan(result.exit_code, [Path(each).name for each in read], problems, report)

    return run


def write(name: str, content: str | bytes) -> None:
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())


def numbered(number: int) -> str:
    return GOOD.replace("Twelve", f"{number * 7919 % 1_000_003} lamps") + "\n"


def cut_gzip(text: str) -> bytes:
    return gzip.compress(text.encode())[:-12]


UNREADABLE = {
    "empty.json": (b"", "TL106", None, 0),
    "blank.jsonl": (b"\n \n", "TL106", None, 0),
    "cut-early.json": (b'{"messages": [', "TL103", 1, None),
    "garbage.json": (bytes(range(1, 256)) + b"\x00" * 9, "TL103", None, 255),
    "words.json": (b"Traceback (most recent call last):\n", "TL103", None, 0),
    "utf32.json": (GOOD.encode("utf-32"), "TL103", None, 0),
    "deep.json": (DEEP, "TL107", 1, None),
    "deep-inside.json": (GOOD.replace('"Twelve."', DEEP), "TL107", 1, None),
    "bad-syntax.json": (GOOD.replace("}, {", "},\n ; {"), "TL103", 2, None),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_one_line(scan: Callable[..., Scan], name: str) -> None:
    content, code, line, byte = UNREADABLE[name]
    write(name, content)
    write("good.json", GOOD)
    found = scan()
    assert found.problems == [(code, name, line, byte)]
    assert found.read == ["good.json"]
    assert found.code == 3
    assert found.report["summary"]["unreadable"] == 1


DAMAGED = {
    "cut.json": (GOOD[:-5], 1, ("TL103", 1, None)),
    "latin-1.json": (GOOD.replace("Twelve", "caf\xe9").encode("latin-1"), 1, ("TL104", None, 108)),
    "nul-padded.json": (f"{GOOD}\n{chr(0) * 500}", 1, ("TL103", 2, None)),
    "nul-line.jsonl": (f"{GOOD}\n{chr(0) * 500}\n{GOOD}\n", 2, ("TL103", 2, None)),
    "broken-line.jsonl": (f"{GOOD}\n{{broken\n{GOOD}\n", 2, ("TL103", 2, None)),
    "first-line.jsonl": (f"{GOOD[:20]}\n{GOOD}\n{GOOD}\n", 2, ("TL103", 1, None)),
    "last-line.jsonl": (f"{GOOD}\n{GOOD}\n{GOOD[:30]}", 2, ("TL103", 3, None)),
    "deep-line.jsonl": (f"{GOOD}\n{DEEP}\n{GOOD}\n", 2, ("TL107", 2, None)),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_stands_around_the_damage_is_read(scan: Callable[..., Scan], name: str) -> None:
    content, traces, (code, line, byte) = DAMAGED[name]
    write(name, content)
    found = scan()
    assert found.problems == [(code, name, line, byte)]
    assert len(found.read) == traces
    assert found.code == 3
    assert found.report["summary"]["damaged"] == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom"])
@pytest.mark.parametrize("text", [GOOD, json.dumps(CHAT, indent=2), f"{GOOD}\n{GOOD}\n"])
def test_marked_encodings_are_read(scan: Callable[..., Scan], encoding: str, text: str) -> None:
    said = text.replace("Twelve", "caf\xe9 \u2028")
    data = b"\xff\xfe" + said.encode("utf-16-le") if "bom" in encoding else said.encode(encoding)
    write("run.json", data)
    found = scan()
    assert (found.code, found.problems) == (0, [])
    texts = {trace.steps[1].text for trace in load("run.json", strict=True)}
    assert texts == {"caf\xe9 \u2028."}


@pytest.mark.parametrize(
    "text",
    [f"[\n{GOOD}\n]", f"[{GOOD},\n{GOOD}\n]", f'{{"run":\n{GOOD}\n}}', f"[\n{GOOD},\n{GOOD}]"],
)
def test_an_object_on_a_line_of_its_own_makes_no_json_lines(
    scan: Callable[..., Scan], text: str
) -> None:
    write("run.json", text)
    assert scan().problems == []


def test_binary_files_that_are_not_called_json_are_no_failure(scan: Callable[..., Scan]) -> None:
    write("good.json", GOOD)
    write("image.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    write("notes.md", "# what we saw\n")
    found = scan()
    assert (found.code, found.problems, found.read) == (0, [], ["good.json"])
    assert found.report["summary"]["ignored"] == 2


def test_one_line_of_200_mb(scan: Callable[..., Scan]) -> None:
    size = 200 * 1024 * 1024
    with Path("long.jsonl").open("wb") as stream:
        stream.write(f"{GOOD}\n".encode())
        stream.seek(size, os.SEEK_CUR)  # a hole: NUL bytes that take no space
        stream.write(f"\n{GOOD}\n".encode())
    found = scan()
    assert found.problems == [("TL105", "long.jsonl", 2, None)]
    assert len(found.read) == 2


def test_a_bomb_is_refused_and_what_is_only_dense_is_not(scan: Callable[..., Scan]) -> None:
    blanks = b" " * (80 * 1024 * 1024)
    write("bomb.json.gz", gzip.compress(GOOD.encode() + blanks, compresslevel=9))
    write("dense.json.gz", gzip.compress(GOOD.encode() + b" " * 1024 * 1024))
    found = scan()
    ((code, name, _, byte),) = found.problems
    assert (code, name) == ("TL108", "bomb.json.gz")
    assert byte is not None and byte <= len(blanks)
    assert found.read == ["dense.json.gz"]


def test_a_gzip_that_was_cut_keeps_its_lines(scan: Callable[..., Scan]) -> None:
    write("cut.jsonl.gz", cut_gzip("".join(numbered(i) for i in range(300))))
    write("cut.json.gz", cut_gzip(GOOD))
    write("tail.jsonl.gz", gzip.compress(f"{GOOD}\n{GOOD}\n".encode()) + b"tail")
    write("renamed.json.gz", GOOD)
    found = scan()
    stopped = [name for code, name, *_ in found.problems if code == "TL101"]
    assert stopped == ["cut.json.gz", "cut.jsonl.gz", "tail.jsonl.gz"]
    assert sum(name.startswith("cut.jsonl.gz") for name in found.read) > 200
    assert "renamed.json.gz" in found.read


def spans(*parents: tuple[str, str | None]) -> str:
    """An OTLP document: model calls with these ids and parents."""
    listed = []
    for at, (span, parent) in enumerate(parents):
        part = {"type": "text", "content": f"Shelf {at} is empty."}
        message = json.dumps([{"role": "assistant", "parts": [part]}])
        said = {"key": "gen_ai.output.messages", "value": {"stringValue": message}}
        kind = {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}
        listed.append(
            {
                "traceId": "0a" * 16,
                "spanId": span * 8,
                "parentSpanId": parent * 8 if parent else "",
                "name": "chat",
                "startTimeUnixNano": str(1_700_000_000_000_000_000 + at),
                "endTimeUnixNano": str(1_700_000_000_000_000_001 + at),
                "attributes": [kind, said],
            }
        )
    scope = {"scope": {"name": "test"}, "spans": listed}
    return json.dumps({"resourceSpans": [{"resource": {}, "scopeSpans": [scope]}]})


@pytest.mark.parametrize(
    ("parents", "noted"),
    [
        ([("a1", "b2"), ("b2", "a1")], "parent links that form a circle were cut"),
        ([("a1", "a1"), ("b2", None)], "parent links that form a circle were cut"),
        ([("a1", None), ("b2", "b2"), ("c3", "b2")], "parent links that form a circle were cut"),
        ([("a1", "cc"), ("b2", "dd")], "the parent spans of some spans are not in the trace"),
    ],
    ids=["cycle", "own parent", "cycle beside the root", "orphans"],
)
def test_impossible_span_trees_are_read(
    scan: Callable[..., Scan], parents: Any, noted: str
) -> None:
    write("run.json", spans(*parents))
    found = scan()
    assert (found.code, found.problems) == (0, [])
    (trace,) = load("run.json", strict=True)
    assert len(trace.spans) == len(parents)
    assert trace.steps
    assert any(note.message.startswith(noted) for note in trace.diagnostics)


def test_a_span_that_was_exported_twice_is_kept_once(scan: Callable[..., Scan]) -> None:
    write("run.json", spans(("a1", None), ("a1", None)))
    assert scan().problems == []
    (trace,) = load("run.json", strict=True)
    assert len(trace.spans) == len(trace.steps) == 1
    assert "exported more than once" in trace.diagnostics[0].message


def test_equal_trace_ids_stay_apart(scan: Callable[..., Scan]) -> None:
    write("runs.jsonl", f"{GOOD}\n{GOOD}\n")
    first, second = scan().report["attributions"]
    assert second["trace_id"] == f"{first['trace_id']}~2"
    assert first["locator"] != second["locator"]


def test_equal_call_ids_stay_apart(scan: Callable[..., Scan]) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    asked = {"role": "assistant", "content": None, "tool_calls": [call]}
    answer = {"role": "tool", "tool_call_id": "c", "content": "12"}
    write("run.json", json.dumps({"messages": [asked, answer, asked, answer]}))
    assert scan().problems == []
    (trace,) = load("run.json", strict=True)
    joined = [step.tool_result.call_step for step in trace.steps if step.tool_result]
    assert joined == [0, 2]


def test_formats_may_be_mixed(scan: Callable[..., Scan]) -> None:
    write("chat.json", GOOD)
    write("spans.json", spans(("a1", None)))
    write("share.json", json.dumps({"conversations": [{"from": "human", "value": "Hi"}] * 2}))
    write("broken.json", "{")
    found = scan()
    assert sorted(found.read) == ["chat.json", "share.json", "spans.json"]
    assert [problem[1] for problem in found.problems] == ["broken.json"]
    formats = {item["format"] for item in found.report["attributions"]}
    assert formats == {"openai_chat", "otel", "sharegpt"}


@pytest.mark.skipif(sys.platform == "win32", reason="needs symlinks")
def test_a_loop_of_folders_is_walked_once(scan: Callable[..., Scan]) -> None:
    Path("inner").mkdir()
    write("inner/run.json", GOOD)
    Path("inner/loop").symlink_to("..")
    Path("dangling.json").symlink_to("nowhere.json")
    Path("itself.json").symlink_to("itself.json")
    Path("again.json").symlink_to("inner/run.json")
    found = scan()
    assert [problem[:2] for problem in found.problems] == [("TL109", "loop")]
    assert len(found.read) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_a_folder_is_passed_over_and_a_named_one_is_read(
    scan: Callable[..., Scan],
) -> None:
    os.mkfifo("pipe.json")
    write("run.json", GOOD)
    assert scan().read == ["run.json"]
    writer = threading.Thread(target=Path("pipe.json").write_text, args=[GOOD], daemon=True)
    writer.start()
    assert scan("pipe.json").read == ["pipe.json"]
    writer.join(timeout=10)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file"
)
def test_a_file_without_permission(scan: Callable[..., Scan]) -> None:
    write("good.json", GOOD)
    write("secret.json", GOOD)
    Path("secret.json").chmod(0)
    found = scan()
    assert found.problems == [("TL101", "secret.json", None, None)]
    assert found.read == ["good.json"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are Unicode")
def test_a_file_name_that_is_not_utf8_stops_nothing(scan: Callable[..., Scan]) -> None:
    for name, content in ((b"a\xff.json", GOOD), (b"b\xff.json", '{"messages":['), (b"c", GOOD)):
        Path(os.fsdecode(name)).write_text(content)
    found = scan()
    assert found.read == ["a\\udcff.json", "c"]
    assert [problem["path"] for problem in found.report["problems"]] == ["b\\udcff.json"]
    (trace,) = load(os.fsdecode(b"a\xff.json"))
    assert trace.model_validate_json(trace.model_dump_json()) == trace


def test_a_file_that_is_gone(scan: Callable[..., Scan]) -> None:
    write("good.json", GOOD)
    found = scan("good.json", "gone.json")
    assert found.problems == [("TL101", "gone.json", None, None)]
    assert (found.code, found.read) == (3, ["good.json"])


HOSTILE = (
    "[bold]x[/bold] [/nope] \x1b[31mred\x1b]0;title\x07 \u202egnp.exe\u2066 \x9b2J \r\x08 a[a-z]b"
)


@pytest.mark.parametrize(
    "command", [["scan", "run.json"], ["show", "run.json"], ["show", "run.json#1"]]
)
def test_a_terminal_never_interprets_what_a_trace_says(command: list[str]) -> None:
    pty = pytest.importorskip("pty")
    named = {"role": "assistant", "name": HOSTILE, "content": f"I assume 7.25 {HOSTILE}"}
    write("run.json", json.dumps({"messages": [CHAT["messages"][0], named, named]}))
    master, slave = pty.openpty()
    program = "from traceloc.cli import main; main()"
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "200"}
    with subprocess.Popen(
        [sys.executable, "-c", program, *command],
        stdout=slave,
        stderr=subprocess.DEVNULL,  # where a progress bar may move the cursor
        stdin=subprocess.DEVNULL,
        env=environment,
    ) as process:
        os.close(slave)
        seen = b""
        try:
            while piece := os.read(master, 65536):
                seen += piece
        except OSError:  # the terminal ends with the process
            pass
        process.wait(timeout=60)
    os.close(master)
    # Our own colours are the one thing that may stand there.
    shown = re.sub(r"\x1b\[[\d;]*[mK]", "", seen.decode().replace("\r\n", "\n"))
    assert process.returncode == 0, shown
    assert not INTERPRETED.search(shown), INTERPRETED.search(shown)
    assert "[bold]x[/bold]" in shown
