"""The pages cannot rot: every Python example runs, every excerpt looks like what is printed now."""

from __future__ import annotations

import difflib
import importlib.util
import re
import shutil
from importlib import resources
from pathlib import Path
from types import ModuleType

import pytest

from traceloc import load

ROOT = Path(__file__).parent.parent


def load_refresh() -> ModuleType:
    spec = importlib.util.spec_from_file_location("refresh", ROOT / "docs" / "refresh.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REFRESH = load_refresh()
PAGES = {page.relative_to(ROOT).as_posix(): page for page in REFRESH.PAGES}
LINKING = PAGES | {page.relative_to(ROOT).as_posix(): page for page in REFRESH.FRAMEWORKS}
EXCERPTS = [
    pytest.param(fence.body, id=f"{name}:{fence.line}")
    for name, page in PAGES.items()
    for fence in REFRESH.find_fences(page.read_text(encoding="utf-8"), "console")
]
LOGS = [
    pytest.param(page, fence.body, id=f"{page.stem}:{fence.line}")
    for page in REFRESH.FRAMEWORKS
    for language in ("json", "jsonl")
    for fence in REFRESH.find_fences(page.read_text(encoding="utf-8"), language)
]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")

needs_weights = pytest.mark.skipif(
    not resources.files("traceloc.ranking").joinpath("weights.json").is_file(),
    reason="no ranking model is shipped yet",
)


@needs_weights
@pytest.mark.parametrize("name", PAGES)
def test_python_examples_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = PAGES[name]
    fences = list(REFRESH.find_fences(page.read_text(encoding="utf-8"), "python"))
    if not fences:
        pytest.skip("has no Python examples")
    for folder in ROOT.glob("examples/*/trace.*"):
        target = tmp_path / folder.relative_to(ROOT)
        target.parent.mkdir(parents=True)
        shutil.copy(folder, target)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "example"}
    for fence in fences:
        # Empty lines in front, so that a traceback names the line of the page.
        code = compile("\n" * (fence.line - 1) + fence.body, str(page), "exec")
        exec(code, names)
    assert "Error" not in capsys.readouterr().err


@needs_weights
@pytest.mark.parametrize("body", EXCERPTS)
def test_excerpts_look_like_what_is_printed(body: str) -> None:
    command, _, shown = body.partition("\n")
    printed = REFRESH.run_console(command)
    assert printed.code == 0, printed.text
    # Loosely: numbers and ranks move with the weights, the shape of the report does not.
    left, right = (re.sub(r"[\d█▏▎▍▌▋▊▉]+", "0", text).split() for text in (shown, printed.text))
    assert difflib.SequenceMatcher(None, left, right, autojunk=False).ratio() > 0.5


def test_the_accuracy_table_is_the_measured_one() -> None:
    if not REFRESH.ACCURACY.exists():
        pytest.skip("nothing was measured yet")
    table = REFRESH.render_accuracy(REFRESH.ACCURACY.read_text(encoding="utf-8"))
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert table in page, "run `make docs`"


@pytest.mark.parametrize("name", LINKING)
def test_links_lead_somewhere(name: str) -> None:
    page = LINKING[name]
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_page_of_signals_is_made_from_them() -> None:
    assert REFRESH.SIGNALS.read_text(encoding="utf-8") == REFRESH.render_signals(), (
        "run `make docs`"
    )


# A plugin that nobody can read about does not exist.


def shipped(kind: str) -> list[str]:
    from traceloc.registry import Registry

    return [info.name for info in Registry().list(kind) if info.distribution == "traceloc"]


def rows(page: Path) -> list[list[str]]:
    """Cells of all tables of a page."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line[:1] == "|"]


def test_every_loader_has_a_page_and_a_line_in_both_tables() -> None:
    loaders = shipped("loaders")
    pages = {page.stem for page in REFRESH.FRAMEWORKS} - {"README"}
    assert pages == set(loaders)
    index = {row[1] for row in rows(ROOT / "docs" / "frameworks" / "README.md") if len(row) == 5}
    assert index - {"loader", "---"} == {f"[`{name}`]({name}.md)" for name in loaders}
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("| loader | reads |\n")[2]
    listed = re.findall(r"^\| `(\w+)` \|", table.partition("\n\n")[0], re.MULTILINE)
    assert listed == sorted(loaders)


@pytest.mark.parametrize("page", REFRESH.FRAMEWORKS, ids=lambda page: page.stem)
def test_a_page_of_a_framework_says_what_it_must(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# ")
    if page.stem != "README":
        titles = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert titles == ["Get the log out", "What traceloc understands", "What it cannot"]
        assert "traceloc scan" in text


@pytest.mark.parametrize(("page", "log"), LOGS)
def test_a_log_shown_on_a_page_is_read_by_its_loader(page: Path, log: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(log, encoding="utf-8")
    (trace,) = load(path, strict=True)
    assert trace.format == page.stem
    assert len(trace.steps) > 1


@pytest.mark.parametrize(
    ("kind", "noun"),
    [
        ("reporters", "reporter"),
        ("embedders", "embedder"),
        ("memories", "memory"),
        ("judges", "judge"),
    ],
)
def test_every_other_plugin_is_in_the_table_of_its_kind(kind: str, noun: str) -> None:
    table = rows(ROOT / "docs" / "architecture.md")
    listed = [row[1] for row in table if len(row) == 4 and row[0] == noun]
    assert sorted(listed) == sorted(f"`{name}`" for name in shipped(kind))


def test_no_kind_of_plugin_is_forgotten_here() -> None:
    from traceloc.contracts import KINDS

    assert set(KINDS) == {"loaders", "signals", "reporters", "embedders", "memories", "judges"}
