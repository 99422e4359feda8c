from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

HERE = Path(__file__).parent
# Worker processes import the fake by name, and find it as this process does.
sys.path.insert(0, str(HERE))

from cli_samples import Invoke, native  # noqa: E402
from fake_localizer import make_fake  # noqa: E402


@pytest.fixture(autouse=True)
def fenced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings, plugins or colours of whoever runs the tests."""
    for variable in list(os.environ):
        if variable.startswith("TRACELOC_") or variable in ("NO_COLOR", "COLUMNS"):
            monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("traceloc.scanning.build_localizer", make_fake)
    monkeypatch.setenv("TRACELOC_PLUGINS", "native,text,json,jsonl")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A located, an abstained, a passed and an unmeasured trace, and a note."""
    folder = tmp_path / "runs"
    folder.mkdir()
    texts = ("plan the trip", "FAULT: a ticket costs 120 EUR", "the total is 120 EUR")
    (folder / "a.json").write_text(native("a", *texts, passed=False))
    (folder / "b.json").write_text(native("b", "hello", "all is well"))
    (folder / "c.json").write_text(native("c", "done", passed=True))
    (folder / "d.json").write_text(native("d"))
    (folder / "notes.md").write_text("# nothing here\n")
    return folder


@pytest.fixture
def invoke() -> Invoke:
    """Run the command line in this process."""
    from traceloc.cli.app import app

    runner = CliRunner()

    def run(*args: str, **extra: Any) -> Result:
        return runner.invoke(app, [str(arg) for arg in args], **extra)

    return run
