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

ROOT = Path(__file__).parent.parent


def load_refresh() -> ModuleType:
    spec = importlib.util.spec_from_file_location("refresh", ROOT / "docs" / "refresh.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REFRESH = load_refresh()
PAGES = {page.relative_to(ROOT).as_posix(): page for page in REFRESH.PAGES}
EXCERPTS = [
    pytest.param(fence.body, id=f"{name}:{fence.line}")
    for name, page in PAGES.items()
    for fence in REFRESH.find_fences(page.read_text(encoding="utf-8"), "console")
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


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    page = PAGES[name]
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_loader_is_in_the_readme() -> None:
    from traceloc.registry import Registry

    page = (ROOT / "README.md").read_text(encoding="utf-8")
    for plugin in Registry().list("loaders"):
        if plugin.distribution == "traceloc":
            assert f"| `{plugin.name}` |" in page
