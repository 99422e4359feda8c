"""``traceloc plugins``: what is listed, checked and written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_samples import Invoke, native

from traceloc.registry import Registry

BROKEN = """
class Broken:
    name = "broken"
    api_version = 1
    def sniff(self, head):
        return 2.0
    def load(self, sources):
        for source in sources:
            source.document()["x"]
            yield
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Puts a distribution with one plugin on the path."""

    def put(name: str, *, code: str | None = BROKEN, value: str = "kit_broken:Broken") -> Path:
        info = tmp_path / "site" / f"{name.replace('-', '_')}-0.3.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.3\n")
        (info / "entry_points.txt").write_text(f"[traceloc.loaders]\nbroken = {value}\n")
        if code is not None:
            (info.parent / "kit_broken.py").write_text(code)
        monkeypatch.syspath_prepend(info.parent)
        monkeypatch.setenv("TRACELOC_PLUGINS", "native,text,broken,position")
        return info.parent / "kit_broken.py"

    yield put
    import sys

    sys.modules.pop("kit_broken", None)


def test_the_list_tells_distribution_version_and_file(invoke: Invoke, install: Any) -> None:
    file = install("traceloc-strange")
    lines = invoke("plugins", "list", "loader").stdout.splitlines()
    assert lines[0] == "loaders"
    assert lines[1].split() == ["broken", "traceloc-strange", "0.3", str(file)]
    assert lines[2].split()[:2] == ["native", "traceloc"]
    assert lines[2].endswith("native.py")


def test_a_module_that_is_missing_is_loud_without_an_import(invoke: Invoke, install: Any) -> None:
    install("traceloc-strange", code=None, value="kit_gone.inner:Broken")
    result = invoke("plugins", "list")
    assert result.exit_code == 3
    assert "  broken: there is no module 'kit_gone.inner'\n" in result.stdout
    assert result.stderr == "error[TL303]: plugin 'traceloc-strange:broken' (loaders) is broken\n"
    for command in (("plugins", "info", "broken"), ("plugins", "check", "broken"), ("doctor",)):
        result = invoke(*command)
        assert result.exit_code == 3
        assert "No module named 'kit_gone'" in result.stdout


def test_an_import_that_fails_is_loud_in_the_checkup(invoke: Invoke, install: Any) -> None:
    install("traceloc-strange", code="import nothing_of_that_name")
    assert invoke("plugins", "list").exit_code == 0
    for command in (("plugins", "list", "--check"), ("doctor",)):
        result = invoke(*command)
        assert result.exit_code == 3
        assert "No module named 'nothing_of_that_name'" in result.stdout
        assert "plugin 'traceloc-strange:broken' (loaders) is broken" in result.stderr


def test_check_says_what_to_mend(invoke: Invoke, install: Any, tmp_path: Path) -> None:
    install("traceloc-strange")
    sample = tmp_path / "sample.json"
    sample.write_text(json.dumps({"x": 1}))
    result = invoke("plugins", "check", "broken", "--sample", str(sample))
    assert result.exit_code == 1
    assert result.stdout.startswith("loader broken  traceloc-strange 0.3\n")
    assert "  broken   sniff_knows_its_own: A valid file gets a score" in result.stdout
    assert "sniff gives sample 0 2.0" in result.stdout
    assert "           stay within 0.0 and 1.0\n" in result.stdout
    assert result.stdout.endswith("1 plugin checked, 1 to mend\n")


def test_check_keeps_what_is_right(invoke: Invoke, tmp_path: Path) -> None:
    sample = tmp_path / "a.json"
    sample.write_text(native("a", "plan the trip", "it costs 120 EUR"))
    result = invoke("plugins", "check", "native", "--sample", str(sample))
    assert result.exit_code == 0, result.stdout
    assert "21 checks kept, 1 not run" in result.stdout
    result = invoke("plugins", "check", "native")
    assert result.exit_code == 3
    assert "there is no sample" in result.stdout
    assert "every_sample_gives_steps" in result.stdout
    assert "  to run   traceloc plugins check native --sample PATH\n" in result.stdout
    assert "tests/samples/run.json" in result.stdout
    assert result.stdout.endswith(
        "1 plugin checked, 0 to mend, 20 checks not run for want of a sample\n"
    )
    result = invoke("plugins", "check")
    assert result.exit_code == 0, result.stdout
    assert "4 plugins checked, 0 to mend, 20 checks not run for want of a sample\n" in result.stdout
    assert "every_sample_gives_steps" not in result.stdout
    result = invoke("plugins", "check", "--kind", "reporter")
    assert "3 plugins checked, 0 to mend\n" in result.stdout


def test_check_takes_traces_for_a_signal(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACELOC_PLUGINS", "native,position")
    sample = tmp_path / "a.json"
    sample.write_text(native("a", "plan the trip", "it costs 120 EUR"))
    result = invoke("plugins", "check", "position", "--sample", str(sample))
    assert result.exit_code == 0, result.stdout
    sample.write_text("{")
    assert invoke("plugins", "check", "position", "--sample", str(sample)).exit_code == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nativ"], "did you mean 'native'?"),
        (["wardrobe"], "no plugin called 'wardrobe' is installed"),
        (["wardrobe"], "it is installed: pip install -e ITS-FOLDER"),
        (["native", "--kind", "gadget"], "no plugin kind 'gadget'"),
        (["native", "--kind", "reporter"], "no reporter called 'native'"),
        (["text", "--sample", "x"], "samples are for one loader or one signal"),
        (["native", "--sample", "nowhere.json"], "sample 'nowhere.json' cannot be read"),
    ],
)
def test_check_is_asked_wrongly(invoke: Invoke, arguments: list[str], message: str) -> None:
    result = invoke("plugins", "check", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_name_of_two_kinds_is_chosen_by_kind(
    invoke: Invoke, install: Any, tmp_path: Path
) -> None:
    install("traceloc-strange")
    points = next((tmp_path / "site").glob("*.dist-info")) / "entry_points.txt"
    points.write_text(points.read_text() + "[traceloc.signals]\nbroken = kit_broken:Broken\n")
    result = invoke("plugins", "check", "broken")
    assert result.exit_code == 2
    assert "a loader and a signal are called 'broken'" in result.stderr
    assert "choose: --kind loader, --kind signal" in result.stderr


def test_new_writes_and_says_what_comes_next(invoke: Invoke, tmp_path: Path) -> None:
    result = invoke("plugins", "new", "stove", "--kind", "signal", "--into", str(tmp_path / "my"))
    assert result.exit_code == 0
    root = tmp_path / "my" / "traceloc-stove"
    assert str(root / "pyproject.toml") in result.stdout.splitlines()
    assert sorted(result.stdout.splitlines()) == sorted(
        str(path) for path in root.rglob("*") if path.is_file()
    )
    assert result.stderr.startswith("next: pip install -e '")
    again = invoke("plugins", "new", "stove", "--kind", "signal", "--into", str(tmp_path / "my"))
    assert again.exit_code == 2
    assert "error[TL220]" in again.stderr and "nothing was written" in again.stderr
    assert invoke("plugins", "new", "native", "--kind", "loader").exit_code == 2
    assert invoke("plugins", "new", "My-Stove", "--kind", "loader").exit_code == 2
    assert invoke("plugins", "new", "stove", "--kind", "gadget").exit_code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my"]


def test_a_kind_may_be_said_in_one_or_many() -> None:
    registry = Registry(allow=None)
    assert registry.names("loader") == registry.names("loaders")
    assert registry.list("memory") == registry.list("memories")


def test_a_sniff_that_raises_is_told_by_scan(invoke: Invoke, install: Any, tmp_path: Path) -> None:
    """Others recognise the file, so that nothing else would tell of the loader that cannot."""
    install("traceloc-strange", code=BROKEN.replace("return 2.0", "return head.nothing"))
    (tmp_path / "runs").mkdir()
    for name in ("one", "two"):
        (tmp_path / "runs" / f"{name}.json").write_text(native(name, "We plan.", "We write."))
    result = invoke("scan", str(tmp_path / "runs"), "--no-memory")
    assert result.exit_code == 0
    (line,) = [each for each in result.stderr.splitlines() if "TL308" in each]
    assert line.startswith("warning[TL308]: plugin 'traceloc-strange:broken' failed 2 times: ")
    assert "AttributeError" in line
    result = invoke("scan", str(tmp_path / "runs"), "--no-memory", "--strict")
    assert result.exit_code == 3 and "error[TL308]" in result.stderr
    assert "TRACELOC_PLUGINS" in result.stderr
