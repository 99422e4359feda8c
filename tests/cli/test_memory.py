"""``traceloc learn`` and ``traceloc memory``, and what scans and answers do with the memory."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "memory"))

from cli_samples import Invoke  # noqa: E402
from injector import KINDS, clean_runs, inject  # noqa: E402

from traceloc import scanning  # noqa: E402

REAL = scanning.build_localizer


@pytest.fixture(autouse=True)
def whole(fenced: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The real localizer with all plugins, and a home of its own."""
    monkeypatch.delenv("TRACELOC_PLUGINS")
    monkeypatch.setattr("traceloc.scanning.build_localizer", REAL)
    monkeypatch.setenv("TRACELOC_HOME", str(tmp_path / "home"))


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Six failed runs with labels: two kinds of failures, three runs each."""
    folder = tmp_path / "past"
    folder.mkdir()
    rows = []
    for number, host in enumerate(clean_runs(6)):
        injected = inject(host, KINDS[number % 2], seed=number)
        name = f"{number}.json"
        (folder / name).write_text(injected.trace.model_dump_json())
        row = {"file": name, "step": injected.native, "category": injected.kind, "group": name}
        rows.append(json.dumps(row | {"source": "human"}))
    (folder / "labels.jsonl").write_text("\n".join(rows))
    return folder


@pytest.fixture
def again(tmp_path: Path) -> tuple[Path, int]:
    """A new run with the first kind, and the step it is in."""
    injected = inject(clean_runs(9)[8], KINDS[0], seed=77)
    path = tmp_path / "new.json"
    path.write_text(injected.trace.model_dump_json())
    return path, injected.step


def ids(invoke: Invoke) -> list[str]:
    return [line.split()[0] for line in invoke("memory", "list").stdout.splitlines()]


def test_what_was_learned_is_recognised(
    invoke: Invoke, labelled: Path, again: tuple[Path, int]
) -> None:
    learned = invoke("learn", labelled)
    assert learned.exit_code == 0
    assert "6 failures, 2 new schemata, 4 merged" in learned.stdout
    path, step = again
    shown = invoke("scan", path, "--format", "json", "--top-k", "20")
    assert shown.exit_code == 0
    claims = {
        candidate["step"]: [e["claim"] for e in candidate["evidence"]]
        for candidate in json.loads(shown.stdout)["attributions"][0]["candidates"]
    }
    assert any("looks like schema S" in claim for claim in claims[step])
    assert "seen 3 times" in " ".join(claims[step])
    silent = invoke("scan", path, "--format", "json", "--top-k", "20", "--no-memory")
    assert "looks like schema" not in silent.stdout


def test_show_says_what_a_step_looks_like(
    invoke: Invoke, labelled: Path, again: tuple[Path, int]
) -> None:
    invoke("learn", labelled)
    path, step = again
    shown = invoke("show", f"{path}#{step}")
    assert shown.exit_code == 0
    assert "looks like schema S" in " ".join(shown.stdout.split())
    silent = invoke("show", f"{path}#{step}", "--no-memory")
    assert "looks like schema" not in " ".join(silent.stdout.split())


def test_learning_twice_changes_nothing(invoke: Invoke, labelled: Path) -> None:
    invoke("learn", labelled)
    before = invoke("memory", "log").stdout
    twice = invoke("learn", labelled)
    assert "0 failures, 0 new schemata, 0 merged, 6 known" in twice.stdout
    assert twice.exit_code == 0
    assert invoke("memory", "log").stdout == before


def test_nothing_to_learn_from_is_told(invoke: Invoke, runs: Path) -> None:
    told = invoke("learn", runs)
    assert told.exit_code == 3
    assert "nothing new was learned" in told.stderr


def test_answers_teach_the_memory(invoke: Invoke, again: tuple[Path, int]) -> None:
    path, step = again
    labelled = invoke(
        "label", f"{path}#{step}", "--category", "made up", "--fix", "ask for the ledger"
    )
    assert labelled.exit_code == 0
    assert "remembered as new schema S" in labelled.stderr
    (id,) = ids(invoke)
    shown = invoke("memory", "show", id).stdout
    assert "ask for the ledger" in shown and "made up" in shown
    assert "seen 1" in shown
    # Taken back: nothing is left.
    assert invoke("labels", "--undo").exit_code == 0
    assert ids(invoke) == []


def test_a_new_label_replaces_all_of_the_old_one(invoke: Invoke, again: tuple[Path, int]) -> None:
    path, step = again
    invoke("label", f"{path}#{step}", "--category", "made up", "--fix", "ask for the ledger")
    assert invoke("label", f"{path}#{step}").exit_code == 0
    (id,) = ids(invoke)
    assert "made up" not in invoke("labels").stdout
    shown = invoke("memory", "show", id).stdout
    assert "made up" not in shown and "ask for the ledger" not in shown
    assert "seen 1" in shown
    invoke("label", f"{path}#{step}", "--category", "loop")
    assert "loop" in invoke("labels").stdout
    assert "category   loop" in invoke("memory", "show", id).stdout


def test_a_rejection_is_counted(invoke: Invoke, labelled: Path, again: tuple[Path, int]) -> None:
    invoke("learn", labelled)
    path, step = again
    assert invoke("reject", f"{path}#{step}").exit_code == 0
    counts = [
        json.loads(invoke("memory", "show", id, "--json").stdout)["counts"] for id in ids(invoke)
    ]
    assert sorted(each["rejected"] for each in counts) == [0, 1]


def test_no_memory_is_made_where_it_is_switched_off(
    invoke: Invoke, again: tuple[Path, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRACELOC_MEMORY", "none")
    path, step = again
    assert invoke("label", f"{path}#{step}").exit_code == 0
    assert not (tmp_path / "home" / "memory.db").exists()
    refused = invoke("learn", path)
    assert refused.exit_code == 2 or "TL541" in refused.stderr


def test_search_finds_by_words(invoke: Invoke, labelled: Path) -> None:
    invoke("learn", labelled)
    text = "there is no need to look this up, from what I remember Ann has 7 members"
    first, *_ = invoke("memory", "search", text).stdout.splitlines()
    assert "from_memory" in first


def test_stats_says_whether_the_memory_votes(invoke: Invoke, labelled: Path) -> None:
    invoke("learn", labelled)
    told = invoke("memory", "stats").stdout
    assert "help-desk: 2 schemata, 6 failures" in told
    assert "no vote yet: failures of 6 of 40 questions, 34 more needed" in told


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_export_and_import_give_the_same(
    invoke: Invoke, labelled: Path, tmp_path: Path, format: str
) -> None:
    invoke("learn", labelled)
    out = tmp_path / f"team.{format}"
    assert invoke("memory", "export", "--format", format, "-o", out).exit_code == 0
    other = tmp_path / "other.db"
    imported = invoke("memory", "import", out, "--memory", other)
    assert imported.exit_code == 0 and "2 schemata read, 2 taken in" in imported.stderr
    back = tmp_path / f"back.{format}"
    invoke("memory", "export", "--format", format, "-o", back, "--memory", other)
    assert back.read_text() == out.read_text()
    twice = invoke("memory", "import", out, "--memory", other)
    assert "2 schemata read, 0 taken in" in twice.stderr


def test_the_shipped_library_can_be_taken_in(invoke: Invoke) -> None:
    assert invoke("memory", "import", "seed").exit_code == 0
    assert len(ids(invoke)) >= 40
    found = invoke("memory", "list", "--category", "step repetition").stdout
    assert found and all("mast-1-3" in line for line in found.splitlines())


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[1, 2]",
        '{"schemata": 3}',
        '{"schemata": [{"id": "../../x", "signature": {"text": "a"}, "origin": "shipped"}]}',
        '{"schemata": [{"id": "S1", "signature": {"text": "a"}, "origin": "bought"}]}',
        '{"schemata": [{"id": "S1", "signature": {"text": "a"}, "origin": "shipped", "x": 1}]}',
        "[" * 100_000,
    ],
)
def test_what_is_no_export_is_refused(invoke: Invoke, tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    refused = invoke("memory", "import", path)
    assert refused.exit_code in (2, 3) and "TL54" in refused.stderr
    assert ids(invoke) == []


def test_what_is_imported_is_masked(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    schema = {"id": "Sabc", "signature": {"text": "Call Ann at 5551234"}, "origin": "labelled"}
    path.write_text(json.dumps([schema]))
    assert invoke("memory", "import", path).exit_code == 0
    assert "5551234" not in invoke("memory", "export").stdout


def test_prune_and_undo(invoke: Invoke, labelled: Path) -> None:
    invoke("learn", labelled)
    before = ids(invoke)
    pruned = invoke("memory", "prune", "--max-size", "1")
    assert pruned.exit_code == 0 and "1 schema evicted" in pruned.stderr
    assert len(ids(invoke)) == 1
    undone = invoke("memory", "undo")
    assert undone.exit_code == 0
    assert ids(invoke) == before


def test_rebuild_and_check(invoke: Invoke, labelled: Path) -> None:
    invoke("learn", labelled)
    before = invoke("memory", "export").stdout
    assert invoke("memory", "rebuild").exit_code == 0
    assert invoke("memory", "export").stdout == before
    checked = invoke("memory", "check")
    assert checked.exit_code == 0 and "sound" in checked.stderr
    assert invoke("memory", "rebuild", "--distil").exit_code == 0
    assert invoke("memory", "check").exit_code == 0


def test_an_unknown_schema_is_an_error(invoke: Invoke, labelled: Path) -> None:
    invoke("learn", labelled)
    refused = invoke("memory", "show", "Sxyz")
    assert refused.exit_code != 0 and "TL540" in refused.stderr


def test_an_empty_memory_is_no_error(invoke: Invoke) -> None:
    for command in ("list", "stats", "log", "check", "export"):
        assert invoke("memory", command).exit_code == 0
    for arguments in (("list",), ("stats",), ("search", "x")):
        told = invoke("memory", *arguments)
        assert told.exit_code == 0 and "hint: 'traceloc label TRACE#STEP'" in told.stderr


def test_what_is_not_there_is_told(invoke: Invoke, labelled: Path, tmp_path: Path) -> None:
    invoke("learn", labelled)
    invoke("memory", "import", "seed")
    told = invoke("memory", "list", "--system", "nobody")
    assert told.stdout == "" and "no schemata of 'nobody'; systems: any, help-desk" in told.stderr
    free = invoke("memory", "list", "--system", "any").stdout.splitlines()
    assert len(free) >= 40 and all(line.startswith("S-") for line in free)
    assert "no schemata of this category" in invoke("memory", "list", "--category", "x").stderr
    far = invoke("memory", "search", "xylophone quartz")
    assert far.stdout == "" and far.stderr == "nothing similar is remembered\n"
    some = invoke("memory", "search", "agent repeats the same step over and over")
    assert len(some.stdout.splitlines()) == 1 and "same-call-again" in some.stdout
    assert "none is so similar that a scan would recall it (0.50)" in some.stderr
    assert ", …" in invoke("memory", "show", "S").stderr
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "0.json").write_text((labelled / "0.json").read_text())
    bare = invoke("learn", tmp_path / "bare")
    assert bare.exit_code == 3 and "no labelled trace; labels are read from" in bare.stderr


def test_a_damaged_memory_stops_a_scan_and_no_memory_goes_on(
    invoke: Invoke, again: tuple[Path, int], tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "home" / "memory.db").write_text("this is no memory")
    path, _ = again
    stopped = invoke("scan", path)
    assert stopped.exit_code not in (0, 1) and "TL5" in stopped.stderr
    assert invoke("scan", path, "--no-memory").exit_code == 0


def test_settings_name_the_memory(
    invoke: Invoke, labelled: Path, again: tuple[Path, int], tmp_path: Path
) -> None:
    (tmp_path / "traceloc.toml").write_text('memory = "team/m.db"\n')
    (tmp_path / "team").mkdir()
    invoke("learn", labelled)
    assert (tmp_path / "team" / "m.db").exists()
    assert not (tmp_path / "home" / "memory.db").exists()
    path, step = again
    assert "looks like schema" in " ".join(invoke("show", f"{path}#{step}").stdout.split())


def test_two_processes_scan_alike(
    invoke: Invoke, labelled: Path, again: tuple[Path, int], tmp_path: Path
) -> None:
    invoke("learn", labelled)
    one = invoke("scan", labelled, "--jobs", "1", "--format", "jsonl")
    two = invoke("scan", labelled, "--jobs", "2", "--format", "jsonl")
    assert one.stdout == two.stdout and one.exit_code == two.exit_code == 0
