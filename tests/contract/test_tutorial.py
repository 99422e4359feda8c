"""docs/plugins.md does what it says: the plugin of the tutorial fails one check, then none."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from traceloc.scaffolding import scaffold

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"
FENCES = {
    name: body
    for name, body in re.findall(
        r"^```\w+ file=(\S+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S
    )
}
PLUGIN = "src/traceloc_kitchen/__init__.py"


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    """The distribution as somebody has it who followed the page so far."""
    scaffold("kitchen", kind="loader", into=tmp_path)
    root = tmp_path / "traceloc-kitchen"
    for name in (PLUGIN, "tests/samples/run.json", "tests/test_contract.py"):
        assert (root / name).exists(), f"{name} is no file of the scaffold"
        (root / name).write_text(FENCES[name], encoding="utf-8")
    return root


def run(root: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-P", *command],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


def mend(root: Path) -> None:
    path = root / PLUGIN
    code = path.read_text(encoding="utf-8")
    begin = code.index("                attributes=entry")
    end = code.index("            )\n", begin) + len("            )\n")
    path.write_text(code[:begin] + FENCES["mend"] + code[end:], encoding="utf-8")


def test_the_tutorial(kitchen: Path) -> None:
    first = run(kitchen, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "1 failed, 20 passed, 1 skipped" in first, first
    for line in FENCES["failure"].splitlines():
        assert line in first
    mend(kitchen)
    second = run(kitchen, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "21 passed, 1 skipped" in second, second


def test_the_loader_of_the_tutorial_understands(kitchen: Path) -> None:
    mend(kitchen)
    program = (
        "from traceloc_kitchen import KitchenLoader; from traceloc.loading import Source\n"
        "(trace,) = KitchenLoader().load([Source('tests/samples/run.json')])\n"
        "print([(s.agent, s.kind, s.error and s.error.kind) for s in trace.steps])\n"
        "print(trace.steps[1].tool_calls[0].result_step, trace.steps[4].attributes)"
    )
    assert run(kitchen, "-c", program).splitlines() == [
        "[('chef', 'message', None), ('sam', 'action', None), ('season', 'result', 'tool'), "
        "('sam', 'message', None), ('guest', 'message', None)]",
        "2 {'table': 4}",
    ]


def test_doctor_reads_how_more_is_captured(kitchen: Path) -> None:
    path = kitchen / PLUGIN
    head, version, rest = path.read_text(encoding="utf-8").partition("    api_version = 1\n")
    path.write_text(head + version + FENCES["capture"] + rest, encoding="utf-8")
    mend(kitchen)
    entry = "[traceloc.loaders]\nkitchen = traceloc_kitchen:KitchenLoader\n"
    installed = kitchen / "src" / "traceloc_kitchen-0.1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: traceloc-kitchen\nVersion: 0.1\n"
    )
    (installed / "entry_points.txt").write_text(entry)
    said = run(
        kitchen, "-c", "from traceloc.cli import main; main()", "doctor", "tests/samples/run.json"
    )
    assert "read by    kitchen" in said, said
    assert "timestamps: steps stand in file order; set `clock: true` in kitchen.ini" in said
    assert "cost is not known; no shift holds them" in said
    assert "docs/frameworks" not in said  # nobody here describes kitchens


def test_it_is_short() -> None:
    code = [FENCES[name] for name in (PLUGIN, "mend", "tests/test_contract.py")]
    assert sum(len(each.splitlines()) for each in code) < 60


def test_the_table_knows_every_kind() -> None:
    from traceloc.scaffolding import KINDS

    page = PAGE.read_text(encoding="utf-8")
    assert all(f"| {kind} |" in page for kind in KINDS)
