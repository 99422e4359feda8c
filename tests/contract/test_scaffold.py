"""A plugin of each kind, written by ``plugins new``, works as a wheel in an environment of its own.

So does each example plugin below ``examples/plugins``, if there is one.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest

from traceloc.contracts import KINDS as CONTRACTS
from traceloc.errors import UsageError
from traceloc.scaffolding import KINDS, scaffold
from traceloc.testing import list_checks

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/plugins/*/pyproject.toml"))
COMMAND = "from traceloc.cli import main; main()"
# What is installed beside the tests, and among it traceloc, is seen from the new environment too.
REUSE = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with a wheel of each plugin, and no checkout on its path."""
    home = tmp_path_factory.mktemp("scaffold")
    run(sys.executable, "-m", "venv", "--without-pip", home / "venv", cwd=home)
    for kind in KINDS:
        scaffold(f"my_{kind}", kind=kind, into=home)
    sources = [*sorted(home.glob("traceloc-my-*")), *EXAMPLES]
    for source in sources:
        target = ("-m", "hatchling", "build", "-t", "wheel", "-d", home / "dist")
        built = run(sys.executable, *target, cwd=source)
        assert built.returncode == 0, built.stderr
    wheels = sorted((home / "dist").glob("*.whl"))
    assert len(wheels) == len(sources)
    python = home / "venv" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index")
    done = run(*pip, *wheels, cwd=home)
    assert done.returncode == 0, done.stderr
    (packages,) = (home / "venv" / "lib").glob("python3*/site-packages")
    (packages / "reuse.pth").write_text(REUSE)
    return home


def test_every_kind_has_a_template() -> None:
    assert {about.group for about in KINDS.values()} == set(CONTRACTS)


def test_tests_of_the_scaffolds_pass(home: Path) -> None:
    python = home / "venv" / "bin" / "python"
    tests = [str(path) for path in sorted(home.glob("traceloc-my-*/tests"))]
    tests += [str(path / "tests") for path in EXAMPLES]
    done = run(
        python, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error",
        "--import-mode=importlib", *tests, cwd=home,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    counts = {word: int(count) for count, word in re.findall(r"(\d+) (\w+)", done.stdout)}
    expected = sum(len(list_checks(kind)) for kind in KINDS)
    assert counts["passed"] + counts["skipped"] >= expected
    assert counts["skipped"] <= 2 * len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_line_knows_them(home: Path, kind: str) -> None:
    python = home / "venv" / "bin" / "python"
    about = run(python, "-P", "-c", COMMAND, "plugins", "info", f"my_{kind}", cwd=home).stdout
    assert f"traceloc-my-{kind}:my_{kind} ({kind})\n" in about
    assert "  version  0.1.0\n" in about and "  works    yes" in about
    assert f"site-packages/traceloc_my_{kind}/__init__.py" in about
    samples = ("--sample", home / "traceloc-my-loader" / "tests" / "samples" / "run.json")
    command = ("plugins", "check", f"my_{kind}", *(samples if kind == "loader" else ()))
    checked = run(python, "-P", "-c", COMMAND, *command, cwd=home)
    # Where a memory is made, and what a judge may be asked, only its author knows.
    assert checked.returncode == (3 if kind in ("judge", "memory") else 0), checked.stdout
    assert "1 plugin checked, 0 to mend" in checked.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written(kind: str, tmp_path: Path) -> None:
    files = scaffold("wood_stove", kind=kind, into=tmp_path)
    root = tmp_path / "traceloc-wood-stove"
    assert {path.relative_to(root).as_posix() for path in files} >= {
        "pyproject.toml",
        "README.md",
        "src/traceloc_wood_stove/__init__.py",
        "src/traceloc_wood_stove/py.typed",
        "tests/test_contract.py",
    }
    project: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    (group,) = project["entry-points"]
    ((name, value),) = project["entry-points"][group].items()
    assert (group, name) == (f"traceloc.{KINDS[kind].group}", "wood_stove")
    assert value == f"traceloc_wood_stove:WoodStove{kind.capitalize()}"
    for path in files:
        text = path.read_text()
        assert "$" not in text, path
        assert all(len(line) <= 100 for line in text.splitlines()), text
    check = ("-m", "ruff", "check", "--isolated", "--select", "E,F,I,W,UP,B,SIM", "--line-length")
    for command in ((*check, "100"), ("-m", "ruff", "format", "--check", "--line-length", "100")):
        done = run(sys.executable, *command, root, cwd=root)
        assert done.returncode == 0, done.stdout


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    files = scaffold("stove", kind="signal", into=tmp_path)
    before = {path: path.read_bytes() for path in files}
    files[0].write_text("mine")
    for kind in KINDS:
        with pytest.raises(UsageError, match="is there already"):
            scaffold("stove", kind=kind, into=tmp_path)
    assert files[0].read_text() == "mine"
    assert {path: path.read_bytes() for path in files[1:]} == dict(list(before.items())[1:])
    (tmp_path / "traceloc-link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="is there already"):
        scaffold("link", kind="signal", into=tmp_path)


@pytest.mark.parametrize(
    "name",
    ["", "A", "1a", "a-b", "a b", "../a", "a.b", "class", "a__b", "_a", "a_", "ä", "x" * 41, "a\n"],
)
def test_names_are_held_to_a_form(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a plugin") as caught:
        scaffold(name, kind="loader", into=tmp_path)
    assert not list(tmp_path.iterdir())
    hint = str(caught.value.hint).removeprefix("such as ")
    scaffold(json.loads(hint.replace("'", '"')), kind="loader", into=tmp_path)


def test_a_name_that_is_taken(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is a loader called 'otel' already"):
        scaffold("otel", kind="loader", into=tmp_path, taken=["otel"])
    with pytest.raises(UsageError, match="no plugin kind 'gadget'"):
        scaffold("otel", kind="gadget", into=tmp_path)
