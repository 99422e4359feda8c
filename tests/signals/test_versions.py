"""Versions of the built-in families follow their code, and labels notice."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import traceloc
from traceloc.labels.adapting import Adapter
from traceloc.labels.recording import record_answer
from traceloc.labels.store import LabelStore
from traceloc.ranking import load_model
from traceloc.ranking.table import list_versions
from traceloc.registry import Registry
from traceloc.signals.versions import read_version
from traceloc.testing.traces import rich_trace

SAY = """
import json
from traceloc.registry import Registry
from traceloc.ranking.table import list_versions
print(json.dumps(list_versions(Registry().all("signals"))))
"""
FAMILY = '''
"""A family."""
# {comment}
from traceloc.signals.family import Family

class Mine(Family):
    """{docstring}"""

    name = "mine"
    threshold = {threshold}
    """How much."""
'''


def ask(code: str, folder: Path) -> str:
    """What another process prints that imports from a folder first."""
    paths = [str(folder), *filter(None, sys.path)]
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def versions_with(folder: Path, module: str, old: str, new: str) -> dict[str, str]:
    """Versions that a copy of traceloc states in which a module was changed."""
    path = folder / "traceloc" / module
    before = path.read_text(encoding="utf-8")
    assert before.count(old) == 1
    path.write_text(before.replace(old, new), encoding="utf-8")
    try:
        return dict(json.loads(ask(SAY, folder)))
    finally:
        path.write_text(before, encoding="utf-8")


def test_each_family_has_a_version_of_its_own():
    found = list_versions(Registry().all("signals"))
    assert all(version.startswith("code ") for version in found.values())
    assert len(set(found.values())) == len(found)


def test_who_builds_on_what_was_changed_has_a_new_version_and_nobody_else(tmp_path):
    now = list_versions(Registry().all("signals"))
    shutil.copytree(Path(traceloc.__file__).parent, tmp_path / "traceloc")

    def changed(module: str, old: str, new: str) -> set[str]:
        found = versions_with(tmp_path, module, old, new)
        return {name for name in now if found[name] != now[name]}

    spoken = changed("signals/phrases.py", '"as a result",', '"as a result", "it seems that",')
    assert {"reasoning", "reception", "grounding"} <= spoken
    assert "position" not in spoken
    assert changed("graph/lexical.py", "_SMALL = 12", "_SMALL = 13") == set(now)
    assert (
        changed("signals/reasoning.py", "class Reasoning", "# It is so.\nclass Reasoning") == set()
    )
    assert changed("signals/reasoning.py", '"""How a step argues."""', '"""How."""') == set()


def test_a_family_outside_counts_with_its_own_module(tmp_path):
    plain = {"comment": "x", "docstring": "x", "threshold": 1}
    path = tmp_path / "mine.py"

    def version(**words: object) -> str:
        path.write_text(FAMILY.format(**plain | words), encoding="utf-8")
        return ask("from mine import Mine; print(Mine().version)", tmp_path)

    first = version()
    assert first.startswith("code ")
    assert version(comment="another") == first == version(docstring="another")
    # Of another length: what was compiled a moment ago is told by time and size.
    assert version(threshold=2000) != first


@pytest.mark.parametrize("module", ["sys", "no_such_module_anywhere", "__main__.nothing"])
def test_without_a_source_the_release_counts(module):
    assert read_version(module) == f"traceloc {traceloc.__version__}"


def test_labels_measured_by_other_code_are_not_learned_from(tmp_path):
    signals = Registry().all("signals")
    store = LabelStore(tmp_path / "labels.db")
    trace = rich_trace()
    step = next(s.index for s in trace.steps if not s.is_environment and s.kind != "system")
    record_answer(store, "label", trace, step, signals=signals, who="ann")
    assert Adapter(load_model(), signals, store).of(trace).diagnostics == ()

    position = next(i for i, each in enumerate(signals) if each.name == "reasoning")
    changed = type("Changed", (type(signals[position]),), {"version": "code of another day"})
    others = [*signals[:position], changed(), *signals[position + 1 :]]
    (note,) = Adapter(load_model(), others, store).of(trace).diagnostics
    assert note.kind == "skipped" and "other signals" in note.message
